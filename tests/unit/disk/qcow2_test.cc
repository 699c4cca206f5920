#include "disk/qcow2.h"

#include <fcntl.h>

#include <cstdlib>

#include "disk/disk_image.h"
#include "disk/sparse_copy.h"
#include "made_disk.h"

namespace croft::disk {
namespace {

class Qcow2Test : public MadeDisk {
  protected:
    // 5 MiB with something at its begin, in its middle and at its end, and holes between.
    void SetUp() override {
        MadeDisk::SetUp();
        content.assign(5 << 20, '\0');
        for (size_t at : {size_t{0}, size_t{700'001}, size_t{3 << 20}, content.size() - 5000})
            for (size_t i = 0; i < 5000; ++i) content[at + i] = static_cast<char>(at + i * i);
        std::ofstream(path("raw"), std::ios::binary) << content;
    }
    std::string made(const std::vector<std::string>& options) {
        std::string file = path("image.qcow2");
        std::vector<std::string> argv = {"qemu-img", "convert", "-f", "raw", "-O", "qcow2"};
        argv.insert(argv.end(), options.begin(), options.end());
        argv.insert(argv.end(), {path("raw"), file});
        tool(argv);
        return file;
    }
    std::string bytes_of(RandomAccess& disk) {
        std::string out(disk.size(), '?');
        Result<> read = disk.read(0, std::as_writable_bytes(std::span(out)));
        return read ? out : read.error().text;
    }
    std::string why(std::string bytes, const Qcow2Options& options = {}) {
        auto image = open_qcow2(open_memory(bytes), options);
        if (!image) return image.error().text;
        std::string out((*image)->size(), '?');
        Result<> read = (*image)->read(0, std::as_writable_bytes(std::span(out)));
        return read ? "" : read.error().text;
    }
    std::string content;
};

TEST_F(Qcow2Test, ReadsBothVersionsAndAllClusterSizes) {
    for (const char* options : {"compat=0.10", "compat=1.1", "compat=1.1,cluster_size=512", "compat=0.10,cluster_size=2M"}) {
        auto disk = open_disk(made({"-o", options}), {});
        ASSERT_TRUE(disk) << disk.error().text;
        EXPECT_EQ(disk->format, Format::qcow2);
        EXPECT_EQ(bytes_of(*disk->bytes), content) << options;
    }
}

TEST_F(Qcow2Test, CopiesAreAsSparseAsTheContent) {
    auto disk = open_disk(made({}), {});
    ASSERT_TRUE(disk) << disk.error().text;
    Fd out(open(path("copy").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    uint64_t last = 0;
    Result<> copied = sparse_copy(*disk->bytes, out.get(), [&](uint64_t done) {
        EXPECT_GE(done, last);
        last = done;
        return true;
    });
    ASSERT_TRUE(copied) << copied.error().text;
    EXPECT_EQ(last, content.size());
    EXPECT_EQ(read(path("copy")), content);
    struct stat st = {};
    fstat(out.get(), &st);
    EXPECT_LT(st.st_blocks * 512, 200'000);
    EXPECT_FALSE(sparse_copy(*disk->bytes, out.get(), [](uint64_t) { return false; }));
}

TEST_F(Qcow2Test, CompressedClustersAreGivenToWhoCanUnpackThem) {
    std::string file = made({"-c"});
    EXPECT_NE(why(read(file)).find("compressed clusters"), std::string::npos) << why(read(file));
    size_t asked = 0;
    Qcow2Options options;
    options.unpack = [&](std::span<const std::byte> packed, Qcow2Compression kind, std::span<std::byte> out) -> Result<> {
        EXPECT_FALSE(packed.empty());
        EXPECT_EQ(out.size(), size_t{65536});
        EXPECT_EQ(kind, Qcow2Compression::deflate);
        ++asked;
        return {};
    };
    EXPECT_EQ(why(read(file), options), "");
    EXPECT_GE(asked, 4U);
}

TEST_F(Qcow2Test, ABackingFileIsOpenedOnlyWhenThatIsAsked) {
    std::string top = path("top.qcow2");
    tool({"qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", path("raw"), top});
    auto refused = open_disk(top, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("differs from its backing file"), std::string::npos) << refused.error().text;
    auto disk = open_disk(top, {.unpack = {}, .backing = true});
    ASSERT_TRUE(disk) << disk.error().text;
    EXPECT_EQ(bytes_of(*disk->bytes), content);
    // In a circle: the image is its own backing file.
    tool({"qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", top, top});
    auto circle = open_disk(top, {.unpack = {}, .backing = true});
    ASSERT_FALSE(circle);
    EXPECT_NE(circle.error().text.find("behind each other"), std::string::npos) << circle.error().text;
}

TEST_F(Qcow2Test, RefusesWhatItDoesNotUnderstand) {
    std::string bytes = read(made({"-o", "compat=1.1"}));
    auto changed = [&](size_t at, std::string_view value) {
        std::string out = bytes;
        out.replace(at, value.size(), value);
        return why(out);
    };
    using namespace std::string_view_literals;
    EXPECT_NE(changed(7, "\x04"sv).find("version 4"), std::string::npos);
    EXPECT_NE(changed(23, "\x08"sv).find("2^8"), std::string::npos);
    EXPECT_NE(changed(23, "\x40"sv).find("2^64"), std::string::npos);
    EXPECT_NE(changed(24, "\xff"sv).find("says that its disk"), std::string::npos);
    EXPECT_NE(changed(35, "\x01"sv).find("encrypted"), std::string::npos);
    EXPECT_NE(changed(36, "\0\0\0\0"sv).find("too small a table"), std::string::npos);
    EXPECT_NE(changed(36, "\x7f"sv).find("beyond its end"), std::string::npos);
    EXPECT_NE(changed(40, "\x7f"sv).find("beyond its end"), std::string::npos);
    EXPECT_NE(changed(79, "\x02"sv).find("corrupt"), std::string::npos);
    EXPECT_NE(changed(79, "\x04"sv).find("another file"), std::string::npos);
    EXPECT_NE(changed(79, "\x10"sv).find("extended"), std::string::npos);
    EXPECT_NE(changed(72, "\x80"sv).find("unknown"), std::string::npos);
    EXPECT_EQ(changed(79, "\x01"sv), "");
    bytes.resize(50);
    EXPECT_NE(why(bytes).find("cut off"), std::string::npos);
}

TEST_F(Qcow2Test, TablesThatLeadAwayAreErrors) {
    std::string bytes = read(made({"-o", "compat=1.1"}));
    auto view = std::as_bytes(std::span(bytes));
    size_t l1 = big<uint64_t>(view, 40), l2 = big<uint64_t>(view, l1) & 0x00fffffffffffe00;
    auto changed = [&](size_t at, uint64_t entry) {
        std::string out = bytes;
        for (size_t i = 0; i < 8; ++i) out[at + i] = static_cast<char>(entry >> (56 - 8 * i));
        return why(out);
    };
    EXPECT_NE(changed(l1, 0x00fffffffffffe00), "");
    EXPECT_NE(changed(l1, l2 + 512).find("within a cluster"), std::string::npos);
    EXPECT_NE(changed(l2, 0x00ffffffffff0000), "");
    EXPECT_NE(changed(l2, 512).find("within another"), std::string::npos);
    EXPECT_NE(changed(l2, UINT64_MAX), "");
    EXPECT_EQ(changed(l2, 1), "");
}

}  // namespace
}  // namespace croft::disk
