// Device policies in the real kernel: processes put into a cgroup with the policy try to make and open nodes.
// The test runs in a mount namespace of its own, whose /run and /sys/fs/bpf it may change.
#include "run/device_program.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"
#include "run/bpf_store.h"

namespace croft::run {
namespace {

using launch::DeviceAccess;
using Rules = std::vector<DeviceAccess>;

std::string cgroup2_mount() {
    auto mounts = read_file_at(AT_FDCWD, "/proc/self/mountinfo");
    for (const std::string& line : split(mounts ? *mounts : "", '\n'))
        if (line.find(" - cgroup2 ") != line.npos) return split(line, ' ')[4];
    return {};
}

class DevicePolicy : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "needs root: attaches programs to cgroups and makes device nodes";
        std::string root = cgroup2_mount();
        if (root.empty()) GTEST_SKIP() << "no cgroup2 is mounted";
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("tmpfs", "/run", "tmpfs", 0, nullptr) != 0)
            GTEST_SKIP() << "no mount namespace of its own: " << strerror(errno);
        mount("tmpfs", "/sys/fs/bpf", "tmpfs", 0, nullptr);  // hides a host's, where there is one
        ASSERT_EQ(mkdir("/run/nodes", 0755), 0);
        path_ = cat(root, "/croft-test-", getpid());
        ASSERT_EQ(mkdir(path_.c_str(), 0755), 0) << path_;
        cgroup_ = Fd(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override {
        cgroup_.reset();
        EXPECT_TRUE(path_.empty() || rmdir(path_.c_str()) == 0) << path_;
    }

    // What `act` returns in a process of the cgroup (an errno, at most 255).
    template <class F>
    int inside(F act) {
        clone_args args{};
        args.flags = CLONE_INTO_CGROUP;
        args.exit_signal = SIGCHLD;
        args.cgroup = static_cast<uint64_t>(cgroup_.get());
        long pid = syscall(SYS_clone3, &args, sizeof args);
        if (pid == 0) _exit(act());
        EXPECT_GT(pid, 0) << strerror(errno);
        int status = -1;
        waitpid(static_cast<pid_t>(pid), &status, 0);
        return WEXITSTATUS(status);
    }

    std::vector<uint32_t> attached() {
        uint32_t ids[16] = {};
        bpf_attr attr;
        std::memset(&attr, 0, sizeof attr);
        attr.query.target_fd = static_cast<uint32_t>(cgroup_.get());
        attr.query.attach_type = BPF_CGROUP_DEVICE;
        attr.query.prog_ids = reinterpret_cast<uint64_t>(ids);
        attr.query.prog_cnt = 16;
        EXPECT_EQ(syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof attr), 0) << strerror(errno);
        return {ids, ids + attr.query.prog_cnt};
    }
    // A second cgroup for a second policy.
    void renew_cgroup() {
        cgroup_.reset();
        ASSERT_EQ(rmdir(path_.c_str()), 0);
        ASSERT_EQ(mkdir(path_.c_str(), 0755), 0);
        cgroup_ = Fd(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }

    std::string path_;
    Fd cgroup_;
};

int make_node(const char* path, mode_t type, unsigned major_number, unsigned minor_number) {
    return mknod(path, type | 0600, makedev(major_number, minor_number)) == 0 ? 0 : errno;
}
int open_node(const char* path, int flags) {
    int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
    return fd >= 0 ? 0 : errno;
}

TEST_F(DevicePolicy, LetsOnlyListedDevicesThrough) {
    Rules rules{{'c', 1, 3, "rwm"}, {'c', 1, 5, "r"}, {'c', 136, -1, "rw"}};
    auto attached_ok = attach_device_policy(cgroup_.get(), rules);
    ASSERT_TRUE(attached_ok) << attached_ok.error().text;
    ASSERT_EQ(make_node("/run/nodes/null", S_IFCHR, 1, 3), 0);
    ASSERT_EQ(make_node("/run/nodes/zero", S_IFCHR, 1, 5), 0);
    ASSERT_EQ(make_node("/run/nodes/full", S_IFCHR, 1, 7), 0);
    EXPECT_EQ(inside([] { return open_node("/run/nodes/null", O_RDWR); }), 0);
    EXPECT_EQ(inside([] { return open_node("/run/nodes/zero", O_RDONLY); }), 0);
    EXPECT_EQ(inside([] { return open_node("/run/nodes/zero", O_WRONLY); }), EPERM);
    EXPECT_EQ(inside([] { return open_node("/run/nodes/zero", O_RDWR); }), EPERM);
    EXPECT_EQ(inside([] { return open_node("/run/nodes/full", O_RDONLY); }), EPERM);
    EXPECT_EQ(inside([] { return make_node("/run/nodes/a", S_IFCHR, 1, 3); }), 0);
    EXPECT_EQ(inside([] { return make_node("/run/nodes/b", S_IFCHR, 1, 5); }), EPERM);
    EXPECT_EQ(inside([] { return make_node("/run/nodes/sda", S_IFBLK, 8, 0); }), EPERM);
    EXPECT_EQ(inside([] { return make_node("/run/nodes/whiteout", S_IFCHR, 0, 0); }), 0)
        << "the kernel lets overlayfs's whiteouts through";
}

// The meaning in the header, evaluated directly.
bool permitted(const Rules& rules, char type, unsigned major_number, unsigned minor_number,
               const std::string& access) {
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
        bool all = true, any = false;
        for (char c : access) {
            bool has = rule->access.find(c) != rule->access.npos;
            all = all && has, any = any || has;
        }
        if (rule->type != 'a' && rule->type != type) continue;
        if (rule->major >= 0 && rule->major != major_number) continue;
        if (rule->minor >= 0 && rule->minor != minor_number) continue;
        if (rule->allow ? all : any) return rule->allow;
    }
    return false;
}

