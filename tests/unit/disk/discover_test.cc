#include "disk/discover.h"

#include "made_disk.h"

namespace croft::disk {
namespace {

constexpr const char* root_type = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
constexpr size_t mebibyte = 1 << 20;

class Discover : public MadeDisk {
  protected:
    // Puts an empty ext4 of a few MiB (or another file system) at this byte.
    void put(std::string& bytes, size_t at, const std::string& type = "ext4") {
        std::string file = path("fs");
        std::ofstream(file).close();
        std::filesystem::resize_file(file, 4 * mebibyte);
        if (type == "ext4")
            tool({"mke2fs", "-q", "-t", "ext4", file});
        else
            tool({"mkfs.vfat", file});
        std::string fs = read(file);
        bytes.replace(at, fs.size(), fs);
    }
    Result<Layout> layout(const std::string& bytes, const std::string& hash = "") {
        return discover(*open_memory(bytes), {"x86_64", hash});
    }
    std::string why(const std::string& bytes) {
        auto found = layout(bytes);
        return found ? "" : found.error().text;
    }
};

TEST_F(Discover, TellsPartitionsByTheirTypes) {
    std::string bytes = partitioned(cat("label: gpt\n",
                                        "start=8MiB, size=4MiB, type=933ac7e1-2eb4-4f13-b844-0e14e2aef915, attrs=GUID:60\n",
                                        "start=16MiB, size=4MiB, type=", root_type, "\n",
                                        "start=24MiB, size=4MiB, type=c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n",
                                        "start=32MiB, size=4MiB, type=3b8f8425-20e0-4f3b-907f-1a25a76f98e8, attrs=GUID:63\n",
                                        "start=40MiB, size=4MiB, type=b921b045-1df0-41c3-af44-4c6f280d3fae\n"));
    put(bytes, 8 * mebibyte), put(bytes, 16 * mebibyte), put(bytes, 24 * mebibyte, "vfat"), put(bytes, 32 * mebibyte);
    auto found = layout(bytes);
    ASSERT_TRUE(found) << found.error().text;
    ASSERT_EQ(found->volumes.size(), 3U);
    EXPECT_EQ(found->volumes[0].role, Role::root);
    EXPECT_EQ(found->volumes[0].area.offset, 16 * mebibyte);
    EXPECT_EQ(found->volumes[0].file_system.type, "ext4");
    EXPECT_FALSE(found->volumes[0].read_only);
    EXPECT_EQ(found->volumes[1].role, Role::home);
    EXPECT_TRUE(found->volumes[1].read_only);
    EXPECT_EQ(found->volumes[2].file_system.type, "vfat");
    ASSERT_EQ(found->remarks.size(), 1U);
    EXPECT_NE(found->remarks[0].find("not to be mounted by itself"), std::string::npos);
}

TEST_F(Discover, ABareFileSystemIsTheRoot) {
    std::string bytes(8 * mebibyte, '\0');
    put(bytes, 0);
    auto found = layout(bytes);
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_EQ(found->kind, TableKind::none);
    ASSERT_EQ(found->volumes.size(), 1U);
    EXPECT_EQ(found->volumes[0].area.size, bytes.size());
    // One whose boot sector looks like a table.
    put(bytes, 0, "vfat");
    EXPECT_TRUE(layout(bytes)) << why(bytes);
}

TEST_F(Discover, ASingleLinuxPartitionIsTheRoot) {
    std::string bytes = partitioned("label: dos\nstart=2MiB, size=4MiB, type=82\nstart=8MiB, size=8MiB, type=83\n");
    EXPECT_NE(why(bytes).find("no file system that is known here"), std::string::npos) << why(bytes);
    put(bytes, 8 * mebibyte);
    auto found = layout(bytes);
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_EQ(found->volumes[0].partition, 2U);

    std::string two = partitioned("label: gpt\nstart=2MiB, size=4MiB, type=linux\nstart=8MiB, size=8MiB, type=linux\n");
    put(two, 8 * mebibyte);
    EXPECT_NE(why(two).find("2 Linux partitions"), std::string::npos) << why(two);
    std::string marked = partitioned("label: dos\nstart=2MiB, size=4MiB, type=83\nstart=8MiB, size=8MiB, type=83, bootable\n");
    put(marked, 8 * mebibyte);
    ASSERT_TRUE(layout(marked)) << why(marked);
    EXPECT_EQ(layout(marked)->volumes[0].partition, 2U);
}

TEST_F(Discover, SaysWhatIsThereInstead) {
    EXPECT_NE(why(std::string(mebibyte, 'x')).find("no partition table and no file system"), std::string::npos);
    std::string lvm(mebibyte, '\0');
    lvm.replace(0x218, 8, "LVM2 001");
    EXPECT_NE(why(lvm).find("LVM2_member"), std::string::npos) << why(lvm);
    std::string foreign = partitioned("label: gpt\nstart=8MiB, size=4MiB, type=b921b045-1df0-41c3-af44-4c6f280d3fae\n");
    EXPECT_NE(why(foreign).find("there is one for aarch64"), std::string::npos) << why(foreign);
    std::string both(8 * mebibyte, '\0');
    put(both, 0);
    both.replace(0, 4, "XFSB");
    EXPECT_NE(why(both).find("look like ext4 and like xfs"), std::string::npos) << why(both);
}

TEST_F(Discover, ARootHashChoosesItsPartitions) {
    std::string hash = "00112233445566778899aabbccddeeff" "0102030405060708090a0b0c0d0e0f10";
    std::string bytes = partitioned(cat("label: gpt\nstart=8MiB, size=4MiB, type=", root_type, "\n",
                                        "start=16MiB, size=4MiB, type=", root_type, ", uuid=00112233-4455-6677-8899-aabbccddeeff\n",
                                        "start=24MiB, size=4MiB, type=2c7357ed-ebd2-46d9-aec1-23d437ec2bf5,"
                                        " uuid=01020304-0506-0708-090a-0b0c0d0e0f10\n"));
    put(bytes, 8 * mebibyte), put(bytes, 16 * mebibyte);
    EXPECT_EQ(layout(bytes)->volumes[0].partition, 1U);
    auto found = layout(bytes, hash);
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_EQ(found->volumes[0].partition, 2U);
    EXPECT_TRUE(found->volumes[0].read_only);
    ASSERT_TRUE(found->volumes[0].verity);
    EXPECT_EQ(found->volumes[0].verity->offset, 24 * mebibyte);
    auto other = layout(bytes, std::string(64, 'a'));
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().text.find("belongs to the root hash"), std::string::npos);
}

}  // namespace
}  // namespace croft::disk
