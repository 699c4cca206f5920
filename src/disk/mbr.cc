// The partition table of PCs: four entries in the first sector, and a chain of sectors in an extended partition, each with one
// partition and the place of the next sector.
#include <algorithm>

#include "base/text.h"
#include "disk/partition_table.h"

namespace croft::disk {
namespace {

constexpr size_t table_at = 446, entry_size = 16, entries = 4;
constexpr uint64_t sector = 512;
constexpr unsigned first_logical = 5, most_logical = 128;

struct Entry {
    uint8_t status, type;
    uint64_t start, count;  // sectors
};

Entry entry_at(std::span<const std::byte> bytes, size_t i) {
    size_t at = table_at + i * entry_size;
    return {static_cast<uint8_t>(bytes[at]), static_cast<uint8_t>(bytes[at + 4]), little<uint32_t>(bytes, at + 8),
            little<uint32_t>(bytes, at + 12)};
}

bool is_extended(uint8_t type) {
    return type == 0x05 || type == 0x0f || type == 0x85;
}

void add(PartitionTable& table, unsigned number, const Entry& entry, uint64_t base) {
    char type = static_cast<char>(entry.type);
    table.partitions.push_back({.number = number,
                                .offset = (base + entry.start) * sector,
                                .size = entry.count * sector,
                                .type = hex({&type, 1}),
                                .uuid = "",
                                .name = "",
                                .bootable = (entry.status & 0x80) != 0});
}

Error bad_chain(std::string_view what) {
    return error(Errc::invalid, cat("the extended partition ", what, "; repair the table (sfdisk --verify shows it)"));
}

Result<> read_chain(RandomAccess& disk, const Entry& extended, PartitionTable& table) {
    uint64_t at = extended.start;
    for (unsigned n = 0;; ++n) {
        if (n == most_logical) return bad_chain(cat("has more than ", most_logical, " partitions, or goes in a circle"));
        std::array<std::byte, sector> bytes{};
        TRY(disk.read(at * sector, bytes));
        if (!has_mbr_signature(bytes)) return bad_chain("leads to a sector that is no table");
        Entry own = entry_at(bytes, 0), next = entry_at(bytes, 1);
        if (own.type && own.count) {
            if (at + own.start + own.count > extended.start + extended.count)
                return bad_chain(cat("does not hold its partition ", first_logical + n));
            add(table, first_logical + n, own, at);
        }
        if (!is_extended(next.type) || !next.count) return {};
        at = extended.start + next.start;
        if (at >= extended.start + extended.count) return bad_chain("leads out of itself");
    }
}

}  // namespace

bool has_mbr_signature(std::span<const std::byte> first) {
    return first.size() >= sector && first[510] == std::byte{0x55} && first[511] == std::byte{0xaa};
}

bool is_protective_mbr(std::span<const std::byte> first) {
    if (!has_mbr_signature(first)) return false;
    for (size_t i = 0; i < entries; ++i)
        if (entry_at(first, i).type == 0xee) return true;
    return false;
}

Result<PartitionTable> read_mbr(RandomAccess& disk, std::span<const std::byte> first) {
    PartitionTable table;
    table.kind = TableKind::mbr;
    bool chained = false;
    for (size_t i = 0; i < entries; ++i) {
        Entry entry = entry_at(first, i);
        // A boot sector that is no table has its program here.
        if (entry.status & 0x7f) return PartitionTable{};
        if (!entry.type || !entry.count) continue;
        if (!is_extended(entry.type)) {
            add(table, static_cast<unsigned>(i + 1), entry, 0);
            continue;
        }
        if (std::exchange(chained, true)) return error(Errc::invalid, "the MBR has two extended partitions");
        TRY(read_chain(disk, entry, table));
    }
    std::ranges::sort(table.partitions, {}, &Partition::number);
    if (table.partitions.empty()) return PartitionTable{};
    return table;
}

}  // namespace croft::disk
