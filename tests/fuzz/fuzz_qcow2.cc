// A qcow2 image: its header, and its tables by reading some of the disk that it says to be.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "disk/qcow2.h"
#include "property.h"

using namespace croft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    disk::Qcow2Options options;
    options.unpack = [](std::span<const std::byte>, disk::Qcow2Compression, std::span<std::byte> out) -> Result<> {
        std::ranges::fill(out, std::byte{1});
        return {};
    };
    auto image = disk::open_qcow2(disk::open_memory(fuzz::text_of(data, size)), options);
    if (!image) return 0;
    disk::RandomAccess& disk = **image;
    std::vector<std::byte> room(1 << 16);
    for (uint64_t at : {uint64_t{0}, disk.size() / 2, disk.size() - std::min<uint64_t>(disk.size(), room.size())}) {
        auto part = std::span(room).first(std::min<uint64_t>(room.size(), disk.size() - at));
        (void)disk.read(at, part);
        auto zeros = disk.zeros(at);
        fuzz::promise(!zeros || disk::fits(at, *zeros, disk.size()), "zeros go beyond the disk's end", "");
    }
    return 0;
}
