#include "host/user.h"

#include "tree_fixture.h"

namespace croft::host {
namespace {

constexpr std::string_view passwd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
    "alice:x:1000:1000:Alice:/home/alice:/bin/zsh\n"
    "2000:x:1001:1001:a name of digits:/home/digits:/bin/sh\n";
constexpr std::string_view group =
    "root:x:0:\n"
    "wheel:x:10:root,alice\n"
    "alice:x:1000:alice\n"
    "video:x:44:bob,alice\n"
    "alicex:x:45:xalice,alicey\n";

TEST(User, NamesAndNumbers) {
    auto alice = resolve_user_in(passwd, group, "alice");
    ASSERT_TRUE(alice);
    EXPECT_EQ(alice->uid, 1000u);
    EXPECT_EQ(alice->gid, 1000u);
    EXPECT_EQ(alice->home, "/home/alice");
    EXPECT_EQ(alice->shell, "/bin/zsh");
    EXPECT_EQ(alice->groups, (std::vector<uint32_t>{10, 44}));
    auto number = resolve_user_in(passwd, group, "1000");
    ASSERT_TRUE(number);
    EXPECT_EQ(number->name, "alice");
    auto unknown = resolve_user_in(passwd, group, "4711:815");
    ASSERT_TRUE(unknown);
    EXPECT_EQ(unknown->uid, 4711u);
    EXPECT_EQ(unknown->gid, 815u);
    EXPECT_TRUE(unknown->groups.empty());
    auto with_group = resolve_user_in(passwd, group, "alice:wheel");
    ASSERT_TRUE(with_group);
    EXPECT_EQ(with_group->gid, 10u);
    EXPECT_TRUE(with_group->groups.empty());
    // All digits are a number, whatever the names are.
    EXPECT_EQ(resolve_user_in(passwd, group, "2000")->uid, 2000u);
}

TEST(User, RootNeedsNoFile) {
    auto root = resolve_user_in("", "", "");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->uid, 0u);
    EXPECT_EQ(root->home, "/root");
}

TEST(User, Refusals) {
    for (const char* wrong : {"bob", "alice:nogroup", ":wheel", "alice:", "4294967295x"}) {
        auto user = resolve_user_in(passwd, group, wrong);
        ASSERT_FALSE(user) << wrong;
        EXPECT_NE(user.error().text.find('\''), std::string::npos) << user.error().text;
    }
    // -1 means "unchanged" to setresuid: it must never come out as an id.
    EXPECT_FALSE(resolve_user_in(passwd, group, "4294967295"));
    EXPECT_FALSE(resolve_user_in("eve:x:4294967295:0::/:/bin/sh\n", "", "eve"));
    EXPECT_FALSE(resolve_user_in("eve:x:-1:0::/:/bin/sh\n", "", "eve"));
    EXPECT_FALSE(resolve_user_in("eve:x:0x0:0::/:/bin/sh\n", "", "eve"));
}

TEST(User, HostileText) {
    // Binary is no text, also where a matching line is in it.
    std::string binary("\0\1\2\nalice:x:0:0::/:/bin/sh\n", 27);
    EXPECT_FALSE(resolve_user_in(binary, "", "alice"));
    EXPECT_FALSE(resolve_user_in(":::::::\n\n:x:0:0::/:\n", "", "alice"));
    // Relative homes and shells would be looked up from a directory of the guest's choice.
    auto odd = resolve_user_in("alice:x:5:5::home:sh", "", "alice");
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->home, "/");
    EXPECT_EQ(odd->shell, "");
    std::string many = "g:x:1:";
    for (int i = 0; i < 5000; ++i) many += cat("\ng", i, ":x:", i + 10, ":alice");
    EXPECT_LE(resolve_user_in("alice:x:5:5::/:/bin/sh\n", many, "alice")->groups.size(), 1024u);
}

class UserInTree : public TreeTest {};

TEST_F(UserInTree, ReadsTheTreesOwnFiles) {
    file("etc/passwd", passwd);
    file("etc/group", group);
    auto alice = resolve_user(root_.get(), "alice");
    ASSERT_TRUE(alice);
    EXPECT_EQ(alice->uid, 1000u);
}

TEST_F(UserInTree, LinksStayInTheTree) {
    // The link's target names a host file; inside the tree that is another file, which is not there.
    char outside[] = "/tmp/croft-outside-XXXXXX";
    Fd fd(mkstemp(outside));
    ASSERT_TRUE(write_all(fd.get(), "mallory:x:0:0::/:/bin/sh\n"));
    link("etc/passwd", outside);
    EXPECT_FALSE(resolve_user(root_.get(), "mallory"));
    unlink((top_ + "/etc/passwd").c_str());
    link("etc/passwd", ("../../../../../../../.." + std::string(outside)).c_str());
    EXPECT_FALSE(resolve_user(root_.get(), "mallory"));
    unlink((top_ + "/etc/passwd").c_str());
    link("etc/passwd", "/proc/self/fd/0");
    EXPECT_FALSE(resolve_user(root_.get(), "mallory"));
    unlink(outside);
    // A link within the tree is fine.
    unlink((top_ + "/etc/passwd").c_str());
    file("usr/etc/passwd", passwd);
    link("etc/passwd", "/usr/etc/passwd");
    EXPECT_TRUE(resolve_user(root_.get(), "alice"));
}

TEST_F(UserInTree, OddFilesDoNotHang) {
    directory("etc");
    ASSERT_EQ(mkfifo((top_ + "/etc/passwd").c_str(), 0644), 0);
    EXPECT_FALSE(resolve_user(root_.get(), "alice"));
    EXPECT_EQ(resolve_user(root_.get(), "5")->uid, 5u);
    unlink((top_ + "/etc/passwd").c_str());
    directory("etc/passwd");
    EXPECT_FALSE(resolve_user(root_.get(), "alice"));
    // A sparse file of a terabyte is refused by its size while reading, not read.
    rmdir((top_ + "/etc/passwd").c_str());
    file("etc/passwd", passwd);
    ASSERT_EQ(truncate((top_ + "/etc/passwd").c_str(), 1ll << 40), 0);
    EXPECT_FALSE(resolve_user(root_.get(), "alice"));
}

}  // namespace
}  // namespace croft::host