Rules some_rules(unsigned seed) {
    Rules rules;
    auto roll = [&](unsigned n) { return (seed = seed * 1103515245 + 12345) / 65536 % n; };
    for (unsigned n = roll(6); n > 0; --n) {
        DeviceAccess rule{"abc"[roll(3)], int64_t(roll(3)) * 3 - 1, int64_t(roll(3)) - 1, "", roll(3) != 0};
        for (char c : std::string("rwm"))
            if (roll(3)) rule.access += c;
        if (rule.access.empty()) rule.access = "rwm";
        rules.push_back(rule);
    }
    return rules;
}

// Majors 2, 5 and 9 with minors 0 and 1: refused is EPERM, let through is anything else (most have no
// driver).
TEST_F(DevicePolicy, DecidesAsItsRulesSay) {
    int refused = 0, passed = 0;
    for (unsigned seed = 0; seed < 120; ++seed) {
        Rules rules = some_rules(seed);
        ASSERT_TRUE(attach_device_policy(cgroup_.get(), rules));
        for (int which = 0; which < 8; ++which) {
            char type = which & 1 ? 'b' : 'c';
            unsigned major_number = which & 2 ? 2 : 5, minor_number = which & 4 ? 1 : 0;
            std::string path = cat("/run/nodes/", which);
            mknod(path.c_str(), (type == 'b' ? S_IFBLK : S_IFCHR) | 0600,
                  makedev(major_number, minor_number));
            const std::pair<const char*, int> opens[] = {{"r", O_RDONLY}, {"w", O_WRONLY}, {"rw", O_RDWR}};
            for (auto& [access, flags] : opens) {
                bool expected = permitted(rules, type, major_number, minor_number, access);
                int got = inside([&] { return open_node(path.c_str(), flags | O_NOCTTY); });
                ASSERT_EQ(got != EPERM, expected)
                    << device_policy_text(rules) << ' ' << path << ' ' << access;
                ++(expected ? passed : refused);
            }
            bool expected = permitted(rules, type, major_number, minor_number, "m");
            std::string fresh = path + "m";
            int got = inside([&] {
                return make_node(fresh.c_str(), type == 'b' ? S_IFBLK : S_IFCHR, major_number, minor_number);
            });
            unlink(fresh.c_str());
            ASSERT_EQ(got, expected ? 0 : EPERM) << device_policy_text(rules) << ' ' << path;
        }
        renew_cgroup();
    }
    EXPECT_GT(refused, 100);
    EXPECT_GT(passed, 100);
}

