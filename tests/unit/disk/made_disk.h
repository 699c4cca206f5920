// Disks for tests: files that sfdisk and mke2fs made, so that what is read is what everybody else writes, and their bytes to
// be broken in memory.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/run_program.h"
#include "base/text.h"
#include "disk/partition_table.h"

namespace croft::disk {

class MadeDisk : public testing::Test {
  protected:
    void SetUp() override {
        // In memory where there is such a place: sfdisk waits for the disk.
        directory = cat(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", "/croft-disk-XXXXXX");
        ASSERT_NE(mkdtemp(directory.data()), nullptr);
    }
    void TearDown() override { std::filesystem::remove_all(directory); }

    std::string path(const char* name) const { return directory + "/" + name; }

    void tool(const std::vector<std::string>& argv, const std::string& input = "") {
        std::string said;
        setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
        auto status = run_program(argv, said, {.input = input});
        ASSERT_TRUE(status) << status.error().text;
        ASSERT_EQ(*status, 0) << argv[0] << ": " << said;
    }
    // A file of this size with what an sfdisk script says.
    std::string partitioned(const std::string& script, uint64_t size = 48 << 20) {
        std::string file = path("disk.raw");
        std::ofstream(file).close();
        std::filesystem::resize_file(file, size);
        tool({"sfdisk", "--quiet", "--no-reread", file}, script);
        return read(file);
    }
    std::string read(const std::string& file) {
        std::string bytes(std::filesystem::file_size(file), '\0');
        std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        return bytes;
    }

    std::string directory;
};

template <class T>
void poke(std::string& bytes, size_t at, T value) {
    for (size_t i = 0; i < sizeof value; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}
inline std::string_view part(const std::string& bytes, size_t from, size_t size) {
    return std::string_view(bytes).substr(from, size);
}
// Both checksums of the GPT header at this byte, after something behind them was changed.
inline void sign_gpt(std::string& bytes, size_t header) {
    auto view = [&](size_t at, size_t size) { return std::as_bytes(std::span(bytes).subspan(at, size)); };
    uint64_t entries_at = little<uint64_t>(view(header, 92), 72) * 512;
    uint32_t count = little<uint32_t>(view(header, 92), 80), size = little<uint32_t>(view(header, 92), 84);
    if (fits(entries_at, uint64_t{count} * size, bytes.size())) poke(bytes, header + 88, crc32(view(entries_at, size_t{count} * size)));
    poke(bytes, header + 16, uint32_t{0});
    poke(bytes, header + 16, crc32(view(header, 92)));
}

}  // namespace croft::disk
