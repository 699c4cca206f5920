// Partition tables: GPT (UEFI specification 2.10, 5.3) and MBR with its extended partitions, read from a stranger's disk.
//
// Nothing that is read is believed before it is checked: sizes are bounded, checksums compared, partitions must lie on the
// disk and apart from each other, chains must end. Only read_partition_table() is for others; the parts are for it and tests.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "disk/random_access.h"

namespace croft::disk {

// A GUID by its text, as tools show it: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709". On disk the first three parts are little-endian.
std::string guid_text(std::span<const std::byte> sixteen);

struct Partition {
    unsigned number = 0;              // as the kernel and fdisk count, from 1
    uint64_t offset = 0, size = 0;    // bytes
    std::string type;                 // GPT: a GUID; MBR: two hex digits ("83")
    std::string uuid;                 // GPT: the partition's own GUID
    std::string name;                 // GPT: UTF-8
    uint64_t flags = 0;               // GPT: attribute bits
    bool bootable = false;            // MBR: the active flag
};

enum class TableKind { none, mbr, gpt };
struct PartitionTable {
    TableKind kind = TableKind::none;
    uint32_t sector_size = 512;           // bytes
    std::string disk_uuid;                // GPT
    std::vector<Partition> partitions;    // by number
    std::string remark;                   // what is wrong with it but does not matter: the first header is broken
};

// The disk's table; kind none when there is none. invalid: there is one, and it is broken.
Result<PartitionTable> read_partition_table(RandomAccess& disk);

// CRC-32 as IEEE 802.3 has it.
uint32_t crc32(std::span<const std::byte> bytes);
// The parts. A GPT is looked for only behind a protective MBR (`first` is the disk's first 512 bytes), so that the rest of an
// older one does not count.
bool has_mbr_signature(std::span<const std::byte> first);
bool is_protective_mbr(std::span<const std::byte> first);
Result<PartitionTable> read_gpt(RandomAccess& disk);
Result<PartitionTable> read_mbr(RandomAccess& disk, std::span<const std::byte> first);
// Each lies on the disk, and no two on each other.
Result<> check_places(const PartitionTable& table, uint64_t disk_size);

}  // namespace croft::disk
