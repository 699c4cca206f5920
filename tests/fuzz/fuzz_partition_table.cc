// The first and the last bytes of a disk image: its partition tables, and what is taken for file systems in them.
#include <cstdint>

#include "disk/discover.h"
#include "property.h"

using namespace croft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view bytes = fuzz::text_of(data, size);
    auto disk = disk::open_memory(bytes);
    auto table = disk::read_partition_table(*disk);
    if (table)
        for (const disk::Partition& p : table->partitions)
            fuzz::promise(disk::fits(p.offset, p.size, size), "a partition lies outside of its disk", p.name);
    auto layout = disk::discover(*disk, {"x86_64", ""});
    if (!layout) return 0;
    fuzz::promise(!layout->volumes.empty(), "a layout has no root", "");
    for (const disk::Volume& volume : layout->volumes)
        fuzz::promise(disk::fits(volume.area.offset, volume.area.size, size), "a volume lies outside of its disk", "");
    return 0;
}
