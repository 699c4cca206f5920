#include "disk/partition_table.h"

#include <algorithm>

#include "base/text.h"

namespace croft::disk {

std::string guid_text(std::span<const std::byte> id) {
    // Where each byte of the text stands on the disk.
    constexpr int order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    std::string bytes;
    for (int at : order) bytes += static_cast<char>(id[static_cast<size_t>(at)]);
    std::string digits = hex(bytes);
    for (size_t at : {20, 16, 12, 8}) digits.insert(at, "-");
    return digits;
}

uint32_t crc32(std::span<const std::byte> bytes) {
    static constexpr auto table = [] {
        std::array<uint32_t, 256> out{};
        for (uint32_t i = 0; i < 256; ++i) {
            uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0xedb88320U : 0);
            out[i] = value;
        }
        return out;
    }();
    uint32_t crc = ~0U;
    for (std::byte b : bytes) crc = table[(crc ^ static_cast<uint32_t>(b)) & 0xff] ^ (crc >> 8);
    return ~crc;
}

Result<> check_places(const PartitionTable& table, uint64_t disk_size) {
    std::vector<const Partition*> sorted;
    for (const Partition& p : table.partitions) {
        if (!fits(p.offset, p.size, disk_size))
            return error(Errc::invalid, cat("partition ", p.number, " ends at byte ", p.offset + p.size,
                                            " of a disk of ", disk_size, " bytes: the image is cut off"));
        sorted.push_back(&p);
    }
    std::ranges::sort(sorted, {}, &Partition::offset);
    for (size_t i = 1; i < sorted.size(); ++i)
        if (sorted[i - 1]->offset + sorted[i - 1]->size > sorted[i]->offset)
            return error(Errc::invalid, cat("partitions ", sorted[i - 1]->number, " and ", sorted[i]->number,
                                            " lie on each other; repair the table (sfdisk --verify shows it)"));
    return {};
}

Result<PartitionTable> read_partition_table(RandomAccess& disk) {
    std::array<std::byte, 512> first{};
    if (disk.size() < first.size()) return PartitionTable{};
    TRY(disk.read(0, first));
    if (!has_mbr_signature(first)) return PartitionTable{};
    PartitionTable table = TRY(is_protective_mbr(first) ? read_gpt(disk) : read_mbr(disk, first));
    TRY(check_places(table, disk.size()));
    return table;
}

}  // namespace croft::disk