TEST_F(DevicePolicy, RefusesNonsenseWithASentence) {
    EXPECT_FALSE(device_program(Rules{{'x', 1, 3, "r"}}));
    EXPECT_FALSE(device_program(Rules{{'c', 1, 3, "rx"}}));
    EXPECT_FALSE(device_program(Rules{{'c', 5000, 3, "r"}}));
    auto bad = attach_device_policy(open("/run", O_RDONLY | O_CLOEXEC), Rules{});
    ASSERT_FALSE(bad);
    EXPECT_NE(bad.error().text.find("attaching the device policy"), std::string::npos) << bad.error().text;
}

const Rules two{{'c', 1, 3, "rwm"}, {'b', -1, 7, "r", false}};

TEST_F(DevicePolicy, WritesItsTextInFull) {
    EXPECT_EQ(device_policy_text(two), "v1,c1:3rwm,!b*:7r");
    EXPECT_EQ(device_policy_text({}), "v1");
}

TEST_F(DevicePolicy, IsLoadedOnceForAllMachines) {
    EXPECT_FALSE(find_kept_program(device_policy_text(two)));
    ASSERT_TRUE(attach_device_policy(cgroup_.get(), two));
    std::vector<uint32_t> first = attached();
    ASSERT_EQ(first.size(), 1u);
    EXPECT_TRUE(find_kept_program(device_policy_text(two)));
    renew_cgroup();
    ASSERT_TRUE(attach_device_policy(cgroup_.get(), two));
    EXPECT_EQ(attached(), first);
    renew_cgroup();
    ASSERT_TRUE(attach_device_policy(cgroup_.get(), Rules{{'c', 1, 3, "r"}}));
    EXPECT_NE(attached(), first);
}

TEST_F(DevicePolicy, IsKeptInTheHostsFileSystemWhereThereIsOne) {
    ASSERT_EQ(mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr), 0);
    ASSERT_TRUE(attach_device_policy(cgroup_.get(), two));
    EXPECT_EQ(access("/sys/fs/bpf/croft/pv1,c1:3rwm,!b*:7r", F_OK), 0);
    EXPECT_NE(access("/run/croft/bpf", F_OK), 0);
    EXPECT_TRUE(find_kept_program(device_policy_text(two)));
}

// /sys/fs/bpf may be open to all (mode 1777): somebody's "croft" directory there is not ours.
TEST_F(DevicePolicy, IsNotTakenFromOthers) {
    ASSERT_EQ(mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr), 0);
    ASSERT_TRUE(attach_device_policy(cgroup_.get(), two));
    ASSERT_EQ(chown("/sys/fs/bpf/croft", 1234, 1234), 0);
    EXPECT_FALSE(find_kept_program(device_policy_text(two)));
    ASSERT_EQ(chown("/sys/fs/bpf/croft", 0, 0), 0);
    ASSERT_EQ(chmod("/sys/fs/bpf/croft", 0770), 0);
    EXPECT_FALSE(find_kept_program(device_policy_text(two)));
    renew_cgroup();
    ASSERT_TRUE(attach_device_policy(cgroup_.get(), two));  // kept at its own place instead
    EXPECT_TRUE(find_kept_program(device_policy_text(two)));
    EXPECT_EQ(access("/run/croft/bpf/pv1,c1:3rwm,!b*:7r", F_OK), 0);
}

TEST_F(DevicePolicy, KeepsLongPoliciesUnderLongPaths) {
    Rules many;
    for (int i = 0; i < 120; ++i) many.push_back({'c', 100 + i, i, "rwm"});
    std::string text = device_policy_text(many);
    ASSERT_GT(text.size(), 1000u);
    ASSERT_TRUE(attach_device_policy(cgroup_.get(), many));
    EXPECT_TRUE(find_kept_program(text));
    EXPECT_FALSE(find_kept_program(text.substr(0, 240)));
    EXPECT_FALSE(find_kept_program(text.substr(0, 241)));
}

}  // namespace
}  // namespace croft::run
