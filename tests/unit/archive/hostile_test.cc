// Archives that somebody made to do harm, or that are broken: each is refused with the entry's name, or
// confined.
#include <gmock/gmock.h>

#include "archive/unpack.h"
#include "tar_builder.h"
#include "tree.h"

namespace croft::archive {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& archive, UnpackOptions options = {}) {
    Tree outside, tree;
    auto result = unpack_text(archive, tree, options);
    EXPECT_EQ(outside.entries(), 0u);
    return result ? "accepted" : result.error().text;
}

TEST(Hostile, NamesThatLeadOut) {
    for (const char* name : {"../x", "a/../../x", "..", "/../x", "a/..", "./.."})
        EXPECT_THAT(refusal(Tar().file(name, "x").finished()), HasSubstr("has a '..'")) << name;
    EXPECT_THAT(refusal(Tar().hardlink("x", "../../etc/passwd").finished()), HasSubstr("'..'"));
    EXPECT_THAT(refusal(Tar().pax({"path=../x"}).file("x", "x").finished()), HasSubstr("'..'"));
    EXPECT_THAT(refusal(Tar().gnu_long('L', "a/../../x").file("x", "x").finished()), HasSubstr("'..'"));
    EXPECT_THAT(refusal(Tar()
                            .pax({"GNU.sparse.major=1", "GNU.sparse.name=../x"})
                            .add({.name = "x", .size = 512})
                            .data("0\n")
                            .finished()),
                HasSubstr("'..'"));
}

TEST(Hostile, NothingIsWrittenThroughSymbolicLinks) {
    Tree outside;
    for (const std::string& target : {outside.at(""), std::string("/"), std::string("../../..")}) {
        EXPECT_THAT(refusal(Tar().symlink("l", target).file("l/x", "x").finished()),
                    HasSubstr("goes through 'l', which is a symbolic link"));
        EXPECT_THAT(refusal(Tar().dir("d/").symlink("d/l", target).dir("d/l/x/").finished()),
                    HasSubstr("which is a symbolic link"));
        EXPECT_THAT(refusal(Tar().symlink("l", target).hardlink("h", "l/passwd").finished()),
                    HasSubstr("hard link"));
        EXPECT_THAT(refusal(Tar().symlink("l", target).symlink("l/x", "y").finished()),
                    HasSubstr("which is a symbolic link"));
    }
    EXPECT_EQ(outside.entries(), 0u);
    EXPECT_THAT(refusal(Tar().file("f", "x").file("f/x", "x").finished()),
                HasSubstr("which is no directory"));
}

