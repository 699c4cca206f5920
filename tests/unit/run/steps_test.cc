// Steps that a machine is put together from, as the payload sees their effect.
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "machine.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class Steps : public Machine, public ::testing::WithParamInterface<Users> {
  protected:
    bool own() const { return GetParam() == Users::own; }
    uint32_t root_id() const { return own() ? 1'000'000'000 : 0; }
    Slot root_slot(const LaunchPlan& p) const {
        for (const Step& step : p.stage)
            if (auto* attach = std::get_if<AttachRoot>(&step)) return attach->slot;
        return no_slot;
    }
};
INSTANTIATE_TEST_SUITE_P(Users, Steps, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

TEST_P(Steps, TheTreeBelongsToItsRootInsideAndStaysTheHostsOutside) {
    EXPECT_EQ(run(plan(GetParam(), "stat -c %u:%g / /bin/busybox; : > /tmp/made; stat -c %u:%g /tmp/made")),
              "0:0\n0:0\n0:0\n")
        << failure;
    struct stat st;
    ASSERT_EQ(stat((tree + "/tmp/made").c_str(), &st), 0);
    EXPECT_EQ(st.st_uid, 0u);
}

TEST_P(Steps, BindsAreIdmappedAndReadOnlyOnesStaySo) {
    std::string source = run_path + "/source";
    ASSERT_EQ(mkdir(source.c_str(), 0755), 0);
    ASSERT_EQ(system(cat("echo data > ", source, "/file; chown 0:0 ", source, "/file").c_str()), 0);
    LaunchPlan p =
        plan(GetParam(),
             "stat -c %u /mnt/file; cat /mnt/file; (: > /mnt/new) 2>/dev/null || echo denied; "
             "mount -o remount,bind,rw /mnt 2>/dev/null; (: > /mnt/new) 2>/dev/null || echo still denied");
    Slot slot = p.slots++;
    Slot userns = own() ? std::get<MakeUserns>(p.host[0]).slot : no_slot;
    p.host.push_back(OpenTree{.slot = slot,
                              .path = source,
                              .recursive = true,
                              .attr = {.set = MOUNT_ATTR_RDONLY},
                              .idmap = userns});
    p.stage.push_back(Attach{
        .slot = slot, .target = "/mnt", .create = Create::directory, .uid = root_id(), .gid = root_id()});
    std::string text = run(p);
    // Without a user namespace, root with all capabilities may remount what it likes: that is why they are
    // not its.
    EXPECT_EQ(text, own() ? "0\ndata\ndenied\nstill denied\n" : "0\ndata\ndenied\n") << failure;
}

TEST_P(Steps, MountsInsideDoNotReachTheHost) {
    // A shared mount on the host, whose clone becomes the tree.
    ASSERT_EQ(mount(tree.c_str(), tree.c_str(), nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(mount(nullptr, tree.c_str(), nullptr, MS_SHARED, nullptr), 0);
    size_t before = count_mounts(run_path);
    LaunchPlan p = plan(GetParam(), "exec sleep 1000");
    Result<Launched> launched = launch(p, environment());
    EXPECT_TRUE(launched) << launched.error().text;
    EXPECT_EQ(count_mounts(run_path), before);
    if (launched) {
        kill(launched->pid, SIGKILL);
        wait(*launched);
        remove_cgroup(*launched);
    }
    EXPECT_EQ(umount2(tree.c_str(), MNT_DETACH), 0);
}

TEST_P(Steps, MasksHideFilesAndDirectories) {
    put_file("/etc/secret", "secret\n", 0644);
    ASSERT_EQ(mkdir((tree + "/etc/keys").c_str(), 0755), 0);
    put_file("/etc/keys/one", "key\n", 0644);
    LaunchPlan p = plan(GetParam(),
                        "cat /etc/secret; ls /etc/keys; (: > /etc/secret) 2>/dev/null || echo denied; ls -l "
                        "/proc/interrupts | cut -c1-10");
    ASSERT_EQ(symlink("busybox", (tree + "/bin/cut").c_str()), 0);
    p.inside.push_back(Mask{.target = "/etc/secret"});
    p.inside.push_back(Mask{.target = "/etc/keys"});
    p.inside.push_back(Mask{.target = "/etc/not-there"});
    p.inside.push_back(Mask{.target = "/proc/interrupts"});
    std::string text = run(p);
    EXPECT_EQ(text.find("secret\n"), text.npos) << text;
    EXPECT_EQ(text.find("one"), text.npos) << text;
    EXPECT_NE(text.find("denied\n"), text.npos) << text;
    EXPECT_NE(text.find("----------"), text.npos) << text;
}

TEST_P(Steps, AMaskOnALinkIsAnError) {
    ASSERT_EQ(symlink("passwd", (tree + "/etc/link").c_str()), 0);
    LaunchPlan p = plan(GetParam(), "true");
    p.inside.push_back(Mask{.target = "/etc/link"});
    run(p);
    EXPECT_NE(failure.find("/etc/link"), failure.npos) << failure;
}

TEST_P(Steps, ApiMountsRefuseLinks) {
    // CVE-2023-27561 and its kin: a tree whose /proc is a link to elsewhere.
    ASSERT_EQ(rmdir((tree + "/proc").c_str()), 0);
    ASSERT_EQ(symlink("/tmp", (tree + "/proc").c_str()), 0);
    run(plan(GetParam(), "true"));
    EXPECT_NE(failure.find("/proc"), failure.npos) << failure;
}

TEST_P(Steps, TargetsNeverLeaveTheTree) {
    // CVE-2021-30465: a link in the tree that points out of it is walked inside.
    ASSERT_EQ(symlink(run_path.c_str(), (tree + "/out").c_str()), 0);
    LaunchPlan p = plan(GetParam(), "ls /" + run_path.substr(1) + "/inner && echo inside");
    Slot slot = p.slots++;
    p.stage.push_back(MakeFs{.slot = slot, .type = "tmpfs"});
    p.stage.push_back(Attach{.slot = slot,
                             .target = "/out/inner",
                             .create = Create::directory,
                             .uid = root_id(),
                             .gid = root_id()});
    run(p);
    EXPECT_FALSE(exists_at(AT_FDCWD, (run_path + "/inner").c_str()));
}

TEST_P(Steps, OverlayOfManyLayersWithAnUpper) {
    std::string layers = run_path + "/layers";
    ASSERT_EQ(mkdir(layers.c_str(), 0755), 0);
    LaunchPlan p = plan(GetParam(),
                        "ls /mnt | while read f; do echo -n \"$f \"; done; echo; cat /mnt/same; : > "
                        "/mnt/written; ls /mnt/written");
    MakeOverlay overlay;
    for (int i = 0; i < 70; ++i) {
        std::string layer = cat(layers, "/", i);
        ASSERT_EQ(mkdir(layer.c_str(), 0755), 0);
        ASSERT_EQ(system(cat("echo ", i, " > ", layer, "/same; : > ", layer, "/only", i).c_str()), 0);
        Slot slot = p.slots++;
        p.host.push_back(OpenTree{.slot = slot, .path = layer});
        overlay.lowers.push_back(slot);
    }
    overlay.slot = p.slots++, overlay.upper = p.slots++;
    overlay.upper_path = "upper", overlay.work_path = "work";
    std::vector<Step> steps;
    steps.push_back(MakeFs{.slot = overlay.upper, .type = "tmpfs", .options = {{"mode", "0755"}}});
    steps.push_back(MakeDir{.base = overlay.upper, .path = "upper", .mode = 0777});
    steps.push_back(MakeDir{.base = overlay.upper, .path = "work"});
    steps.push_back(overlay);
    steps.push_back(Attach{.slot = overlay.slot,
                           .target = "/mnt",
                           .create = Create::directory,
                           .uid = root_id(),
                           .gid = root_id()});
    p.stage.insert(p.stage.end(), steps.begin(), steps.end());
    std::string text = run(p);
    EXPECT_NE(text.find("only0 "), text.npos) << text << failure;
    EXPECT_NE(text.find("only69 "), text.npos) << text;
    EXPECT_NE(text.find("\n0\n"), text.npos) << text;
    EXPECT_NE(text.find("/mnt/written"), text.npos) << text;
    EXPECT_FALSE(exists_at(AT_FDCWD, (layers + "/0/written").c_str()));
}

TEST_P(Steps, TheKernelsReasonIsTold) {
    LaunchPlan p = plan(GetParam(), "true");
    Slot slot = p.slots++;
    p.inside.push_back(MakeFs{.slot = slot, .type = "tmpfs", .options = {{"no-such-option", "1"}}});
    run(p);
    EXPECT_NE(failure.find("the kernel says"), failure.npos) << failure;
    EXPECT_NE(failure.find("no-such-option"), failure.npos) << failure;
}

TEST_P(Steps, FilesLinksFifosAndNodesAreMade) {
    put_file("/etc/from", "copied\n", 0644);
    LaunchPlan p = plan(GetParam(),
                        "cat /etc/made /etc/copy; readlink /etc/link; stat -c '%F %a %u' /etc/fifo "
                        "/etc/made; [ -e /etc/gone ] || echo gone; cat /dev/null && stat -c %t:%T /dev/null");
    put_file("/etc/gone", "", 0644);
    Slot root = root_slot(p);
    uint32_t id = root_id();
    p.stage.push_back(
        MakeFile{.base = root, .path = "etc/made", .content = "made\n", .mode = 0640, .uid = id, .gid = id});
    p.stage.push_back(
        CopyFile{.from = tree + "/etc/from", .base = root, .path = "etc/copy", .uid = id, .gid = id});
    p.stage.push_back(CopyFile{.from = "/no/such/file",
                               .base = root,
                               .path = "etc/nothing",
                               .uid = id,
                               .gid = id,
                               .optional = true});
    p.stage.push_back(MakeLink{.base = root, .path = "etc/link", .target = "made", .uid = id, .gid = id});
    p.stage.push_back(MakeFifo{.base = root, .path = "etc/fifo", .mode = 0600, .uid = id, .gid = id});
    p.stage.push_back(Remove{.base = root, .path = "etc/gone"});
    p.stage.push_back(Remove{.base = root, .path = "etc/never-was"});
    EXPECT_EQ(run(p), "made\ncopied\nmade\nfifo 600 0\nregular file 640 0\ngone\n1:3\n") << failure;
}

TEST_P(Steps, NotifySocketTakesReadiness) {
    LaunchPlan p = plan(GetParam(), "ls -l /run/notify >/dev/null; stat -c %F /run/notify; exec sleep 1000");
    Slot root = root_slot(p);
    p.notify = p.slots++;
    p.stage.push_back(NotifySocket{
        .slot = p.notify, .base = root, .path = "run/notify", .uid = root_id(), .gid = root_id()});
    Result<Launched> launched = launch(p, environment());
    ASSERT_TRUE(launched) << launched.error().text;
    ASSERT_TRUE(launched->notify);
    // From outside, by the machine's root directory.
    Fd sender(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::string path = cat("/proc/", launched->pid, "/root/run/notify");
    memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(sendto(sender.get(), "READY=1", 7, 0, reinterpret_cast<sockaddr*>(&address), sizeof address), 7)
        << strerror(errno);
    char text[16];
    EXPECT_EQ(recv(launched->notify.get(), text, sizeof text, 0), 7);
    kill(launched->pid, SIGKILL);
    wait(*launched);
    remove_cgroup(*launched);
}

TEST_P(Steps, TheConsoleIsTheMachinesOwn) {
    LaunchPlan p =
        plan(GetParam(), "tty; stty size; ls -l /dev/console | cut -c1; echo > /dev/console; echo done");
    ASSERT_EQ(symlink("busybox", (tree + "/bin/cut").c_str()), 0);
    p.process.terminal = true;
    p.inside.push_back(OpenConsole{.console = true, .rows = 24, .columns = 80});
    Result<Launched> launched = launch(p, environment());
    ASSERT_TRUE(launched) << launched.error().text;
    ASSERT_TRUE(launched->console);
    EXPECT_EQ(wait(*launched).status, 0);
    // EIO: nobody has the other side open any more.
    std::string text;
    char part[512];
    for (ssize_t n; (n = read(launched->console.get(), part, sizeof part)) > 0;)
        text.append(part, static_cast<size_t>(n));
    EXPECT_EQ(text, "/dev/pts/0\r\n24 80\r\nc\r\n\r\ndone\r\n");
    remove_cgroup(*launched);
}

TEST_P(Steps, ReadOnlyPathsAndSysctls) {
    LaunchPlan p = plan(GetParam(),
                        "(echo 1 > /proc/sys/kernel/domainname) 2>/dev/null || echo read-only; cat "
                        "/proc/sys/net/ipv4/ip_default_ttl");
    p.inside.push_back(Sysctl{.path = "net/ipv4/ip_default_ttl", .value = "77"});
    p.inside.push_back(
        BindInside{.source = "/proc/sys", .attr = {.set = MOUNT_ATTR_RDONLY}, .recursive = true});
    EXPECT_EQ(run(p), "read-only\n77\n") << failure;
}

TEST_P(Steps, ASysctlGoesToProcOnly) {
    // CVE-2025-52881: what looks like /proc/sys but is the tree's own file is not written to.
    LaunchPlan p = plan(GetParam(), "true");
    Slot fake = p.slots++;
    p.inside.push_back(MakeFs{.slot = fake, .type = "tmpfs"});
    p.inside.push_back(MakeFile{.base = fake, .path = "thing", .content = ""});
    p.inside.push_back(Attach{.slot = fake, .target = "/proc/sys"});
    p.inside.push_back(Sysctl{.path = "thing", .value = "1"});
    run(p);
    EXPECT_NE(failure, "");
}

TEST_P(Steps, APivotedRootIsTheRoot) {
    ASSERT_EQ(system(cat("mkdir -p ", tree, "/new/bin ", tree, "/new/old ", tree, "/new/proc; cp ", tree,
                         "/bin/busybox ", tree, "/new/bin/sh")
                         .c_str()),
              0);
    LaunchPlan p = plan(GetParam(), "echo /*; echo /old/n*");
    std::erase_if(p.inside, [](const Step& s) { return !std::holds_alternative<EnterRoot>(s); });
    p.inside.push_back(PivotRoot{.new_root = "/new", .old = "/old"});
    EXPECT_EQ(run(p), "/bin /old /proc\n/old/new\n") << failure;
}

TEST_P(Steps, TimeNamespaceHasItsOffset) {
    LaunchPlan p = plan(GetParam(), "cat /proc/uptime");
    p.new_namespaces |= CLONE_NEWTIME;
    p.boottime_offset = 100'000LL * 1'000'000'000;
    std::string text = run(p);
    EXPECT_GT(parse_uint(text.substr(0, text.find('.'))).value_or(0), 100'000u) << text << failure;
}

}  // namespace
}  // namespace croft::run::testing
