#include "disk/file_system.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/text.h"

namespace croft::disk {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
    const char* type;
    uint64_t offset;
    std::string_view bytes;
    bool mountable = false, read_only = false;
};

// The kernel's Documentation/filesystems and headers; LUKS and verity: cryptsetup's.
constexpr Magic magics[] = {
    {"ext4", 0x438, "\x53\xef"sv, true},
    {"xfs", 0, "XFSB"sv, true},
    {"btrfs", 0x10040, "_BHRfS_M"sv, true},
    {"erofs", 1024, "\xe2\xe1\xf5\xe0"sv, true, true},
    {"squashfs", 0, "hsqs"sv, true, true},
    {"crypto_LUKS", 0, "LUKS\xba\xbe"sv},
    {"DM_verity_hash", 0, "verity\0\0"sv},
    {"swap", 4086, "SWAPSPACE2"sv},
    {"iso9660", 0x8001, "CD001"sv},
    {"ntfs", 3, "NTFS    "sv},
    {"LVM2_member", 0x218, "LVM2 001"sv},
    {"f2fs", 1024, "\x10\x20\xf5\xf2"sv},
};

// FAT has no magic number of its own: what Microsoft's specification says of the boot sector must hold.
bool is_vfat(std::span<const std::byte> b) {
    uint16_t sector = little<uint16_t>(b, 11), reserved = little<uint16_t>(b, 14);
    auto cluster = static_cast<uint8_t>(b[13]), fats = static_cast<uint8_t>(b[16]);
    bool jump = b[0] == std::byte{0xeb} || b[0] == std::byte{0xe9};
    return jump && b[510] == std::byte{0x55} && b[511] == std::byte{0xaa} && std::has_single_bit(sector) &&
           sector >= 512 && sector <= 4096 && std::has_single_bit(cluster) && reserved && fats >= 1 && fats <= 2 &&
           (has_text(b, 54, "FAT") || has_text(b, 82, "FAT32"));
}

}  // namespace

Result<FileSystem> probe(RandomAccess& disk, uint64_t offset, uint64_t size) {
    if (!fits(offset, size, disk.size())) return error(Errc::invalid, "it lies beyond the image's end");
    std::vector<FileSystem> found;
    std::array<std::byte, 512> bytes{};
    for (const Magic& magic : magics) {
        if (!fits(magic.offset, magic.bytes.size(), size)) continue;
        auto part = std::span(bytes).first(magic.bytes.size());
        TRY(disk.read(offset + magic.offset, part));
        if (has_text(part, 0, magic.bytes)) found.push_back({magic.type, magic.mountable, magic.read_only});
    }
    if (size >= bytes.size()) {
        TRY(disk.read(offset, bytes));
        if (is_vfat(bytes)) found.push_back({"vfat", true, false});
    }
    if (found.size() > 1)
        return error(Errc::invalid, cat("the bytes look like ", found[0].type, " and like ", found[1].type,
                                        "; remove what is wrong with wipefs"));
    return found.empty() ? FileSystem{} : std::move(found[0]);
}

std::string no_recovery_option(std::string_view type) {
    if (type == "btrfs") return "rescue=nologreplay";
    return type == "ext4" || type == "xfs" ? "norecovery" : "";
}

}  // namespace croft::disk
