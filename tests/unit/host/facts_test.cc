#include "host/facts.h"

#include <sys/resource.h>

#include "tree_fixture.h"

namespace croft::host {
namespace {

class Facts : public TreeTest {
  protected:
    void SetUp() override {
        TreeTest::SetUp();
        directory("usr");
        spec_.root.directory = top_;
    }
    spec::MachineSpec spec_;
};

TEST_F(Facts, Kernel) {
    auto facts = gather(spec_, {});
    ASSERT_TRUE(facts) << facts.error().text;
    EXPECT_GE(facts->kernel_major, 5);
    EXPECT_FALSE(facts->machine_arch.empty());
    EXPECT_GE(facts->last_capability, 40u);
    EXPECT_EQ(facts->boot_id.size(), 36u);
    EXPECT_EQ(facts->random_uuid.size(), 32u);
    EXPECT_NE(facts->random_uuid, gather(spec_, {})->random_uuid);
    EXPECT_EQ(facts->uid, geteuid());
}

TEST_F(Facts, PathsAndDevices) {
    file("source", "x");
    spec_.mounts.resize(2);
    spec::Mount &bind = spec_.mounts[0], &missing = spec_.mounts[1];
    bind.source = top_ + "/source", bind.target = "/mnt";
    missing.source = top_ + "/missing", missing.target = "/mnt2";
    spec_.devices.push_back({.path = "/dev/null", .target = ""});
    spec_.devices.push_back({.path = "char-pts", .target = ""});
    auto facts = gather(spec_, {});
    ASSERT_TRUE(facts) << facts.error().text;
    ASSERT_TRUE(facts->path_is_directory.contains(bind.source));
    EXPECT_FALSE(facts->path_is_directory[bind.source]);
    EXPECT_FALSE(facts->path_is_directory.contains(missing.source));
    EXPECT_EQ(facts->devices["/dev/null"].major, 1u);
    EXPECT_EQ(facts->devices["/dev/null"].minor, 3u);
    // A kernel without UNIX98 terminals has no such class; then it is empty.
    EXPECT_TRUE(facts->device_classes.contains("char-pts"));
}

TEST_F(Facts, UserOfTheTree) {
    file("etc/passwd", "app:x:77:78::/srv:/bin/false\n");
    spec_.process.user.name = "app";
    auto facts = gather(spec_, {});
    ASSERT_TRUE(facts) << facts.error().text;
    EXPECT_EQ(facts->tree.uid, 77u);
    EXPECT_EQ(facts->tree.gid, 78u);
    EXPECT_EQ(facts->tree.home, "/srv");
    spec_.process.user.name = "nobody-like-this";
    auto none = gather(spec_, {});
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().text.find("--user"), std::string::npos);
}

TEST_F(Facts, IdmapAnswerIsKept) {
    auto probe = gather(spec_, {});
    ASSERT_TRUE(probe);
    if (!probe->privileged) GTEST_SKIP() << "needs root in the initial user namespace";
    directory("cache");
    auto facts = gather(spec_, {.cache_directory = top_ + "/cache"});
    ASSERT_TRUE(facts);
    std::string listing = cat("ls '", top_, "/cache/idmap' | grep -c .");
    EXPECT_EQ(system((listing + " >/dev/null").c_str()), 0);
    EXPECT_EQ(gather(spec_, {.cache_directory = top_ + "/cache"})->tree.idmap_supported,
              facts->tree.idmap_supported);
    EXPECT_EQ(facts->tree.idmap_supported, probe->tree.idmap_supported);
}

}  // namespace
}  // namespace croft::host
