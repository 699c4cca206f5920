// What is asked for a bundle's plan, of the real kernel.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "host/facts.h"

namespace croft::host {
namespace {

class Bundle : public testing::Test {
  protected:
    void SetUp() override {
        char path[] = "/tmp/croft-bundle-XXXXXX";
        ASSERT_TRUE(mkdtemp(path));
        root = path;
        ASSERT_EQ(mkdir((root + "/etc").c_str(), 0755), 0);
        spec.root.layout = spec::Layout::bundle;
        spec.root.directory = root;
    }
    void TearDown() override { (void)!system(cat("rm -rf ", root).c_str()); }

    std::string root;
    spec::MachineSpec spec;
};

TEST_F(Bundle, HomeIsLookedUpOnlyWhereThereIsNone) {
    Fd file(open((root + "/etc/passwd").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_TRUE(write_all(file.get(), "web:x:33:33::/var/www:/bin/sh\n"));
    spec.process.user.ids = {33, 33};
    auto facts = gather(spec, {});
    ASSERT_TRUE(facts) << facts.error().text;
    EXPECT_EQ(facts->tree.home, "/var/www");
    EXPECT_EQ(facts->tree.directory, root);
    spec.process.environment.set = {{"HOME", "/elsewhere"}};
    EXPECT_EQ(gather(spec, {})->tree.home, "/");
}

TEST_F(Bundle, ATreeThatIsNotThereIsToldLater) {
    spec.root.directory = root + "/nothing";
    EXPECT_TRUE(gather(spec, {}));
}

TEST_F(Bundle, AJoinedUserNamespaceTellsItsMaps) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    int gate[2];
    ASSERT_EQ(pipe2(gate, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        close(gate[1]);
        char byte;
        bool made = unshare(CLONE_NEWUSER) == 0;
        // The parent writes the maps when it sees the namespace.
        _exit(made && read(gate[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(gate[0]);
    std::string own = cat("/proc/", child);
    auto name_of = [](const std::string& path) {
        char name[64];
        ssize_t n = readlink(path.c_str(), name, sizeof name);
        return std::string(name, n > 0 ? static_cast<size_t>(n) : 0);
    };
    while (name_of(own + "/ns/user") == name_of("/proc/self/ns/user")) usleep(1000);
    EXPECT_TRUE(write_file_at(AT_FDCWD, (own + "/uid_map").c_str(), "0 70000 10\n10 90000 5\n"));
    EXPECT_TRUE(write_file_at(AT_FDCWD, (own + "/gid_map").c_str(), "0 80000 10\n"));
    spec.users.path = own + "/ns/user";
    auto facts = gather(spec, {});
    close(gate[1]);
    waitpid(child, nullptr, 0);
    ASSERT_TRUE(facts) << facts.error().text;
    EXPECT_EQ(facts->user_uid_maps, (std::vector<spec::IdMapping>{{0, 70000, 10}, {10, 90000, 5}}));
    EXPECT_EQ(facts->user_gid_maps, (std::vector<spec::IdMapping>{{0, 80000, 10}}));
}

TEST_F(Bundle, ANamespaceThatIsNoneIsAnError) {
    for (const char* path : {"/nowhere/user", "/proc/self/ns/net", "/etc/passwd"}) {
        spec.users.path = path;
        auto facts = gather(spec, {});
        ASSERT_FALSE(facts) << path;
        EXPECT_NE(facts.error().text.find("user namespace"), std::string::npos) << facts.error().text;
    }
}

}  // namespace
}  // namespace croft::host
