// Packing, and giving back the archive that a tree came from.
#include "archive/pack.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "archive/acl.h"
#include "archive/recipe.h"
#include "tar_builder.h"
#include "tree.h"

namespace croft::archive {
namespace {

using testing::HasSubstr;

std::string packed(const Tree& tree, const PackOptions& options = {}) {
    std::string out;
    auto sink = write_text(out);
    auto result = pack(tree.fd(), *sink, options);
    if (!result) return "error: " + result.error().text;
    EXPECT_EQ(result->archive_bytes, out.size());
    return out;
}

// Everything that a tree can hold, by an archive.
std::string rich_archive() {
    std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20),
        deep = cat(std::string(120, 'd'), "/", std::string(120, 'e'));
    Tar tar;
    tar.dir("./", 0711)
        .dir("d/", 01777)
        .file("d/b", std::string(1000, 'b'), 04755)
        .file("d/a", "")
        .symlink("d/l", std::string(150, 't'));
    tar.hardlink("h", "d/b")
        .device("null", 1, 3)
        .device("disk", 8, 1, '4')
        .add({.name = "fifo", .kind = '6', .uid = 10, .gid = 20});
    tar.pax({"path=" + deep + "/", "mtime=1.5"})
        .dir("x")
        .pax({"path=" + deep + "/f", "mtime=-1.25", "uid=3000000000"})
        .file("x", "deep");
    tar.pax({"SCHILY.xattr.user.color=blue", "SCHILY.xattr.security.capability=" + capability})
        .file("attributes", "x");
    tar.pax({"SCHILY.acl.access=user::rwx,user:7:r--,group::r-x,mask::r-x,other::---"})
        .file("acl", "x", 0750);
    tar.pax({"SCHILY.acl.default=user::rwx,group::r-x,other::---"}).dir("default/", 0750);
    tar.pax({"path=\xff\xc3\xa4 odd\nname"}).file("x", "odd");
    tar.pax({"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=sparse",
             "GNU.sparse.realsize=9000000"});
    tar.add({.name = "x", .size = 512 + 4096}).data("1\n4194304\n4096\n").data(std::string(4096, 's'));
    return tar.finished();
}

TEST(Pack, WhatIsPackedUnpacksToTheSame) {
    Tree first, second;
    UnpackOptions options{.devices = DeviceNodes::make};
    auto unpacked = unpack_text(rich_archive(), first, options);
    ASSERT_TRUE(unpacked) << unpacked.error().text;
    std::string archive = packed(first);
    unpacked = unpack_text(archive, second, options);
    ASSERT_TRUE(unpacked) << unpacked.error().text;
    EXPECT_TRUE(packed(second) == archive);  // reproducible, and nothing is lost
    EXPECT_EQ(second.content("sparse"), first.content("sparse"));
    EXPECT_LT(second.look("sparse").st_blocks, 1000);
    EXPECT_LT(archive.size(), 100'000u);
    EXPECT_EQ(second.look("h").st_ino, second.look("d/b").st_ino);
    EXPECT_EQ(second.attribute("attributes", "user.color"), "blue");
    EXPECT_EQ(second.attribute("attributes", "security.capability"),
              first.attribute("attributes", "security.capability"));
    EXPECT_EQ(second.attribute("acl", "system.posix_acl_access"),
              first.attribute("acl", "system.posix_acl_access"));
    EXPECT_EQ(second.attribute("default", "system.posix_acl_default").size(), 4u + 3 * 8);
    EXPECT_EQ(second.look("d").st_mode, S_IFDIR | 01777u);
    EXPECT_EQ(second.look("disk").st_rdev, makedev(8, 1));
    std::string deep = cat(std::string(120, 'd'), "/", std::string(120, 'e'), "/f");
    EXPECT_EQ(second.look(deep).st_mtim.tv_nsec, 750'000'000);
    EXPECT_EQ(second.look(deep).st_uid, 3'000'000'000u);
    EXPECT_EQ(second.content("\xff\xc3\xa4 odd\nname"), "odd");
}

TEST(Pack, AnUpperLayerBecomesALayer) {
    Tree upper, again;
    Tar tar;
    tar.dir("./").dir("d/").file("d/.wh..wh..opq", "").file("d/new", "x").file(".wh.gone", "").dir("plain/");
    UnpackOptions options{.whiteouts = Whiteouts::overlay};
    ASSERT_TRUE(unpack_text(tar.finished(), upper, options));
    std::string layer = packed(upper, {.marks = UpperMarks::whiteouts});
    EXPECT_THAT(layer, HasSubstr("d/.wh..wh..opq"));
    EXPECT_THAT(layer, HasSubstr(".wh.gone"));
    ASSERT_TRUE(unpack_text(layer, again, options));
    EXPECT_EQ(again.attribute("d", "trusted.overlay.opaque"), "y");
    EXPECT_TRUE(S_ISCHR(again.look("gone").st_mode));
    EXPECT_TRUE(packed(again, {.marks = UpperMarks::whiteouts}) == layer);
    ASSERT_EQ(setxattr(upper.at("plain").c_str(), "trusted.overlay.redirect", "/x", 2, 0), 0);
    EXPECT_THAT(packed(upper, {.marks = UpperMarks::whiteouts}), HasSubstr("'plain': overlayfs moved this directory here (redirect_dir)"));
}

TEST(Pack, Options) {
    Tree tree;
    Tar tar;
    tar.dir("proc/")
        .file("proc/x", "x")
        .add({.name = "f", .uid = 100'007, .gid = 100'008, .mtime = 2'000'000'000});
    ASSERT_TRUE(unpack_text(tar.finished(), tree));
    Tree again;
    PackOptions options{.latest_time = 1'500'000'000,
                        .uids = {{7, 100'007, 1}, {0, 0, 1}},
                        .gids = {{0, 0, 1}, {8, 100'008, 1}},
                        .leave_out = {"proc/x"}};
    ASSERT_TRUE(unpack_text(packed(tree, options), again));
    EXPECT_EQ(again.look("f").st_uid, 7u);
    EXPECT_EQ(again.look("f").st_gid, 8u);
    EXPECT_EQ(again.look("f").st_mtime, 1'500'000'000);
    EXPECT_EQ(again.look("proc").st_mtime, 1'000'000'000);
    EXPECT_FALSE(again.has("proc/x"));
    options.uids = {{0, 0, 1}};
    EXPECT_THAT(packed(tree, options), HasSubstr("packing: 'f': it belongs to user 100007, which is outside"));
    ASSERT_EQ(chown(tree.at("proc").c_str(), 100'009, 0), 0);
    options.uids.push_back({7, 100'007, 1});
    EXPECT_THAT(packed(tree, options), HasSubstr("packing: 'proc': it belongs to user 100009, which is outside"));
    int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {AF_UNIX, {}};
    strncpy(address.sun_path, tree.at("socket").c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    close(socket);
    std::string out;
    auto result = pack(tree.fd(), *write_text(out), {});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->sockets_left, 1u);
}

TEST(Acl, TextThereAndBack) {
    uint64_t left = 0;
    std::string text = "user::rwx,user:7:r--:7,group::r-x,group:9:-w-:9,mask::rwx,other::--x";
    auto attribute = acl_from_text(text, left);
    ASSERT_TRUE(attribute);
    EXPECT_EQ(acl_to_text(*attribute).value(), text);
    EXPECT_EQ(
        acl_from_text("user::rwx\nuser:7:r--\ngroup::r-x\nmask::r-x\nother::---\n", left).value().size(),
        4u + 5 * 8);
    EXPECT_EQ(acl_from_text("u::rwx,g::r-x,o::r--,other:r--", left).value().size(), 4u + 4 * 8);
    EXPECT_EQ(left, 0u);
    EXPECT_TRUE(acl_from_text("user:somebody:rwx", left).value().empty());
    EXPECT_EQ(left, 1u);
    for (const char* wrong : {"user", "user:7", "user:7:abc", "mask:7:rwx", "nobody::rwx"})
        EXPECT_FALSE(acl_from_text(wrong, left)) << wrong;
    for (size_t size : {0, 3, 5}) EXPECT_FALSE(acl_to_text(std::string(size, '\2')));
}

// Unpacks with a recipe and cooks it again.
std::string there_and_back(const std::string& archive, UnpackOptions options = {}) {
    Tree tree, other;
    Fd recipe(open(other.at("recipe").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    options.recipe = recipe.get();
    auto unpacked = unpack_text(archive, tree, options);
    if (!unpacked) return "error: " + unpacked.error().text;
    std::string out;
    auto cooked = cook(recipe.get(), tree.fd(), *write_text(out));
    return cooked ? out : "error: " + cooked.error().text;
}

TEST(Recipe, GivesTheSameBytes) {
    EXPECT_TRUE(there_and_back(rich_archive()) == rich_archive());
    std::string odd = Tar().file("a", std::string(600'000, 'a')).unfinished() + std::string(512, '\0') +
                      "anything behind the end";
    EXPECT_TRUE(there_and_back(odd) == odd);
    std::string devices = Tar()
                              .device("d", 1, 3)
                              .add({.name = "label", .kind = 'V'})
                              .add({.name = "z", .kind = 'Z', .size = 3})
                              .data("abc")
                              .finished();
    EXPECT_TRUE(there_and_back(devices) == devices);
    std::string layer = Tar()
                            .file(".wh.x", "content of a whiteout")
                            .dir("d/")
                            .file("d/.wh..wh..opq", "")
                            .file("d/f", "f")
                            .finished();
    EXPECT_TRUE(there_and_back(layer, {.whiteouts = Whiteouts::overlay}) == layer);
}

TEST(Recipe, ContentThatWasReplacedIsInIt) {
    std::string large(700'000, 'l');
    for (int i = 0; i < 1000; ++i) large[static_cast<size_t>(i) * 700] = static_cast<char>(i);
    Tar tar;
    tar.file("a", "first")
        .file("a", large)
        .file("a", "third")
        .hardlink("b", "a")
        .file("a", "")
        .file("b", "b");
    tar.dir("d/")
        .file("d/x", large)
        .dir("d/e/")
        .file("d/e/y", "yy")
        .file("d", "now a file")
        .file("d", "and again");
    tar.file("e", "a file")
        .dir("e/")
        .file("e/z", "z")
        .symlink("e/z", "link")
        .file("s", "s")
        .add({.name = "s", .kind = '6'});
    EXPECT_TRUE(there_and_back(tar.finished()) == tar.finished());
}

TEST(Recipe, ErrorsAreTold) {
    Tree tree, other;
    Fd recipe(open(other.at("recipe").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_TRUE(
        unpack_text(Tar().file("a", "content").file("b", "x").finished(), tree, {.recipe = recipe.get()}));
    std::string out;
    ASSERT_EQ(truncate(tree.at("a").c_str(), 3), 0);
    auto cooked = cook(recipe.get(), tree.fd(), *write_text(out));
    ASSERT_FALSE(cooked);
    EXPECT_THAT(cooked.error().text, HasSubstr("'a': it became shorter"));
    unlink(tree.at("a").c_str());
    cooked = cook(recipe.get(), tree.fd(), *write_text(out));
    ASSERT_FALSE(cooked);
    EXPECT_THAT(cooked.error().text, HasSubstr("the tree is not as it was unpacked: 'a'"));
    ASSERT_EQ(ftruncate(recipe.get(), 20), 0);
    EXPECT_FALSE(cook(recipe.get(), tree.fd(), *write_text(out)));
    UnpackOptions apply{.whiteouts = Whiteouts::apply, .recipe = recipe.get()};
    EXPECT_FALSE(unpack_text(Tar().finished(), tree, apply));
}

}  // namespace
}  // namespace croft::archive
