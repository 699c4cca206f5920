// The same trees through other hands: what GNU tar, bsdtar and Python write is read, and what is written here
// they read. Trees are compared by packing them: names, kinds, owners, modes, times, links, attributes, ACLs,
// holes and content.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "archive/pack.h"
#include "tar_builder.h"
#include "tree.h"

namespace croft::archive {
namespace {

std::string packed(const Tree& tree, bool whole_seconds) {
    std::string out;
    auto sink = write_text(out);
    auto result = pack(tree.fd(), *sink, {.whole_seconds = whole_seconds});
    return result ? out : "error: " + result.error().text;
}

// Nothing, or what stands around the first byte that differs.
std::string difference(const std::string& a, const std::string& b) {
    if (a == b) return "";
    size_t at = static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    std::string around;
    for (const std::string* text : {&a, &b}) {
        around += cat("\n", at, ": ");
        for (char c : text->substr(at < 1100 ? 0 : at - 1100, 1200))
            if (c > ' ' && c < 127) around += c;
    }
    return around;
}

void save(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
}

void run(const std::string& command) {
    ASSERT_EQ(system(command.c_str()), 0) << command;
}

// `times` with fractions of seconds, which only pax archives keep.
void fill(const Tree& tree, bool fractions) {
    std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20), text;
    for (int i = 0; i < 40'000; ++i) text += cat(i, " ");
    Tar tar;
    tar.dir("./", 0755)
        .dir("d/", 02775)
        .file("d/text", text)
        .file("d/set", "x", 04755)
        .symlink("d/link", "../d/text")
        .hardlink("hard", "d/text");
    tar.pax({"path=" + std::string(130, 'l') + "/" + std::string(180, 'n'),
             fractions ? "mtime=1234567.25" : "mtime=1234567"})
        .file("x", "long");
    tar.add({.name = "owned", .uid = 70'000, .gid = 2'000'001}).add({.name = "fifo", .kind = '6'});
    tar.pax({"SCHILY.xattr.user.color=blue", "SCHILY.xattr.security.capability=" + capability})
        .file("attributes", "x", 0755);
    tar.pax({"SCHILY.acl.access=user::rwx,user:70007:r--,group::r-x,mask::r-x,other::---"})
        .file("acl", "x", 0750);
    tar.pax({"GNU.sparse.map=0,4096,8388608,4096", "GNU.sparse.size=9437184"})
        .add({.name = "sparse", .size = 8192})
        .data(std::string(8192, 's'));
    UnpackOptions options{.devices = DeviceNodes::make};
    auto result = unpack_text(tar.device("null", 1, 3).finished(), tree, options);
    ASSERT_TRUE(result) << result.error().text;
}

void expect_read(const Tree& tree, const std::string& archive, Compression compression, bool whole_seconds) {
    Tree again;
    Fd file(open(archive.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(file) << archive;
    auto result = unpack_here(read_fd(std::move(file), archive), again.fd(),
                              {.compression = compression, .devices = DeviceNodes::make});
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(result->attributes_left, 0u);
    EXPECT_EQ(difference(packed(again, whole_seconds), packed(tree, whole_seconds)), "") << archive;
}

struct Case {
    const char* name;
    const char* command;  // with %s for the tree and %s for the archive
    Compression compression;
    bool fractions;
};

class WrittenByOthers : public testing::TestWithParam<Case> {};

TEST_P(WrittenByOthers, IsRead) {
    Tree tree, place;
    ASSERT_NO_FATAL_FAILURE(fill(tree, GetParam().fractions));
    char command[1024];
    snprintf(command, sizeof command, GetParam().command, tree.at("").c_str(), place.at("archive").c_str());
    ASSERT_NO_FATAL_FAILURE(run(command));
    expect_read(tree, place.at("archive"), GetParam().compression, !GetParam().fractions);
}

INSTANTIATE_TEST_SUITE_P(
    Programs, WrittenByOthers,
    testing::Values(
        Case{"GnuPax",
             "tar --format=pax --numeric-owner --xattrs --xattrs-include='*' --acls --sparse -C %s -cf %s .",
             Compression::none, true},
        Case{"GnuPaxSparse00",
             "tar --format=pax --sparse-version=0.0 --numeric-owner --xattrs --xattrs-include='*' --acls "
             "--sparse -C %s -cf %s .",
             Compression::none, true},
        Case{"GnuPaxSparse01",
             "tar --format=pax --sparse-version=0.1 --numeric-owner --xattrs --xattrs-include='*' --acls "
             "--sparse -C %s -cf %s .",
             Compression::none, true},
        Case{"GnuGzip",
             "tar --format=pax --numeric-owner --xattrs --xattrs-include='*' --acls --sparse -C %s -czf %s .",
             Compression::gzip, true},
        Case{"GnuXz",
             "tar --format=pax --numeric-owner --xattrs --xattrs-include='*' --acls --sparse -C %s -cJf %s .",
             Compression::xz, true},
        Case{"GnuZstd",
             "tar --format=pax --numeric-owner --xattrs --xattrs-include='*' --acls --sparse -C %s --zstd "
             "-cf %s .",
             Compression::zstd, true},
        Case{"GnuBzip2",
             "tar --format=pax --numeric-owner --xattrs --xattrs-include='*' --acls --sparse -C %s -cjf %s .",
             Compression::bzip2, true},
        Case{"Bsdtar", "bsdtar --format=pax --numeric-owner --xattrs --acls -C %s -cf %s .",
             Compression::none, true}),
    [](const auto& tested) { return std::string(tested.param.name); });

// GNU's own format has no attributes; sparse files in its old form, long names in its own.
TEST(WrittenByOthers, OldForms) {
    Tree tree, place;
    ASSERT_NO_FATAL_FAILURE(fill(tree, false));
    for (const char* name : {"attributes", "acl"}) unlink(tree.at(name).c_str());
    tree.touch();
    run(cat("tar --format=gnu --numeric-owner --sparse -C ", tree.at(""), " -cf ", place.at("gnu"), " ."));
    expect_read(tree, place.at("gnu"), Compression::none, true);
    run(cat("python3 -c \"import tarfile,sys; t=tarfile.open('", place.at("py"),
            "','w',format=tarfile.GNU_FORMAT); t.add('", tree.at(""), "','.'); t.close()\""));
    unlink(tree.at("sparse").c_str());
    tree.touch();
    run(cat("python3 -c \"import tarfile,sys; t=tarfile.open('", place.at("py"),
            "','w',format=tarfile.PAX_FORMAT); t.add('", tree.at(""), "','.'); t.close()\""));
    expect_read(tree, place.at("py"), Compression::none, true);
}

class ReadByOthers : public testing::TestWithParam<Case> {};

TEST_P(ReadByOthers, IsTheSameTree) {
    Tree tree, place, again;
    ASSERT_NO_FATAL_FAILURE(fill(tree, true));
    save(place.at("archive"), packed(tree, false));
    char command[1024];
    snprintf(command, sizeof command, GetParam().command, again.at("").c_str(), place.at("archive").c_str());
    ASSERT_NO_FATAL_FAILURE(run(command));
    for (const Tree* each : {&tree, &again}) each->touch();  // bsdtar leaves the top's time alone
    EXPECT_EQ(difference(packed(again, false), packed(tree, false)), "");
}

INSTANTIATE_TEST_SUITE_P(
    Programs, ReadByOthers,
    testing::Values(Case{"Gnu", "tar --numeric-owner -p --xattrs --xattrs-include='*' --acls -C %s -xf %s",
                         Compression::none, true},
                    Case{"Bsdtar", "bsdtar --numeric-owner -p --xattrs --acls -C %s -xf %s",
                         Compression::none, true}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(ReadByOthers, PythonSeesTheNames) {
    Tree tree, place;
    ASSERT_NO_FATAL_FAILURE(fill(tree, true));
    save(place.at("archive"), packed(tree, false));
    run(cat("python3 -c \"import tarfile; t=tarfile.open('", place.at("archive"),
            "'); m={x.name:x for x in t}; assert len(m)==14, m; ",
            "assert m['hard'].islnk() and m['hard'].linkname=='d/text'; assert "
            "t.extractfile('sparse').read(4)==b'ssss'; ",
            "assert m['sparse'].size==9437184; assert "
            "m['attributes'].pax_headers['SCHILY.xattr.user.color']=='blue'\""));
}

}  // namespace
}  // namespace croft::archive
