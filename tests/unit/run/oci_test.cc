// What only OCI bundles ask of a launch: namespaces of others, devices of the network, descriptors of the
// caller's, memory policy, a listener for the filter.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/mempolicy.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "machine.h"
#include "run/join.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class Oci : public Machine, public ::testing::WithParamInterface<Users> {};
INSTANTIATE_TEST_SUITE_P(Users, Oci, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

// Another machine whose namespaces are joined.
class Other {
  public:
    Other(Machine&, Result<Launched> launched) : launched_(std::move(launched)) {}
    ~Other() {
        if (launched_) undo(*launched_);
    }
    explicit operator bool() const { return launched_.has_value(); }
    std::string path(const char* name) const { return cat("/proc/", launched_->pid, "/ns/", name); }
    std::string link(const char* name) const {
        char text[64] = {};
        [[maybe_unused]] ssize_t n = readlink(path(name).c_str(), text, sizeof text - 1);
        return text;
    }

  private:
    Result<Launched> launched_;
};

constexpr struct {
    const char* name;
    uint64_t type;
} kinds[] = {{"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC},       {"uts", CLONE_NEWUTS},
             {"pid", CLONE_NEWPID}, {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};

TEST_P(Oci, JoinsNamespacesOfEachKind) {
    LaunchPlan first = plan(GetParam(), "exec sleep 1000");
    first.new_namespaces |= CLONE_NEWTIME;
    first.boottime_offset = 1000'000'000'000;
    Other other(*this, launch(first, environment()));
    ASSERT_TRUE(other);
    for (const auto& kind : kinds) {
        SCOPED_TRACE(kind.name);
        LaunchPlan p = plan(GetParam(), cat("readlink /proc/self/ns/", kind.name));
        p.cgroup.path += "-2";
        p.new_namespaces &= ~kind.type;
        p.join = {{other.path(kind.name), kind.type}};
        // proc is of its PID namespace, and sysfs of its network: only their own owners may mount them.
        if (GetParam() == Users::own)
            p.join.insert(p.join.begin(), {other.path("user"), CLONE_NEWUSER}),
                p.new_namespaces &= ~uint64_t{CLONE_NEWUSER};
        EXPECT_EQ(run(p), other.link(kind.name) + "\n") << failure;
    }
}

TEST_P(Oci, JoinsAUserNamespaceWithNewOnesThatBelongToIt) {
    if (GetParam() == Users::host) return;  // there is none to join
    Other other(*this, launch(plan(GetParam(), "exec sleep 1000"), environment()));
    ASSERT_TRUE(other);
    LaunchPlan p = plan(
        GetParam(),
        "readlink /proc/self/ns/user; readlink /proc/self/ns/net; echo $$; id -u; hostname new; hostname; "
        "mkdir /tmp/m; mount -t tmpfs t /tmp/m && echo mounted; cat /proc/self/uid_map | grep -c 65536");
    p.cgroup.path += "-2";
    p.join = {{other.path("user"), CLONE_NEWUSER}};
    p.new_namespaces &= ~uint64_t{CLONE_NEWUSER};
    std::vector<std::string> lines = split(run(p), '\n');
    ASSERT_GE(lines.size(), 7u) << failure;
    EXPECT_EQ(lines[0], other.link("user"));
    EXPECT_NE(lines[1], other.link("net"));
    EXPECT_NE(lines[1], own_namespace("net"));
    EXPECT_EQ(lines[2], "1");
    EXPECT_EQ(lines[3], "0");
    EXPECT_EQ(lines[4], "new");
    EXPECT_EQ(lines[5], "mounted");
    EXPECT_EQ(own_namespace("user").empty(), false);
}

// A process in a mount namespace of its own.
class MountNamespace {
  public:
    MountNamespace() {
        Pipe ready = std::move(make_pipe().value());
        pid_ = fork();
        if (pid_ == 0) {
            bool made =
                unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
            if (made && write_all(ready.write.get(), "x")) pause();
            _exit(1);
        }
        ready.write.reset();
        char byte;
        EXPECT_EQ(read(ready.read.get(), &byte, 1), 1);
    }
    ~MountNamespace() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    std::string path() const { return cat("/proc/", pid_, "/ns/mnt"); }
    std::string mounts() const {
        return read_file_at(AT_FDCWD, cat("/proc/", pid_, "/mountinfo").c_str(), 1 << 24).value();
    }

  private:
    pid_t pid_;
};

TEST_P(Oci, JoinsAMountNamespace) {
    if (GetParam() == Users::own) return;  // mounts in it are for its own user namespace to make
    MountNamespace other;
    LaunchPlan p =
        plan(Users::host,
             "readlink /proc/self/ns/mnt; ls /; cat /proc/self/mountinfo | grep -c .; cat /proc/interrupts");
    p.join = {{other.path(), CLONE_NEWNS}};
    p.new_namespaces &= ~uint64_t{CLONE_NEWNS};
    p.inside.push_back(Mask{.target = "/proc/interrupts"});
    Pipe pipe = std::move(make_pipe().value());
    LaunchEnvironment e = environment();
    e.root_path = tree;
    e.stdio[1] = pipe.write.get();
    Result<Launched> launched = launch(p, e);
    pipe.write.reset();
    ASSERT_TRUE(launched) << launched.error().text;
    char expected[64] = {};
    EXPECT_GT(readlink(other.path().c_str(), expected, sizeof expected - 1), 0);
    EXPECT_EQ(read_output(pipe.read.get()), cat(expected, "\nbin\ndev\netc\nproc\nrun\nsys\ntmp\n6\n"));
    wait(*launched);
    undo(*launched);
}

TEST_P(Oci, AFailedLaunchLeavesNothingInAJoinedMountNamespace) {
    if (GetParam() == Users::own) return;
    MountNamespace other;
    std::string before = other.mounts();
    LaunchPlan p = plan(Users::host, "true");
    p.join = {{other.path(), CLONE_NEWNS}};
    p.new_namespaces &= ~uint64_t{CLONE_NEWNS};
    p.process.argv = {"no-such-command"};
    LaunchEnvironment e = environment();
    e.root_path = tree;
    ASSERT_FALSE(launch(p, e));
    EXPECT_EQ(other.mounts(), before);
    e.root_path = "/no/such/place";
    Result<Launched> launched = launch(p, e);
    ASSERT_FALSE(launched);
    EXPECT_NE(launched.error().text.find("/no/such/place"), std::string::npos) << launched.error().text;
}

TEST_P(Oci, RefusesWhatIsNoNamespaceOfTheType) {
    LaunchPlan p = plan(GetParam(), "true");
    p.new_namespaces &= ~uint64_t{CLONE_NEWNET};
    for (const auto& [path, words] : {std::pair{"/proc/self/ns/ipc", "namespace of another type"},
                                      {"/etc/passwd", "is no namespace"},
                                      {"/no/such/namespace", "No such file"}}) {
        p.join = {{path, CLONE_NEWNET}};
        run(p);
        EXPECT_NE(failure.find(words), std::string::npos) << failure;
        EXPECT_NE(failure.find(path), std::string::npos) << failure;
    }
}

// ---------------------------------------------------------------- network devices

class Device {
  public:
    explicit Device(std::string name) : name_(std::move(name)) {
        // One that went with an earlier machine's network leaves its peer here until the kernel has cleared that up.
        for (int tries = 0; tries < 250 && if_nametoindex(cat(name_, "p").c_str()); ++tries) usleep(20'000);
        made_ = system(cat("ip link add ", name_, " type veth peer name ", name_,
                           "p && ip addr add 192.0.2.7/24 dev ", name_, " && ip addr add 2001:db8::7/64 dev ",
                           name_, " nodad && ip link set ", name_, " up")
                           .c_str()) == 0;
    }
    ~Device() {
        if (made_ && if_nametoindex(name_.c_str())) made_ = system(cat("ip link del ", name_).c_str()) == 0;
    }
    explicit operator bool() const { return made_; }

  private:
    std::string name_;
    bool made_ = false;
};

TEST_P(Oci, MovesNetworkDevicesWithNameAndAddresses) {
    Device device("crofttest0");
    if (!device) GTEST_SKIP() << "this kernel makes no veth device";
    LaunchPlan p = plan(GetParam(), "ip -o addr show dev moved0; ip -o link show dev moved0");
    p.net_devices = {{"crofttest0", "moved0"}};
    std::string text = run(p);
    EXPECT_NE(text.find("192.0.2.7/24"), text.npos) << text << failure;
    EXPECT_NE(text.find("2001:db8::7/64"), text.npos) << text;
    EXPECT_NE(text.find("UP"), text.npos) << text;
    EXPECT_EQ(if_nametoindex("crofttest0"), 0u);
}

TEST_P(Oci, FillsInANameAndRefusesATakenOne) {
    Device device("crofttest0"), second("crofttest1");
    if (!device || !second) GTEST_SKIP() << "this kernel makes no veth device";
    LaunchPlan p = plan(GetParam(), "ip -o link");
    p.net_devices = {{"crofttest0", "net%d"}, {"crofttest1", "lo"}};
    run(p);
    EXPECT_NE(failure.find("moving the network device 'crofttest1'"), failure.npos) << failure;
    EXPECT_NE(failure.find("has a device 'lo' already"), failure.npos) << failure;
    EXPECT_NE(if_nametoindex("crofttest0"), 0u) << "nothing is moved when not all can be";
    p.net_devices = {{"crofttest1", "net%d"}};
    EXPECT_NE(run(p).find("net0"), std::string::npos) << failure;
    p.net_devices = {{"no-such-device", ""}};
    run(p);
    EXPECT_NE(failure.find("no such network device"), failure.npos) << failure;
}

// ---------------------------------------------------------------- the process

TEST_P(Oci, PassesOnTheDescriptorsThatAreToBeKept) {
    LaunchEnvironment e = environment();
    Pipe pipe = std::move(make_pipe().value());
    bool found = false;
    // Whatever else this process has open from 3 on: one that may be kept, at a number of its own.
    Fd kept(fcntl(std::move(open_at(AT_FDCWD, "/etc/hostname", O_RDONLY).value()).get(), F_DUPFD, 40));
    Fd beyond(fcntl(kept.get(), F_DUPFD, kept.get() + 1));
    ASSERT_GE(kept.get(), 40);
    LaunchPlan p = plan(GetParam(), "");
    p.process.argv = {"ls", "/proc/self/fd"};
    e.preserve_fds = static_cast<uint32_t>(kept.get() - 2);
    e.stdio[1] = e.stdio[2] = pipe.write.get();
    Result<Launched> launched = launch(p, e);
    pipe.write.reset();
    ASSERT_TRUE(launched) << launched.error().text;
    // What this process itself was given without CLOEXEC is kept, too; nothing that it has opened.
    for (const std::string& word : split(trim(read_output(pipe.read.get())), '\n')) {
        auto fd = static_cast<int>(parse_int(word).value_or(-1));
        EXPECT_TRUE(fd <= 3 || (fd <= kept.get() && fcntl(fd, F_GETFD) == 0)) << word;
        found = found || fd == kept.get();
    }
    EXPECT_TRUE(found);
    wait(*launched);
    undo(*launched);
}

TEST_P(Oci, SetsTheMemoryPolicy) {
    LaunchPlan p = plan(GetParam(), "grep -q bind:0 /proc/self/numa_maps && echo bound");
    p.process.memory_policy = MPOL_BIND;
    p.process.memory_policy_nodes = {0};
    EXPECT_EQ(run(p), "bound\n") << failure;
    p.process.memory_policy_nodes = {63};
    run(p);
    EXPECT_NE(failure.find("setting the memory policy"), failure.npos) << failure;
}

TEST_P(Oci, SaysThatThereIsNoResctrl) {
    if (exists_at(AT_FDCWD, "/sys/fs/resctrl/schemata")) GTEST_SKIP() << "this host has resctrl";
    LaunchPlan p = plan(GetParam(), "true");
    p.rdt.group = "group", p.rdt.schemata = {"L3:0=f"};
    // What is asked of nobody else needs no go; with this it waits for one.
    run(p);
    EXPECT_NE(failure.find("linux.intelRdt"), failure.npos) << failure;
}

TEST_P(Oci, KeepsTheSessionKeyringIfAsked) {
    LaunchPlan p = plan(GetParam(), "cat /proc/self/keys 2>/dev/null | grep -c _ses; :");
    std::string with = run(p);
    p.process.new_keyring = false;
    run(p);
    EXPECT_EQ(failure, "");
}

// ---------------------------------------------------------------- a listener for the filter

class Listener {
  public:
    explicit Listener(const std::string& path) : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(socket_.get(), 4), 0);
    }
    // Takes one connection: its text lands in `state`, its descriptor is returned.
    Fd take(std::string& state) {
        Fd connection(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        char bytes[4096];
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        iovec data = {bytes, sizeof bytes};
        msghdr message = {};
        message.msg_iov = &data, message.msg_iovlen = 1, message.msg_control = control,
        message.msg_controllen = sizeof control;
        ssize_t n = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
        state.assign(bytes, n > 0 ? static_cast<size_t>(n) : 0);
        cmsghdr* c = CMSG_FIRSTHDR(&message);
        int fd = -1;
        if (c) memcpy(&fd, CMSG_DATA(c), sizeof fd);
        return Fd(fd);
    }

  private:
    Fd socket_;
};

// Allows all but sethostname, which the listener is asked about.
std::vector<sock_filter> asking_filter() {
    return {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sethostname, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
}

TEST_P(Oci, HandsTheFiltersListenerOn) {
    const std::string path = run_path + "/agent";
    Listener agent(path);
    std::vector<sock_filter> filter = asking_filter();
    LaunchEnvironment e = environment();
    e.seccomp = {reinterpret_cast<const char*>(filter.data()), filter.size() * sizeof filter[0]};
    e.seccomp_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    e.seccomp_state = [](pid_t pid) { return cat("{\"pid\":", pid, "}"); };
    LaunchPlan p = plan(GetParam(), "hostname from-inside; exit $?");
    p.process.seccomp_listener = path;
    Pipe told = std::move(make_pipe().value());
    // A process, not a thread: who launches has one thread.
    const pid_t answers = fork();
    if (answers == 0) {
        std::string state;
        Fd listener = agent.take(state);
        seccomp_notif asked = {};
        bool written = write_all(told.write.get(), state).has_value();
        if (!written || ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0) _exit(1);
        seccomp_notif_resp answer = {.id = asked.id, .val = 0, .error = 0, .flags = 0};
        _exit(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? 1 : 0);
    }
    told.write.reset();
    Result<Launched> launched = launch(p, e);
    ASSERT_TRUE(launched) << launched.error().text;
    EXPECT_EQ(wait(*launched).status, 0);
    int status = 1;
    EXPECT_EQ(waitpid(answers, &status, 0), answers);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(read_output(told.read.get()), cat("{\"pid\":", launched->pid, "}"));
    undo(*launched);
}

TEST_P(Oci, AListenerThatIsNotThereIsAnError) {
    std::vector<sock_filter> filter = asking_filter();
    LaunchEnvironment e = environment();
    e.seccomp = {reinterpret_cast<const char*>(filter.data()), filter.size() * sizeof filter[0]};
    e.seccomp_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    e.seccomp_state = [](pid_t) { return "{}"; };
    LaunchPlan p = plan(GetParam(), "true");
    p.process.seccomp_listener = run_path + "/nobody";
    Result<Launched> launched = launch(p, e);
    ASSERT_FALSE(launched);
    EXPECT_NE(launched.error().text.find(p.process.seccomp_listener), std::string::npos)
        << launched.error().text;
}

}  // namespace
}  // namespace croft::run::testing
