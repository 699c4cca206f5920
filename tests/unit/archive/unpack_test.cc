#include "archive/unpack.h"

#include <gmock/gmock.h>

#include <thread>

#include "tar_builder.h"
#include "tree.h"

namespace croft::archive {
namespace {

using testing::HasSubstr;

TEST(Unpack, EveryKindOfFile) {
    Tree tree;
    Tar tar;
    tar.dir("./", 0751)
        .dir("usr/", 0750)
        .file("usr/a", "hello", 04755)
        .symlink("usr/l", "../../etc/passwd")
        .hardlink("b", "usr/a");
    tar.add({.name = "fifo", .kind = '6', .mode = 0620, .uid = 7, .gid = 8});
    auto result = unpack_text(tar.finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(result->entries, 6u);
    EXPECT_EQ(result->bytes, 5u);
    EXPECT_EQ(tree.look(".").st_mode, S_IFDIR | 0751u);
    EXPECT_EQ(tree.look("usr").st_mode, S_IFDIR | 0750u);
    EXPECT_EQ(tree.look("usr").st_mtime, 1'000'000'000);
    EXPECT_EQ(tree.look("usr/a").st_mode, S_IFREG | 04755u);
    EXPECT_EQ(tree.look("usr/a").st_ino, tree.look("b").st_ino);
    EXPECT_EQ(tree.content("b"), "hello");
    EXPECT_EQ(tree.target("usr/l"), "../../etc/passwd");
    EXPECT_EQ(tree.look("usr/l").st_mtime, 1'000'000'000);
    EXPECT_EQ(tree.look("fifo").st_mode, S_IFIFO | 0620u);
    EXPECT_EQ(tree.look("fifo").st_uid, 7u);
    EXPECT_EQ(tree.look("fifo").st_gid, 8u);
}

TEST(Unpack, TheLastOfANameCounts) {
    Tree tree;
    Tar tar;
    tar.file("a", "first")
        .dir("d/")
        .file("d/x", "1")
        .file("a", "second")
        .dir("a2/")
        .file("a2/x", "gone")
        .file("a2", "a file");
    tar.file("b", "a file")
        .dir("b/")
        .file("b/in", "2")
        .symlink("c", "a")
        .file("c", "no link")
        .dir("d/", 0700);
    auto result = unpack_text(tar.finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.content("a"), "second");
    EXPECT_EQ(tree.content("a2"), "a file");
    EXPECT_EQ(tree.content("b/in"), "2");
    EXPECT_TRUE(S_ISREG(tree.look("c").st_mode));
    EXPECT_EQ(tree.look("d").st_mode, S_IFDIR | 0700u);
    EXPECT_EQ(tree.content("d/x"), "1");
}

TEST(Unpack, ParentsThatNobodyTold) {
    Tree tree;
    auto result = unpack_text(Tar().file("a/b/c/d", "deep").finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.content("a/b/c/d"), "deep");
    EXPECT_EQ(tree.look("a/b").st_mode, S_IFDIR | 0755u);
}

TEST(Unpack, AbsoluteNamesAreInside) {
    Tree tree;
    ASSERT_TRUE(unpack_text(
        Tar().file("/croft-test-absolute", "x").hardlink("//b/", "/croft-test-absolute").finished(), tree));
    EXPECT_EQ(tree.content("croft-test-absolute"), "x");
    EXPECT_EQ(tree.content("b"), "x");
    EXPECT_NE(access("/croft-test-absolute", F_OK), 0);
}

TEST(Unpack, NamesWithAnyByte) {
    Tree tree;
    std::string name;
    for (int c = 1; c < 256; ++c)
        if (c != '/' && c < 100) name += static_cast<char>(c);
    ASSERT_TRUE(unpack_text(Tar().file(name, "x").file("\xff\xfe", "y").finished(), tree));
    EXPECT_EQ(tree.content(name), "x");
    EXPECT_EQ(tree.content("\xff\xfe"), "y");
}

TEST(Unpack, LongNamesInEachForm) {
    std::string part(200, 'p'), name = cat("d/", part, "/", part, "/f"), link(300, 'l');
    for (int form = 0; form < 2; ++form) {
        Tree tree;
        Tar tar;
        if (form == 0)
            tar.gnu_long('L', name)
                .file("short", "x")
                .gnu_long('K', link)
                .gnu_long('L', "link")
                .symlink("s", "s");
        else
            tar.pax({"path=" + name})
                .file("short", "x")
                .pax({"linkpath=" + link, "path=link"})
                .symlink("s", "s");
        auto result = unpack_text(tar.finished(), tree);
        ASSERT_TRUE(result) << result.error().text;
        EXPECT_EQ(tree.content(name), "x");
        EXPECT_EQ(tree.target("link"), link);
        EXPECT_FALSE(tree.has("short"));
    }
    Tree tree;
    ASSERT_TRUE(unpack_text(Tar().add({.name = "f", .prefix = "pre/fix"}).finished(), tree));
    EXPECT_TRUE(tree.has("pre/fix/f"));
}

TEST(Unpack, LongerThanAnyPathOfTheKernel) {
    Tree tree;
    std::string part(250, 'p'), name;
    for (int i = 0; i < 40; ++i) name += part + "/";
    auto result = unpack_text(Tar().pax({"path=" + name + "f"}).file("short", "x").finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.entries(), 41u);
}

TEST(Unpack, NumbersInEveryForm) {
    Tree tree;
    Tar tar;
    // Base 256 with a large id, and one negative time; a pax time with a fraction before 1970.
    tar.add({.name = "big"}).patch(108, std::string("\x80\0\0\0\x7f\xff\xff\xfe", 8));
    tar.add({.name = "early"})
        .patch(136, std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12));
    tar.pax({"mtime=-1.25", "uid=3000000000", "gid=12"}).add({.name = "pax"});
    auto result = unpack_text(tar.finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.look("big").st_uid, 0x7ffffffeu);
    EXPECT_EQ(tree.look("early").st_mtime, -1);
    EXPECT_EQ(tree.look("pax").st_mtim.tv_sec, -2);
    EXPECT_EQ(tree.look("pax").st_mtim.tv_nsec, 750'000'000);
    EXPECT_EQ(tree.look("pax").st_uid, 3'000'000'000u);
    EXPECT_EQ(tree.look("pax").st_gid, 12u);
}

TEST(Unpack, AttributesAclsAndCapabilities) {
    Tree tree;
    Tar tar;
    std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    tar.pax({"SCHILY.xattr.user.color=blue", "SCHILY.xattr.security.capability=" + capability,
             "LIBARCHIVE.xattr.user.a%20b=aGk", "SCHILY.xattr.trusted.overlay.redirect=/etc",
             "SCHILY.xattr.user.overlay.opaque=y", "SCHILY.xattr.security.selinux=x"});
    tar.file("f", "x", 0755);
    tar.pax({"SCHILY.acl.access=user::rwx,user:lp:r--:7,user:nobody:rw-,group::r-x,mask::r-x,other::---",
             "SCHILY.acl.default=user::rwx,group::r-x,other::---"});
    tar.dir("d/", 0750).file("d/g", "x");
    auto result = unpack_text(tar.finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.attribute("f", "user.color"), "blue");
    EXPECT_EQ(tree.attribute("f", "user.a b"), "hi");
    EXPECT_EQ(tree.attribute("f", "security.capability"), capability);
    EXPECT_EQ(tree.attribute("f", "trusted.overlay.redirect"), "none");
    EXPECT_EQ(tree.attribute("f", "user.overlay.opaque"), "none");
    EXPECT_EQ(result->attributes_left, 4u);  // three of them, and the entry of a user without a number
    EXPECT_EQ(tree.attribute("d", "system.posix_acl_access").size(), 4u + 5 * 8);
    EXPECT_EQ(tree.attribute("d", "system.posix_acl_default").size(), 4u + 3 * 8);
    EXPECT_EQ(tree.attribute("d/g", "system.posix_acl_access"),
              "none");  // the directory's default came later
    EXPECT_EQ(tree.look("d/g").st_mode, S_IFREG | 0644u);
}

TEST(Unpack, DevicesOnlyWhenAsked) {
    Tar tar;
    tar.device("null", 1, 3).device("disk", 8, 1, '4').device("zero", 0, 0);
    Tree without, with;
    auto result = unpack_text(tar.finished(), without);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->devices_left, 3u);
    EXPECT_EQ(without.entries(), 0u);
    result = unpack_text(tar.finished(), with, {.devices = DeviceNodes::make});
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(with.look("null").st_mode, S_IFCHR | 0666u);
    EXPECT_EQ(with.look("disk").st_rdev, 0x801u);
    EXPECT_EQ(result->devices_left, 1u);  // 0:0 would be a whiteout
}

TEST(Unpack, SparseInEveryForm) {
    std::string a(512, 'a'), b(700, 'b');
    for (int form = 0; form < 4; ++form) {
        Tree tree;
        Tar tar;
        auto pair = [](uint64_t offset, uint64_t length) {
            char text[32];
            snprintf(text, sizeof text, "%011llo%c%011llo", static_cast<unsigned long long>(offset), 0,
                     static_cast<unsigned long long>(length));
            return std::string(text, 24);
        };
        if (form == 0) {
            tar.add({.name = "s", .kind = 'S', .size = 1212, .magic = Tar::gnu_magic()});
            tar.patch(386, pair(4096, 512)).patch(410, pair(100'000, 700)).patch(483, "00000400000");
        } else if (form == 1) {
            tar.pax({"GNU.sparse.size=131072", "GNU.sparse.numblocks=2", "GNU.sparse.offset=4096",
                     "GNU.sparse.numbytes=512", "GNU.sparse.offset=100000", "GNU.sparse.numbytes=700"});
        } else if (form == 2) {
            tar.pax({"GNU.sparse.size=131072", "GNU.sparse.numblocks=2", "GNU.sparse.map=4096,512,100000,700",
                     "GNU.sparse.name=s"});
        } else {
            tar.pax({"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=s",
                     "GNU.sparse.realsize=131072"});
            tar.add({.name = "GNUSparseFile.0/s", .size = 512 + 1212}).data("2\n4096\n512\n100000\n700\n");
        }
        if (form == 1 || form == 2) tar.add({.name = form == 1 ? "s" : "GNUSparseFile.0/s", .size = 1212});
        tar.data(a + b).file("after", "here");
        auto result = unpack_text(tar.finished(), tree);
        ASSERT_TRUE(result) << form << result.error().text;
        std::string expected(131072, '\0');
        expected.replace(4096, a.size(), a).replace(100'000, b.size(), b);
        EXPECT_EQ(tree.content("s"), expected) << form;
        EXPECT_LT(tree.look("s").st_blocks, 131072 / 512) << form;
        EXPECT_EQ(tree.content("after"), "here");
    }
}

TEST(Unpack, ASparseGiantIsNoProblem) {
    Tree tree;
    uint64_t size = uint64_t{1} << 42;  // 4 TiB
    Tar tar;
    tar.pax({"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=giant",
             cat("GNU.sparse.realsize=", size)});
    tar.add({.name = "x", .size = 512 + 1}).data(cat("1\n", size - 1, "\n1\n")).data("!");
    auto result = unpack_text(tar.finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(static_cast<uint64_t>(tree.look("giant").st_size), size);
    EXPECT_LT(tree.look("giant").st_blocks, 1000);
}

TEST(Unpack, AHundredThousandInOneDirectory) {
    Tree tree;
    Tar tar;
    tar.dir("d/");
    for (int i = 0; i < 100'000; ++i) tar.add({.name = cat("d/", i)});
    auto result = unpack_text(tar.finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.entries(), 100'001u);
    EXPECT_EQ(tree.look("d").st_mtime, 1'000'000'000);
}

// Each file links to one in another directory, which another thread writes.
TEST(Unpack, HardLinksAcrossThreads) {
    Tree tree;
    Tar tar;
    for (int i = 0; i < 2000; ++i) {
        if (i < 20) tar.dir(cat(i, "/"));
        std::string name = cat(i % 20, "/", i);
        if (i == 0)
            tar.file(name, std::string(70'000, 'x'));
        else
            tar.hardlink(name, cat((i - 1) % 20, "/", i - 1));
    }
    auto result = unpack_text(tar.finished(), tree, {.threads = 4});
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.look("0/0").st_nlink, 2000u);
}

TEST(Unpack, HashesOfWhatWasGiven) {
    Tree tree;
    std::string archive = Tar().file("a", "x").finished() + std::string(9000, '\0') + "and more";
    Hasher hasher;
    hasher.update(std::as_bytes(std::span(archive)));
    std::string digest = hasher.digest();
    auto result = unpack_text(archive, tree);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->diff_id, digest);
    EXPECT_EQ(result->digest, digest);
    EXPECT_EQ(result->archive_bytes, archive.size());
}

TEST(Unpack, WithoutOwnersEverythingIsOurs) {
    Tree tree;
    ASSERT_TRUE(unpack_text(Tar().add({.name = "f", .mode = 06755, .uid = 1000, .gid = 1000}).finished(),
                            tree, {.ownership = false}));
    EXPECT_EQ(tree.look("f").st_uid, geteuid());
    EXPECT_EQ(tree.look("f").st_mode, S_IFREG | 0755u);
}

TEST(Unpack, MoreThanTheBlocksThatThereAre) {
    Tree tree;
    Tar tar;
    std::string large(40 << 20, 'l');
    for (int i = 0; i < 40; ++i) tar.dir(cat("d", i, "/")).file(cat("d", i, "/small"), "s");
    tar.file("large", large);
    for (int i = 0; i < 40; ++i) tar.file(cat("d", i, "/medium"), std::string(100'000, 'm'));
    auto result = unpack_text(tar.finished(), tree, {.threads = 4});
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.content("large"), large);
    EXPECT_EQ(tree.look("d39/medium").st_size, 100'000);
}

}  // namespace
}  // namespace croft::archive