// A link's own place is replaced, never what it points to.
TEST(Hostile, SymbolicLinksAreReplaced) {
    Tree outside, tree;
    std::ofstream(outside.at("victim")) << "untouched";
    Tar tar;
    tar.symlink("l", outside.at("victim"))
        .file("l", "x")
        .symlink("d", outside.at(""))
        .dir("d/", 0700)
        .file("d/x", "x");
    tar.symlink("m", outside.at("victim")).add({.name = "m", .kind = '6', .mode = 0666});
    auto result = unpack_text(tar.finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(outside.content("victim"), "untouched");
    EXPECT_EQ(outside.entries(), 1u);
    EXPECT_EQ(tree.content("l"), "x");
    EXPECT_EQ(tree.content("d/x"), "x");
}

TEST(Hostile, HardLinks) {
    EXPECT_THAT(refusal(Tar().hardlink("x", "/etc/passwd").finished()),
                HasSubstr("hard link to 'etc/passwd'"));
    EXPECT_THAT(refusal(Tar().hardlink("x", "later").file("later", "x").finished()),
                HasSubstr("not before it"));
    EXPECT_THAT(refusal(Tar().dir("d/").hardlink("x", "d").finished()), HasSubstr("which is a directory"));
    EXPECT_THAT(refusal(Tar().hardlink("x", "").finished()), HasSubstr("link to nothing"));
    EXPECT_THAT(refusal(Tar().hardlink("x", "/").finished()), HasSubstr("tree itself"));
    EXPECT_THAT(refusal(Tar().hardlink("x", "x").finished()), HasSubstr("accepted"));  // says nothing
}

// A hard link to a symbolic link is one more name for the link.
TEST(Hostile, HardLinkToASymbolicLink) {
    Tree tree;
    ASSERT_TRUE(
        unpack_text(Tar().symlink("l", "/etc/passwd").hardlink("h", "l").file("h", "x").finished(), tree));
    EXPECT_EQ(tree.content("h"), "x");
    EXPECT_EQ(tree.target("l"), "/etc/passwd");
}

TEST(Hostile, Limits) {
    std::string path;
    for (int i = 0; i < 40; ++i) path += "d/";
    EXPECT_THAT(refusal(Tar().file(path + "x", "x").finished(), {.limits = {.depth = 40}}),
                HasSubstr("more than 40 directories"));
    EXPECT_THAT(refusal(Tar().file("a", "").file("b", "").finished(), {.limits = {.entries = 1}}),
                HasSubstr("more than 1 entries"));
    EXPECT_THAT(refusal(Tar().pax({"path=" + std::string(300, 'x')}).file("a", "").finished()),
                HasSubstr("more than 255 bytes"));
    EXPECT_THAT(refusal(Tar().pax({"path=" + std::string(5000, '/')}).file("a", "").finished(),
                        {.limits = {.name_length = 4999}}),
                HasSubstr("more than 4999 bytes"));
    EXPECT_THAT(refusal(Tar().file("a", std::string(70'000, 'x')).finished(), {.limits = {.bytes = 65536}}),
                HasSubstr("the limit"));
}

TEST(Hostile, BombsAreBounded) {
    std::string bomb;
    auto zstd = compress(write_text(bomb), Compression::zstd);
    ASSERT_TRUE(zstd);
    std::string head = Tar().add({.name = "zeros", .size = 077777777777}).unfinished(), zeros(1 << 20, '\0');
    ASSERT_TRUE((*zstd)->write(std::as_bytes(std::span(head))));
    for (int i = 0; i < 200; ++i) ASSERT_TRUE((*zstd)->write(std::as_bytes(std::span(zeros))));
    ASSERT_TRUE((*zstd)->finish());
    EXPECT_THAT(refusal(bomb, {.compression = Compression::zstd, .limits = {.ratio = 1000}}),
                HasSubstr("made to fill disks"));
    EXPECT_THAT(refusal(bomb, {.compression = Compression::zstd, .limits = {.bytes = 10 << 20}}),
                HasSubstr("the limit"));
}

TEST(Hostile, SparseMapsThatLie) {
    auto sparse = [](std::string map, uint64_t size) {
        return refusal(Tar()
                           .pax({cat("GNU.sparse.size=", size), "GNU.sparse.map=" + map})
                           .add({.name = "s", .size = 10})
                           .data("0123456789")
                           .finished());
    };
    EXPECT_THAT(sparse("0,10", 10), HasSubstr("accepted"));
    EXPECT_THAT(sparse("0,11", 20), HasSubstr("sparse map"));
    EXPECT_THAT(sparse("0,5,4,5", 20), HasSubstr("overlaps"));
    EXPECT_THAT(sparse("15,10", 20), HasSubstr("behind the file"));
    EXPECT_THAT(sparse("9223372036854775807,10", 20), HasSubstr("sparse map"));
    EXPECT_THAT(sparse("-1,10", 20), HasSubstr("no value"));
    EXPECT_THAT(sparse("x", 20), HasSubstr("no value"));
    EXPECT_THAT(refusal(Tar()
                            .pax({"GNU.sparse.major=1", "GNU.sparse.name=s"})
                            .add({.name = "s", .size = 512})
                            .data("99999999\n")
                            .finished()),
                HasSubstr("more than a million"));
    EXPECT_THAT(refusal(Tar()
                            .pax({"GNU.sparse.major=1", "GNU.sparse.name=s"})
                            .add({.name = "s", .size = 512})
                            .data(std::string(512, '1'))
                            .finished()),
                HasSubstr("no end"));
}

TEST(Hostile, DamagedArchives) {
    std::string good = Tar().file("a", std::string(2000, 'x')).file("b", "y").unfinished();
    EXPECT_THAT(refusal(""), HasSubstr("no tar archive"));
    EXPECT_THAT(refusal("<html><body>404</body></html>"), HasSubstr("cut off"));
    EXPECT_THAT(refusal(std::string(600, 'x')), HasSubstr("no tar archive"));
    EXPECT_THAT(refusal(good.substr(0, 700)), HasSubstr("cut off"));
    EXPECT_THAT(refusal(good + std::string(512, 'x')), HasSubstr("damaged at byte"));
    EXPECT_THAT(refusal(Tar().pax({"path=x"}).finished()), HasSubstr("ends behind an extended header"));
    EXPECT_THAT(refusal(Tar().add({.name = "x", .kind = 'x', .size = 10}).data("99 path=x\n").finished()),
                HasSubstr("record's length"));
    EXPECT_THAT(refusal(Tar().add({.name = "x", .kind = 'x', .size = 10}).data("10 path_x\n").finished()),
                HasSubstr("no keyword"));
    EXPECT_THAT(refusal(Tar().add({.name = "x", .kind = 'x', .size = 077777777777}).finished()),
                HasSubstr("the limit"));
    EXPECT_THAT(refusal(Tar().pax({"size=x"}).file("a", "").finished()), HasSubstr("pax record size"));
    EXPECT_THAT(refusal(Tar().pax({std::string("path=a\0b", 8)}).file("a", "").finished()),
                HasSubstr("pax record path"));
    EXPECT_THAT(refusal(Tar().add({.name = "x", .kind = 'M'}).finished()), HasSubstr("several volumes"));
    EXPECT_THAT(refusal(Tar().add({.name = "x"}).patch(108, "zzzzzzz").finished()),
                HasSubstr("user id is no number"));
    EXPECT_THAT(refusal(Tar()
                            .add({.name = "x"})
                            .patch(124, std::string("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12))
                            .finished()),
                HasSubstr("too large"));
    EXPECT_THAT(refusal(Tar()
                            .add({.name = "x"})
                            .patch(124, std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12))
                            .finished()),
                HasSubstr("its size is -1"));
    EXPECT_THAT(refusal(Tar().file(".", "x").finished()), HasSubstr("the tree itself"));
    EXPECT_THAT(refusal(Tar().symlink("s", "").finished()), HasSubstr("link to nothing"));
}

TEST(Hostile, KindsThatNobodyKnows) {
    Tree tree;
    Tar tar;
    tar.add({.name = "label", .kind = 'V'})
        .add({.name = "mine", .kind = 'Z', .size = 3})
        .data("abc")
        .add({.name = "f", .kind = '8', .size = 1})
        .data("x");
    auto result = unpack_text(tar.finished(), tree);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(result->others_left, 2u);
    EXPECT_EQ(tree.content("f"), "x");
    EXPECT_EQ(tree.entries(), 1u);
}

TEST(Whiteouts, AsOverlayfsHasThem) {
    Tree tree;
    Tar tar;
    tar.dir("d/")
        .file("d/.wh.gone", "")
        .file("d/.wh..wh..opq", "odd content")
        .dir(".wh.asdir/")
        .symlink(".wh.aslink", "x");
    tar.file("kept", "x").file(".wh.kept", "");  // both of one layer: the file is there
    tar.file(".wh.later", "").file("later", "y");
    tar.file(".wh.dir1", "").dir("dir1/").dir("dir2/").file(".wh.dir2", "");  // hide what is below
    tar.dir(".wh..wh.plnk/")
        .file(".wh..wh.plnk/1.2", "aufs")
        .file(".wh..wh.aufs", "")
        .file("d/.wh..wh.orph", "");
    auto result = unpack_text(tar.finished(), tree, {.whiteouts = Whiteouts::overlay});
    ASSERT_TRUE(result) << result.error().text;
    for (const char* name : {"d/gone", "asdir", "aslink"}) {
        EXPECT_TRUE(S_ISCHR(tree.look(name).st_mode)) << name;
        EXPECT_EQ(tree.look(name).st_rdev, 0u) << name;
    }
    for (const char* name : {"d", "dir1", "dir2"})
        EXPECT_EQ(tree.attribute(name, "trusted.overlay.opaque"), "y") << name;
    EXPECT_EQ(tree.content("kept"), "x");
    EXPECT_EQ(tree.content("later"), "y");
    EXPECT_EQ(tree.entries(), 8u);
    EXPECT_EQ(result->others_left, 4u);
    EXPECT_FALSE(result->opaque_top);
}

TEST(Whiteouts, InUserNamespaces) {
    Tree tree;
    auto result = unpack_text(Tar().dir("d/").file("d/.wh..wh..opq", "").file(".wh..wh..opq", "").finished(),
                              tree, {.whiteouts = Whiteouts::overlay_user});
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.attribute("d", "user.overlay.opaque"), "y");
    EXPECT_TRUE(result->opaque_top);
}

TEST(Whiteouts, OddFormsAreRefused) {
    UnpackOptions options{.whiteouts = Whiteouts::overlay};
    for (const char* name : {".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..."})
        EXPECT_THAT(refusal(Tar().file(name, "").finished(), options), HasSubstr("whiteout of nothing"))
            << name;
    EXPECT_THAT(refusal(Tar().file(".wh.d/x", "").finished(), options), HasSubstr("goes through '.wh.d'"));
    // In an ordinary archive they are names.
    EXPECT_THAT(refusal(Tar().file(".wh.", "").file(".wh.d/x", "").finished()), HasSubstr("accepted"));
}

TEST(Whiteouts, AppliedToATree) {
    Tree tree;
    UnpackOptions options{.whiteouts = Whiteouts::apply};
    Tar lower, upper;
    lower.dir("d/")
        .file("d/a", "1")
        .file("d/b", "1")
        .dir("d/sub/")
        .file("d/sub/c", "1")
        .dir("o/")
        .file("o/old", "1")
        .dir("gone/")
        .file("gone/x", "1");
    lower.symlink("lib", "usr")
        .dir("mix/")
        .file("mix/old", "1")
        .dir("file/")
        .file("file/x", "1")
        .file("dir", "1");
    ASSERT_TRUE(unpack_text(lower.finished(), tree, options));
    upper.file("d/.wh.a", "")
        .file("d/.wh.sub", "")
        .file("o/new", "2")
        .file("o/.wh..wh..opq", "")
        .file(".wh.gone", "")
        .file("lib/x", "2");
    upper.file("mix/new", "2").file(".wh.mix", "").file("file", "2").file("dir/x", "2").file(".wh.never", "");
    auto result = unpack_text(upper.finished(), tree, options);
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_FALSE(tree.has("d/a"));
    EXPECT_EQ(tree.content("d/b"), "1");
    EXPECT_FALSE(tree.has("d/sub"));
    EXPECT_FALSE(tree.has("o/old"));
    EXPECT_EQ(tree.content("o/new"), "2");
    EXPECT_FALSE(tree.has("gone"));
    EXPECT_EQ(tree.content("lib/x"), "2");
    EXPECT_TRUE(S_ISDIR(tree.look("lib").st_mode));
    EXPECT_FALSE(tree.has("mix/old"));
    EXPECT_EQ(tree.content("mix/new"), "2");
    EXPECT_EQ(tree.content("file"), "2");
    EXPECT_EQ(tree.content("dir/x"), "2");
}

}  // namespace
}  // namespace croft::archive
