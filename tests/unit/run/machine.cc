#include "machine.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "base/text.h"
#include "kernel/cgroup.h"
#include "run/stage.h"

namespace croft::run::testing {

using namespace launch;

namespace {

constexpr uint32_t id_base = 1'000'000'000;

std::string whole_file(const std::string& path) {
    Result<std::string> text = read_file_at(AT_FDCWD, path.c_str(), 1 << 24);
    return text ? *text : "";
}

std::string find_cgroup_mount() {
    for (const std::string& line : split(whole_file("/proc/self/mounts"), '\n')) {
        std::vector<std::string> words = split(line, ' ');
        if (words.size() > 2 && words[2] == "cgroup2") return words[1];
    }
    return "";
}

size_t count_entries(const std::string& path) {
    DIR* dir = opendir(path.c_str());
    size_t n = 0;
    while (dir && readdir(dir)) ++n;
    if (dir) closedir(dir);
    return n;
}

void remove_tree(const std::string& path) {
    ASSERT_EQ(system(cat("rm -rf --one-file-system '", path, "'").c_str()), 0);
}

void make_tree(const std::string& tree) {
    for (const char* dir : {"", "/bin", "/dev", "/proc", "/sys", "/tmp", "/etc", "/run"})
        ASSERT_EQ(mkdir((tree + dir).c_str(), 0755), 0) << dir;
    ASSERT_EQ(system(cat("cp /bin/busybox '", tree, "/bin/busybox'").c_str()), 0);
    for (const char* applet :
         {"sh",     "cat",      "id",    "ls",       "stat",  "sleep",  "kill",   "mount",
          "umount", "hostname", "true",  "readlink", "touch", "chroot", "stty",   "tty",
          "env",    "ps",       "mkdir", "ip",       "grep",  "chown",  "reboot", "seq"})
        ASSERT_EQ(symlink("busybox", cat(tree, "/bin/", applet).c_str()), 0);
}

// The steps that put the tree on the stage.
void add_root(LaunchPlan& plan, const std::string& tree, Users users) {
    Slot root = plan.slots++, userns = no_slot;
    if (users == Users::own) {
        userns = plan.slots++;
        plan.host.push_back(MakeUserns{.slot = userns});
    }
    plan.host.push_back(OpenTree{.slot = root, .path = tree, .idmap = userns});
    plan.stage.push_back(AttachRoot{.slot = root});
    if (users == Users::host) plan.stage.push_back(DropStageApi{});
}

// Nodes are made by the host's root: one of a user namespace may not.
void add_dev(LaunchPlan& plan, Users users) {
    uint32_t owner = users == Users::own ? id_base : 0;
    Slot dev = plan.slots++;
    plan.stage.push_back(MakeFs{.slot = dev,
                                .type = "tmpfs",
                                .options = {{"mode", "0755"}, {"uid", cat(owner)}, {"gid", cat(owner)}},
                                .attr = MOUNT_ATTR_NOSUID});
    plan.stage.push_back(MakeDir{.base = dev, .path = "pts", .uid = owner, .gid = owner});
    plan.stage.push_back(
        MakeNode{.base = dev, .path = "null", .major = 1, .minor = 3, .uid = owner, .gid = owner});
    plan.stage.push_back(MakeFile{.base = dev, .path = "console", .content = "", .uid = owner, .gid = owner});
    plan.stage.push_back(Attach{.slot = dev, .target = "/dev"});
}

void add_file_system(LaunchPlan& plan, const char* type, const char* target,
                     std::vector<std::pair<std::string, std::string>> options = {}) {
    Slot slot = plan.slots++;
    plan.inside.push_back(MakeFs{.slot = slot,
                                 .type = type,
                                 .options = std::move(options),
                                 .attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC});
    plan.inside.push_back(
        Attach{.slot = slot, .target = target, .create = Create::directory, .no_symlinks = true});
}

}  // namespace

size_t count_mounts(std::string_view below) {
    size_t n = 0;
    for (const std::string& line : split(whole_file("/proc/self/mountinfo"), '\n'))
        n += line.find(below) != line.npos;
    return n;
}
size_t count_fds() {
    return count_entries("/proc/self/fd");
}
size_t count_children() {
    return split(whole_file(cat("/proc/self/task/", getpid(), "/children")), ' ').size();
}

std::string read_output(int fd) {
    Result<std::string> text = read_all(fd);
    return text ? *text : text.error().text;
}

std::string Machine::own_namespace(const char* name) {
    char text[64] = {};
    [[maybe_unused]] ssize_t n = readlink(cat("/proc/self/ns/", name).c_str(), text, sizeof text - 1);
    return text;
}

void Machine::SetUp() {
    if (geteuid() != 0) GTEST_SKIP() << "launching needs root";
    char path[] = "/tmp/croft-run-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    ASSERT_EQ(chmod(path, 0755), 0);
    run_path = path;
    tree = run_path + "/tree";
    make_tree(tree);
    run_directory = std::move(open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY).value());
    cgroup_mount = find_cgroup_mount();
    cgroup = cat("croft-test-", run_path.substr(run_path.size() - 6));
    // Where the kernel does not allow it (stage.cc), each start makes a stage of its own, as it would for anybody.
    if (Result<> pinned = pin_stage(run_directory.get()); !pinned) ASSERT_EQ(pinned.error().code, Errc::unsupported);
    mounts_before_ = count_mounts(run_path);
    children_before_ = count_children();
    fds_before_ = count_fds();
    namespace_before_ = own_namespace("mnt");
    char directory[PATH_MAX];
    directory_before_ = getcwd(directory, sizeof directory);
}

