// GPT, by the UEFI specification 2.10, 5.3.2 and 5.3.3. Two headers tell the same; the second one, at the disk's end, is for
// when the first is broken.
#include <algorithm>

#include "base/text.h"
#include "disk/partition_table.h"

namespace croft::disk {
namespace {

constexpr std::string_view signature = "EFI PART";
constexpr size_t header_size = 92, entry_size = 128;
// The specification wants room for 128 entries; who writes many more is not partitioning.
constexpr uint32_t most_entries = 1024;
constexpr uint32_t largest_entry = 4096;
constexpr uint32_t sector_sizes[] = {512, 4096, 2048, 1024};

struct Header {
    uint64_t own = 0, other = 0, first_usable = 0, last_usable = 0, entries_at = 0;  // sectors
    uint32_t entries = 0, entry_size = 0, entries_crc = 0;
    std::string disk_uuid;
};

Error broken(std::string_view what) {
    return error(Errc::invalid, std::string(what));
}

Result<Header> read_header(RandomAccess& disk, uint64_t sector, uint32_t sector_size) {
    std::vector<std::byte> bytes(sector_size);
    if (sector > UINT64_MAX / sector_size || !fits(sector * sector_size, sector_size, disk.size()))
        return broken("it lies beyond the disk's end");
    TRY(disk.read(sector * sector_size, bytes));
    if (!has_text(bytes, 0, signature)) return broken("its signature is not there");
    uint32_t size = little<uint32_t>(bytes, 12);
    if (size < header_size || size > sector_size) return broken(cat("it says to be ", size, " bytes long"));
    uint32_t crc = little<uint32_t>(bytes, 16);
    std::fill_n(bytes.begin() + 16, 4, std::byte{0});
    if (crc32(std::span(bytes).first(size)) != crc) return broken("its checksum is wrong");
    Header out;
    out.own = little<uint64_t>(bytes, 24), out.other = little<uint64_t>(bytes, 32);
    out.first_usable = little<uint64_t>(bytes, 40), out.last_usable = little<uint64_t>(bytes, 48);
    out.disk_uuid = guid_text(std::span(bytes).subspan(56, 16));
    out.entries_at = little<uint64_t>(bytes, 72);
    out.entries = little<uint32_t>(bytes, 80), out.entry_size = little<uint32_t>(bytes, 84);
    out.entries_crc = little<uint32_t>(bytes, 88);
    if (out.own != sector) return broken(cat("it says to be in sector ", out.own, " and is in ", sector));
    if (out.entries > most_entries) return broken(cat("it has ", out.entries, " entries; the most is ", most_entries));
    if (out.entry_size < entry_size || out.entry_size > largest_entry || out.entry_size % entry_size)
        return broken(cat("its entries are ", out.entry_size, " bytes long"));
    return out;
}

void add_utf8(std::string& out, uint32_t c) {
    auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) return put(c);
    if (c < 0x800) return put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
    if (c < 0x10000) return put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
    put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
}

// 36 characters of UTF-16; what is none becomes U+FFFD.
std::string name_text(std::span<const std::byte> bytes) {
    std::string out;
    for (size_t at = 0; at + 2 <= bytes.size(); at += 2) {
        uint32_t c = little<uint16_t>(bytes, at);
        if (!c) break;
        bool high = c >= 0xd800 && c < 0xdc00, low = c >= 0xdc00 && c < 0xe000;
        uint32_t next = high && at + 4 <= bytes.size() ? little<uint16_t>(bytes, at + 2) : 0;
        if (high && next >= 0xdc00 && next < 0xe000)
            c = 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00), at += 2;
        else if (high || low)
            c = 0xfffd;
        add_utf8(out, c);
    }
    return out;
}

Result<> add_entry(PartitionTable& table, const Header& header, std::span<const std::byte> entry, unsigned number) {
    if (std::ranges::all_of(entry.first(16), [](std::byte b) { return b == std::byte{0}; })) return {};
    uint64_t start = little<uint64_t>(entry, 32), end = little<uint64_t>(entry, 40);
    if (start < header.first_usable || end > header.last_usable || start > end ||
        end >= UINT64_MAX / table.sector_size)
        return broken(cat("partition ", number, " is from sector ", start, " to ", end, ", outside of what partitions may use (",
                          header.first_usable, " to ", header.last_usable, ")"));
    Partition p;
    p.number = number;
    p.offset = start * table.sector_size, p.size = (end - start + 1) * table.sector_size;
    p.type = guid_text(entry.first(16)), p.uuid = guid_text(entry.subspan(16, 16));
    p.flags = little<uint64_t>(entry, 48);
    p.name = name_text(entry.subspan(56, 72));
    table.partitions.push_back(std::move(p));
    return {};
}

Result<PartitionTable> read_table(RandomAccess& disk, uint64_t sector, uint32_t sector_size) {
    Header header = TRY(read_header(disk, sector, sector_size));
    std::vector<std::byte> entries(size_t{header.entries} * header.entry_size);
    if (header.entries_at > UINT64_MAX / sector_size ||
        !fits(header.entries_at * sector_size, entries.size(), disk.size()))
        return broken("its entries lie beyond the disk's end");
    TRY(disk.read(header.entries_at * sector_size, entries));
    if (crc32(entries) != header.entries_crc) return broken("the checksum of its entries is wrong");
    PartitionTable table;
    table.kind = TableKind::gpt, table.sector_size = sector_size, table.disk_uuid = header.disk_uuid;
    for (uint32_t i = 0; i < header.entries; ++i)
        TRY(add_entry(table, header, std::span(entries).subspan(size_t{i} * header.entry_size, entry_size), i + 1));
    return table;
}

// The sector size is not written down: it is the one at which a header is found.
uint32_t guess_sector_size(RandomAccess& disk) {
    for (uint32_t size : sector_sizes)
        for (uint64_t at : {uint64_t{size}, disk.size() >= size ? disk.size() / size * size - size : 0}) {
            std::array<std::byte, signature.size()> bytes{};
            if (at && disk.read(at, bytes) && has_text(bytes, 0, signature)) return size;
        }
    return 0;
}

}  // namespace

Result<PartitionTable> read_gpt(RandomAccess& disk) {
    uint32_t sector_size = guess_sector_size(disk);
    if (!sector_size)
        return error(Errc::invalid, "the disk has a protective MBR, but no GPT behind it: both headers are gone");
    auto first = read_table(disk, 1, sector_size);
    if (first) return first;
    auto second = read_table(disk, disk.size() / sector_size - 1, sector_size);
    if (!second)
        return error(Errc::invalid, cat("both headers of the GPT are broken: of the first, ", first.error().text,
                                        "; of the second, ", second.error().text));
    second->remark = cat("the first header of the GPT is broken (", first.error().text,
                         "), the second one is used; `sgdisk -e` or fdisk's `w` writes it anew");
    return second;
}

}  // namespace croft::disk
