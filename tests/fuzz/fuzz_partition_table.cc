// The first and the last bytes of a disk image: its partition tables, and what is taken for file systems in them. As it is, and
// once more with right checksums, which no fuzzer would find.
#include <algorithm>
#include <cstdint>
#include <string>

#include "disk/discover.h"
#include "property.h"

using namespace croft;

namespace {

constexpr size_t sector = 512, header_size = 92;

void look(std::string_view bytes) {
    auto disk = disk::open_memory(bytes);
    auto table = disk::read_partition_table(*disk);
    if (table)
        for (const disk::Partition& p : table->partitions)
            fuzz::promise(disk::fits(p.offset, p.size, bytes.size()), "a partition lies outside of its disk", p.name);
    auto layout = disk::discover(*disk, {"x86_64", ""});
    if (!layout) return;
    fuzz::promise(!layout->volumes.empty(), "a layout has no root", "");
    for (const disk::Volume& volume : layout->volumes)
        fuzz::promise(disk::fits(volume.area.offset, volume.area.size, bytes.size()), "a volume lies outside of its disk", "");
}

void put(std::string& bytes, size_t at, uint32_t value) {
    for (size_t i = 0; i < sizeof value; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

void sign(std::string& bytes, size_t at) {
    auto header = std::as_bytes(std::span(bytes).subspan(at, header_size));
    uint64_t entries = disk::little<uint64_t>(header, 72) * sector;
    uint64_t size = uint64_t{disk::little<uint32_t>(header, 80)} * disk::little<uint32_t>(header, 84);
    if (disk::fits(entries, size, bytes.size())) put(bytes, at + 88, disk::crc32(std::as_bytes(std::span(bytes).subspan(entries, size))));
    put(bytes, at + 12, header_size), put(bytes, at + 16, 0);
    put(bytes, at + 16, disk::crc32(std::as_bytes(std::span(bytes).subspan(at, header_size))));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string bytes(fuzz::text_of(data, size));
    look(bytes);
    if (bytes.size() < 3 * sector) return 0;
    sign(bytes, sector);
    look(bytes);
    return 0;
}
