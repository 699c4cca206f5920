// The steps that only bundles need, as the payload sees their effect.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "machine.h"

namespace croft::run::testing {
namespace {

using namespace launch;

class BundleSteps : public Machine, public ::testing::WithParamInterface<Users> {
  protected:
    uint32_t root_id() const { return GetParam() == Users::own ? 1'000'000'000 : 0; }
    Slot idmap(const LaunchPlan& p) const {
        return GetParam() == Users::own ? std::get<MakeUserns>(p.host[0]).slot : no_slot;
    }
    Slot tmpfs(LaunchPlan& p) const {
        Slot slot = p.slots++;
        p.stage.push_back(
            MakeFs{.slot = slot, .type = "tmpfs", .options = {{"uid", cat(root_id())}, {"gid", cat(root_id())}}});
        return slot;
    }
    MakePoint point(std::string path, bool directory = true) const {
        return {.path = std::move(path), .directory = directory, .uid = root_id(), .gid = root_id()};
    }
    void shell(const std::string& script) const { ASSERT_EQ(system(cat("cd ", tree, " && ", script).c_str()), 0); }
};
INSTANTIATE_TEST_SUITE_P(Users, BundleSteps, ::testing::Values(Users::host, Users::own),
                         [](const auto& users) { return users.param == Users::host ? "host" : "own"; });

// An image's resolv.conf is often a link to what an init would make.
TEST_P(BundleSteps, PointsAreMadeWhereLinksLead) {
    shell(cat("ln -s ../run/a/conf etc/conf; ln -s /run/b etc/absolute; ln -s ../../../../../../etc/made etc/far; "
              "ln -s ", run_path, "/outside etc/out"));
    LaunchPlan p = plan(GetParam(), "cd /run; ls -l a/conf | grep -c ^-; ls -d b/c /etc/made; stat -c %u:%g a b/c");
    p.stage.push_back(point("/etc/conf", false));
    p.stage.push_back(point("/etc/absolute/c"));
    p.stage.push_back(point("etc/far"));
    p.stage.push_back(point("/etc/out/x"));
    p.stage.push_back(point("/etc/made"));  // it is there by now
    EXPECT_EQ(run(p), "1\n/etc/made\nb/c\n0:0\n0:0\n") << failure;
    EXPECT_FALSE(exists_at(AT_FDCWD, (run_path + "/outside").c_str()));
}

TEST_P(BundleSteps, PointsRefuseLoopsAndFilesOnTheWay) {
    shell("ln -s loop etc/loop; : > etc/file; ln -s elsewhere etc/link");
    for (const char* path : {"/etc/loop/x", "/etc/file/x"}) {
        LaunchPlan p = plan(GetParam(), "true");
        p.stage.push_back(point(path));
        run(p);
        EXPECT_NE(failure.find(path), failure.npos) << failure;
    }
    LaunchPlan p = plan(GetParam(), "true");
    MakePoint strict = point("/etc/link/x");
    strict.no_symlinks = true;
    p.stage.push_back(strict);
    run(p);
    EXPECT_NE(failure.find("/etc/link/x"), failure.npos) << failure;
}

TEST_P(BundleSteps, CopyUpCopiesAll) {
    shell("mkdir -p data/sub; echo one > data/file; chmod 4711 data/file; ln -s file data/link; mkfifo data/fifo; "
          "echo two > data/sub/two; chmod 700 data/sub; touch -d @1000 data/sub; chown 3:4 data/sub/two");
    LaunchPlan p = plan(GetParam(), "cd /data; cat file link sub/two; stat -c '%a %n' file fifo sub; "
                                    "stat -c %u:%g sub/two; stat -c %Y sub; echo new > file; stat -f -c %T .");
    if (GetParam() == Users::own) std::get<OpenTree>(p.host[1]).attr.set = 0;
    Slot slot = tmpfs(p);
    p.stage.push_back(CopyUp{slot, "/data"});
    p.stage.push_back(CopyUp{slot, "/not-there"});
    p.stage.push_back(Attach{.slot = slot, .target = "/data", .keep_mode = true});
    EXPECT_EQ(run(p), "one\none\ntwo\n4711 file\n644 fifo\n700 sub\n3:4\n1000\ntmpfs\n") << failure;
    shell("grep -q one data/file");
}

TEST_P(BundleSteps, CopyUpStaysInItsTree) {
    shell(cat("mkdir data; ln -s ", run_path, " data/out; ln -s .. data/up; mkdir data/in; echo x > data/in/x"));
    LaunchPlan p = plan(GetParam(), "cd /data; ls; readlink up; ls in");
    // What is mounted in the directory is not copied.
    Slot below = tmpfs(p);
    p.stage.push_back(Attach{.slot = below, .target = "/data/in"});
    p.stage.push_back(MakeFile{.base = below, .path = "y", .content = "", .uid = root_id(), .gid = root_id()});
    Slot slot = tmpfs(p);
    p.stage.push_back(CopyUp{slot, "/data"});
    p.stage.push_back(Attach{.slot = slot, .target = "/data"});
    EXPECT_EQ(run(p), "in\nout\nup\n..\n") << failure;
}

TEST_P(BundleSteps, TheModeOfWhatIsCoveredIsKept) {
    shell("mkdir data; chmod 1751 data");
    LaunchPlan p = plan(GetParam(), "stat -c %a /data /fresh");
    Slot old = tmpfs(p), fresh = tmpfs(p);
    p.stage.push_back(Attach{.slot = old, .target = "/data", .keep_mode = true});
    p.stage.push_back(Attach{.slot = fresh,
                             .target = "/fresh",
                             .create = Create::directory,
                             .uid = root_id(),
                             .gid = root_id(),
                             .keep_mode = true});
    EXPECT_EQ(run(p), "1751\n1777\n") << failure;
}

TEST_P(BundleSteps, ANodeTakesThePlaceOfAnythingElse) {
    LaunchPlan p = plan(GetParam(), "cd /n; stat -c '%F %t:%T %a' null file zero; ls -l fifo | grep -c ^p");
    Slot slot = tmpfs(p);
    auto node = [&](const char* path, uint32_t minor) {
        return MakeNode{.base = slot, .path = path, .major = 1, .minor = minor, .uid = root_id(), .gid = root_id(), .replace = true};
    };
    p.stage.push_back(node("null", 3));
    p.stage.push_back(node("null", 3));
    p.stage.push_back(MakeFile{.base = slot, .path = "file", .content = "x", .uid = root_id(), .gid = root_id()});
    p.stage.push_back(node("file", 5));
    p.stage.push_back(MakeLink{.base = slot, .path = "zero", .target = "null", .uid = root_id(), .gid = root_id()});
    p.stage.push_back(node("zero", 5));
    p.stage.push_back(MakeNode{.base = slot, .path = "fifo", .type = 'p', .mode = 0600});
    p.stage.push_back(Attach{.slot = slot, .target = "/n", .create = Create::directory, .uid = root_id(), .gid = root_id()});
    EXPECT_EQ(run(p),
              "character special file 1:3 666\ncharacter special file 1:5 666\ncharacter special file 1:5 666\n1\n")
        << failure;
    MakeNode twice = node("null", 3);
    twice.replace = false;
    p.stage.insert(p.stage.end() - 1, twice);
    run(p);
    EXPECT_NE(failure.find("null"), failure.npos) << failure;
}

TEST_P(BundleSteps, AMaskThatFollowsCoversWhatALinkLeadsTo) {
    put_file("/etc/secret", "secret\n", 0644);
    shell(cat("ln -s secret etc/link; ln -s ", run_path, " etc/out; ln -s nowhere etc/dangling"));
    LaunchPlan p = plan(GetParam(), "cat /etc/secret 2>/dev/null; readlink /etc/link");
    for (const char* path : {"/etc/link", "/etc/out", "/etc/dangling", "/etc/secret/below"})
        p.inside.push_back(Mask{.target = path, .follow = true});
    EXPECT_EQ(run(p), "secret\n") << failure;
}

// The top of a recursive clone alone is read-only, or all of it.
TEST_P(BundleSteps, AttributesOfTheTopAndOfAll) {
    std::string source = run_path + "/source";
    ASSERT_EQ(system(cat("mkdir -p ", source, "/below && mount -t tmpfs none ", source, "/below && chmod 777 ", source,
                         " ", source, "/below").c_str()),
              0);
    const std::string script = "for d in /m /m/below; do (: > $d/x) 2>/dev/null && echo rw || echo ro; done";
    for (bool all : {false, true}) {
        LaunchPlan p = plan(GetParam(), script);
        OpenTree clone{.slot = p.slots++, .path = source, .recursive = true};
        (all ? clone.attr.set : clone.top_set) = MOUNT_ATTR_RDONLY;
        p.host.push_back(clone);
        p.stage.push_back(Attach{.slot = clone.slot, .target = "/m", .create = Create::like_source, .uid = root_id(), .gid = root_id()});
        EXPECT_EQ(run(p), all ? "ro\nro\n" : "ro\nrw\n") << failure;
    }
    EXPECT_EQ(umount2((source + "/below").c_str(), MNT_DETACH), 0);
}

// Attached by the payload's process, in its own user namespace: it comes over a file system that only that can mount.
TEST_P(BundleSteps, AMountOfTheHostCanBeAttachedInside) {
    std::string source = run_path + "/meminfo";
    ASSERT_EQ(system(cat("echo faked > ", source).c_str()), 0);
    LaunchPlan p = plan(GetParam(), "cat /proc/meminfo");
    Slot slot = p.slots++;
    p.host.push_back(OpenTree{.slot = slot, .path = source});
    p.inside.push_back(Attach{.slot = slot, .target = "/proc/meminfo"});
    EXPECT_EQ(run(p), "faked\n") << failure;
}

TEST_P(BundleSteps, ASlotsMountIsChangedWhereverItIs) {
    LaunchPlan p = plan(GetParam(), "(: > /m/x) 2>/dev/null || echo ro; ls /m");
    Slot slot = tmpfs(p);
    p.stage.push_back(Attach{.slot = slot, .target = "/m", .create = Create::directory, .uid = root_id(), .gid = root_id()});
    p.stage.push_back(MakeDir{.base = slot, .path = "later", .uid = root_id(), .gid = root_id()});
    p.stage.push_back(SetAttr{.target = "/m", .attr = {.set = MOUNT_ATTR_RDONLY}, .slot = slot});
    EXPECT_EQ(run(p), "ro\nlater\n") << failure;
}

// A user namespace may not mount the sysfs of a network that is not its own; the host's stands in.
TEST_P(BundleSteps, WhatCannotBeMountedHasAStandIn) {
    LaunchPlan p = plan(GetParam(), "ls -d /sys/class/net/lo");
    p.new_namespaces &= ~static_cast<uint64_t>(CLONE_NEWNET);
    std::erase_if(p.inside, [](const Step& s) {
        auto* fs = std::get_if<MakeFs>(&s);
        auto* attach = std::get_if<Attach>(&s);
        return std::holds_alternative<LoopbackUp>(s) || (fs && fs->type == "sysfs") || (attach && attach->target == "/sys");
    });
    Slot host = p.slots++, slot = p.slots++;
    p.host.push_back(OpenTree{.slot = host, .path = "/sys", .attr = {.set = MOUNT_ATTR_RDONLY}});
    p.inside.push_back(MakeFs{.slot = slot, .type = "sysfs", .attr = MOUNT_ATTR_RDONLY, .instead = host});
    p.inside.push_back(Attach{.slot = slot, .target = "/sys"});
    EXPECT_EQ(run(p), "/sys/class/net/lo\n") << failure;
}

}  // namespace
}  // namespace croft::run::testing