void Machine::TearDown() {
    if (run_path.empty()) return;
    EXPECT_EQ(count_mounts(run_path), mounts_before_) << "mounts are left";
    EXPECT_EQ(count_children(), children_before_) << "processes are left";
    EXPECT_EQ(count_fds(), fds_before_) << "descriptors are left";
    EXPECT_EQ(own_namespace("mnt"), namespace_before_) << "not back among the host's mounts";
    char directory[PATH_MAX];
    EXPECT_EQ(getcwd(directory, sizeof directory), directory_before_);
    EXPECT_FALSE(exists_at(AT_FDCWD, cat(cgroup_mount, "/", cgroup).c_str())) << "a cgroup is left";
    Result<> unpinned = unpin_stage(run_directory.get());
    EXPECT_TRUE(unpinned) << unpinned.error().text;
    run_directory.reset();
    remove_tree(run_path);
}

LaunchPlan Machine::plan(Users users, const std::string& script) const {
    LaunchPlan p;
    p.name = "test";
    p.new_namespaces =
        CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (users == Users::own) {
        p.new_namespaces |= CLONE_NEWUSER;
        p.uid_maps = p.gid_maps = {{0, id_base, 65536}};
    }
    if (!cgroup_mount.empty()) p.cgroup.path = cgroup;
    add_root(p, tree, users);
    add_dev(p, users);
    p.inside.push_back(EnterRoot{});
    add_file_system(p, "proc", "/proc");
    add_file_system(p, "sysfs", "/sys");
    add_file_system(p, "devpts", "/dev/pts", {{"newinstance", ""}, {"ptmxmode", "0666"}, {"mode", "0620"}});
    p.inside.push_back(SetHostname{.hostname = "test", .domainname = ""});
    p.inside.push_back(LoopbackUp{});
    p.process.argv = {"sh", "-c", script};
    p.process.search_path = "/usr/bin:/bin";
    p.process.env = {"PATH=/usr/bin:/bin", "HOME=/"};
    p.process.cap_bounding = p.process.cap_effective = 0x1ffffffffff;
    p.process.parent_death_signal = SIGKILL;
    return p;
}

LaunchEnvironment Machine::environment() const {
    LaunchEnvironment e;
    e.run_directory = run_directory.get();
    e.helper_directory = CROFT_TEST_HELPERS;
    e.cgroup_root = cgroup_mount;
    return e;
}

Outcome Machine::wait(const Launched& launched) const {
    siginfo_t info = {};
    EXPECT_EQ(waitid(P_PIDFD, static_cast<id_t>(launched.pidfd.get()), &info, WEXITED), 0);
    return outcome_from_wait(info.si_code, info.si_status, true);
}

void Machine::remove_cgroup(Launched& launched) const {
    if (!launched.cgroup_parent) return;
    Result<> removed = kernel::remove_cgroup(launched.cgroup_parent.get(), launched.cgroup_name);
    EXPECT_TRUE(removed) << removed.error().text;
}

void Machine::put_file(const std::string& path, std::string_view content, mode_t mode) const {
    Fd fd = std::move(open_at(AT_FDCWD, (tree + path).c_str(), O_WRONLY | O_CREAT | O_TRUNC, mode).value());
    ASSERT_TRUE(write_all(fd.get(), content));
    ASSERT_EQ(fchmod(fd.get(), mode), 0);
}

void Machine::clear_cgroup() const {
    if (!exists_at(AT_FDCWD, cat(cgroup_mount, "/", cgroup).c_str())) return;
    Fd parent = std::move(open_at(AT_FDCWD, cgroup_mount.c_str(), O_RDONLY | O_DIRECTORY).value());
    Fd group = std::move(open_at(parent.get(), cgroup.c_str(), O_RDONLY | O_DIRECTORY).value());
    EXPECT_TRUE(kernel::kill_cgroup(group.get()));
    Result<> removed = kernel::remove_cgroup(parent.get(), cgroup);
    EXPECT_TRUE(removed) << removed.error().text;
}

std::string Machine::run(const LaunchPlan& plan) {
    return run(plan, environment());
}

std::string Machine::run(const LaunchPlan& plan, LaunchEnvironment e) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Fd output(ends[0]), input(ends[1]);
    Fd null = std::move(open_at(AT_FDCWD, "/dev/null", O_RDONLY).value());
    e.stdio[0] = null.get();
    e.stdio[1] = e.stdio[2] = input.get();
    Result<Launched> launched = launch(plan, e);
    input.reset();
    failure = launched ? "" : launched.error().text;
    if (!launched) return "";
    std::string text = read_output(output.get());
    outcome = wait(*launched);
    remove_cgroup(*launched);
    return text;
}

}  // namespace croft::run::testing
