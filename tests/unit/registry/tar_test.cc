// Archives that croft writes are read again by its index, and what is no archive is refused.
#include <gtest/gtest.h>
#include <unistd.h>

#include "archive/streams.h"
#include "base/fd.h"
#include "base/text.h"
#include "registry/files.h"
#include "registry/tar_index.h"
#include "registry/tar_writer.h"

using namespace croft;
using namespace croft::registry;

namespace {

struct TemporaryFile {
    char path[32] = "/tmp/croft-tar-XXXXXX";
    Fd fd{mkostemp(path, O_CLOEXEC)};
    ~TemporaryFile() { unlink(path); }
    std::string bytes() {
        lseek(fd.get(), 0, SEEK_SET);
        return *read_all(fd.get(), 16 << 20);
    }
    void fill(std::string_view text) {
        ASSERT_EQ(ftruncate(fd.get(), 0), 0);
        ASSERT_EQ(pwrite(fd.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    }
};

std::string content(const std::string& path, const std::string& name) {
    auto files = open_tar(path, {});
    if (!files) return "error: " + files.error().text;
    auto text = (*files)->read(name, 1 << 20);
    return text ? *text : "error: " + text.error().text;
}

TEST(Tar, WhatIsWrittenIsFound) {
    TemporaryFile file;
    std::string longest(300, 'n'), large(100'000, 'x');
    TarWriter tar(file.fd.get(), "it");
    ASSERT_TRUE(tar.add("one", "1"));
    ASSERT_TRUE(tar.add("empty", ""));
    auto source = archive::read_text(large);
    ASSERT_TRUE(tar.add(cat("dir/", longest), large.size(), *source));
    source = archive::read_text("not wanted, and longer than what comes after it");
    ASSERT_TRUE(tar.add_growing(*source, [](uint64_t) -> Result<std::string> { return std::string(); }));
    source = archive::read_text("grown");
    ASSERT_TRUE(tar.add_growing(*source, [](uint64_t size) -> Result<std::string> { return cat("grown-", size); }));
    source = archive::read_text("short");
    EXPECT_FALSE(tar.add("short", 6, *source));
    ASSERT_TRUE(tar.add("last", "end"));
    ASSERT_TRUE(tar.finish());
    EXPECT_EQ(content(file.path, "one"), "1");
    EXPECT_EQ(content(file.path, "./empty"), "");
    EXPECT_EQ(content(file.path, cat("dir/", longest)), large);
    EXPECT_EQ(content(file.path, "grown-5"), "grown");
    EXPECT_EQ(content(file.path, "last"), "end");
    EXPECT_NE(content(file.path, "missing").find("there is no 'missing'"), std::string::npos);
    EXPECT_EQ(file.bytes().size() % 512, 0u);
}

TEST(Tar, LinksAreFollowedInsideAndNotForEver) {
    TemporaryFile file;
    auto header = [](std::string name, char type, std::string link) {
        std::string out(512, '\0');
        name.copy(&out[0], 100), link.copy(&out[157], 100);
        std::string("0000644").copy(&out[100], 8), std::string("00000000000").copy(&out[124], 12), std::string("        ").copy(&out[148], 8);
        out[156] = type;
        unsigned sum = 0;
        for (char c : out) sum += static_cast<unsigned char>(c);
        char digits[8];
        snprintf(digits, sizeof digits, "%06o", sum);
        std::string(digits).copy(&out[148], 7);
        out[154] = '\0';
        return out;
    };
    file.fill(cat(header("a/file", '0', ""), header("b/link", '2', "../a/file"), header("c", '1', "./a/file"), header("x", '2', "y"), header("y", '2', "x"),
                  header("out", '2', "../../etc/passwd"), std::string(1024, '\0')));
    EXPECT_EQ(content(file.path, "b/link"), "");
    EXPECT_EQ(content(file.path, "c"), "");
    EXPECT_NE(content(file.path, "x").find("circle"), std::string::npos);
    EXPECT_NE(content(file.path, "out").find("there is no 'etc/passwd'"), std::string::npos);
}

TEST(Tar, WhatIsNoArchiveIsRefused) {
    TemporaryFile file;
    TarWriter tar(file.fd.get(), "it");
    ASSERT_TRUE(tar.add("name", std::string(1000, 'x')));
    ASSERT_TRUE(tar.finish());
    std::string good = file.bytes();
    // Cut anywhere, it is an error or one that has the whole file.
    for (size_t length = 0; length < good.size(); length += 100) {
        file.fill(good.substr(0, length));
        std::string found = content(file.path, "name");
        EXPECT_TRUE(found.starts_with("error: ") || found == std::string(1000, 'x')) << length;
    }
    for (size_t at : {0, 100, 124, 148, 156}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        file.fill(bad);
        EXPECT_TRUE(content(file.path, "name").starts_with("error: ")) << at;
    }
    file.fill("hello");
    EXPECT_TRUE(content(file.path, "name").find("no whole tar archive") != std::string::npos);
}

}  // namespace
