#include "made_disk.h"

namespace croft::disk {
namespace {

constexpr size_t first_header = 512, entries = 1024;

Result<PartitionTable> table_of(const std::string& bytes) {
    return read_partition_table(*open_memory(bytes));
}
std::string why(const std::string& bytes) {
    auto table = table_of(bytes);
    return table ? "" : table.error().text;
}

TEST(Crc32, KnowsTheUsualVector) {
    EXPECT_EQ(crc32(std::as_bytes(std::span("123456789", 9))), 0xcbf43926U);
}

class Gpt : public MadeDisk {
  protected:
    void SetUp() override {
        MadeDisk::SetUp();
        bytes = partitioned(
            "label: gpt\nlabel-id: 11111111-2222-3333-4444-555555555555\n"
            "start=2048, size=8192, type=4f68bce3-e8cd-4db1-96e7-fbcaf984b709, name=\"würzel\","
            " uuid=01234567-89ab-cdef-0123-456789abcdef\n"
            "start=20480, size=2048, type=linux, attrs=\"GUID:60,63\"\n");
        last_header = bytes.size() - 512;
    }
    std::string bytes;
    size_t last_header = 0;
};

TEST_F(Gpt, ReadsWhatSfdiskWrites) {
    auto table = table_of(bytes);
    ASSERT_TRUE(table) << table.error().text;
    EXPECT_EQ(table->kind, TableKind::gpt);
    EXPECT_EQ(table->sector_size, 512U);
    EXPECT_EQ(table->disk_uuid, "11111111-2222-3333-4444-555555555555");
    ASSERT_EQ(table->partitions.size(), 2U);
    const Partition& root = table->partitions[0];
    EXPECT_EQ(root.number, 1U);
    EXPECT_EQ(root.offset, 2048U * 512);
    EXPECT_EQ(root.size, 8192U * 512);
    EXPECT_EQ(root.type, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
    EXPECT_EQ(root.uuid, "01234567-89ab-cdef-0123-456789abcdef");
    EXPECT_EQ(root.name, "würzel");
    EXPECT_EQ(table->partitions[1].flags, uint64_t{9} << 60);
    EXPECT_EQ(table->remark, "");
}

TEST_F(Gpt, TheSecondHeaderIsThereForABrokenFirst) {
    bytes[first_header + 60] ^= 1;
    auto table = table_of(bytes);
    ASSERT_TRUE(table) << table.error().text;
    EXPECT_EQ(table->partitions.size(), 2U);
    EXPECT_NE(table->remark.find("checksum"), std::string::npos) << table->remark;
    std::string erased = bytes;
    erased.replace(first_header, 512, 512, '\0');
    EXPECT_TRUE(table_of(erased)) << why(erased);
    bytes[last_header + 60] ^= 1;
    EXPECT_NE(why(bytes).find("both headers"), std::string::npos) << why(bytes);
    bytes.replace(first_header, 512, 512, '\0'), bytes.replace(last_header, 512, 512, '\0');
    EXPECT_NE(why(bytes).find("both headers are gone"), std::string::npos) << why(bytes);
}

// A changed header with right checksums, and no second one to fall back to.
TEST_F(Gpt, RefusesHostileHeaders) {
    bytes.replace(last_header, 512, 512, '\0');
    struct Case {
        size_t at;
        uint64_t value;
        size_t size;
        const char* says;
    } cases[] = {
        {12, 20, 4, "20 bytes long"},         {12, 4096, 4, "4096 bytes long"},
        {24, 7, 8, "in sector 7"},            {72, UINT64_MAX / 2, 8, "beyond the disk's end"},
        {72, UINT64_MAX / 512, 8, "beyond"},  {80, UINT32_MAX, 4, "entries; the most"},
        {84, 64, 4, "64 bytes long"},         {84, 129, 4, "129 bytes long"},
        {84, 1 << 30, 4, "bytes long"},
    };
    for (const Case& c : cases) {
        std::string changed = bytes;
        for (size_t i = 0; i < c.size; ++i) changed[first_header + c.at + i] = static_cast<char>(c.value >> (8 * i));
        poke(changed, first_header + 16, uint32_t{0});
        uint32_t signed_bytes = c.at == 12 && c.value <= 512 ? static_cast<uint32_t>(c.value) : 92;
        poke(changed, first_header + 16, crc32(std::as_bytes(std::span(changed).subspan(first_header, signed_bytes))));
        EXPECT_NE(why(changed).find(c.says), std::string::npos) << c.says << " is not in: " << why(changed);
    }
}

TEST_F(Gpt, RefusesHostilePartitions) {
    bytes.replace(last_header, 512, 512, '\0');
    auto with = [&](size_t entry, uint64_t start, uint64_t end) {
        std::string changed = bytes;
        poke(changed, entries + entry * 128 + 32, start), poke(changed, entries + entry * 128 + 40, end);
        sign_gpt(changed, first_header);
        return why(changed);
    };
    EXPECT_NE(with(0, 0, 5).find("outside of what partitions may use"), std::string::npos);
    EXPECT_NE(with(0, 4096, 2048).find("outside"), std::string::npos);
    EXPECT_NE(with(0, 2048, UINT64_MAX).find("outside"), std::string::npos);
    EXPECT_NE(with(1, 4096, 5000).find("1 and 2 lie on each other"), std::string::npos) << with(1, 4096, 5000);
    EXPECT_EQ(with(1, 12000, 13000), "");
}

TEST_F(Gpt, TellsThatAnImageIsCutOff) {
    bytes.resize(4 << 20);
    EXPECT_NE(why(bytes).find("cut off"), std::string::npos) << why(bytes);
    bytes.resize(700);
    EXPECT_NE(why(bytes), "");
    bytes.resize(100);
    EXPECT_EQ(table_of(bytes)->kind, TableKind::none);
}

TEST_F(Gpt, AnOldOneBehindAnotherTableDoesNotCount) {
    for (size_t i = 0; i < 4; ++i) bytes[446 + i * 16 + 4] = 0;
    EXPECT_EQ(table_of(bytes)->kind, TableKind::none);
}

TEST_F(Gpt, SectorsMayHave4096Bytes) {
    // The same table counts in larger sectors.
    std::string small = partitioned("label: gpt\nstart=2048, size=1024, type=linux\n"), large(16 << 20, '\0');
    large.replace(0, 512, small, 0, 512);
    large.replace(4096, 512, small, first_header, 512);
    large.replace(8192, 128 * 128, small, entries, 128 * 128);
    auto table = table_of(large);
    ASSERT_TRUE(table) << table.error().text;
    EXPECT_EQ(table->sector_size, 4096U);
    ASSERT_EQ(table->partitions.size(), 1U);
    EXPECT_EQ(table->partitions[0].offset, 2048U * 4096);
    EXPECT_EQ(table->partitions[0].size, 1024U * 4096);
}

class Mbr : public MadeDisk {};

TEST_F(Mbr, ReadsPrimaryAndLogicalPartitions) {
    auto table = table_of(partitioned("label: dos\nstart=2048, size=4096, type=83, bootable\nstart=8192, size=65536, type=5\n"
                                      "start=10240, size=2048, type=83\nstart=16384, size=2048, type=82\n"));
    ASSERT_TRUE(table) << table.error().text;
    ASSERT_EQ(table->partitions.size(), 3U);
    EXPECT_EQ(table->kind, TableKind::mbr);
    EXPECT_EQ(table->partitions[0].type, "83");
    EXPECT_TRUE(table->partitions[0].bootable);
    EXPECT_EQ(table->partitions[1].number, 5U);
    EXPECT_EQ(table->partitions[1].offset, 10240U * 512);
    EXPECT_EQ(table->partitions[2].offset, 16384U * 512);
    EXPECT_EQ(table->partitions[2].type, "82");
}

TEST_F(Mbr, AChainThatNeverEndsIsRefused) {
    std::string bytes = partitioned("label: dos\nstart=8192, size=65536, type=5\nstart=10240, size=2048, type=83\n");
    // The first sector of the chain has nothing itself, and itself as the next.
    size_t at = 8192 * 512 + 446;
    bytes.replace(at, 32, 32, '\0');
    bytes[at + 16 + 4] = 5;
    poke(bytes, at + 16 + 8, uint32_t{0}), poke(bytes, at + 16 + 12, uint32_t{1});
    EXPECT_NE(why(bytes).find("circle"), std::string::npos) << why(bytes);
    poke(bytes, at + 16 + 8, uint32_t{70000});
    EXPECT_NE(why(bytes).find("leads out of itself"), std::string::npos) << why(bytes);
}

TEST_F(Mbr, ABootSectorWithoutATableIsNone) {
    std::string bytes(1 << 16, '\x41');
    bytes[510] = '\x55', bytes[511] = '\xaa';
    EXPECT_EQ(table_of(bytes)->kind, TableKind::none);
}

}  // namespace
}  // namespace croft::disk
