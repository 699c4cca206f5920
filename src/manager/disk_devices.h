// What stands between a disk image and its file system: LUKS (cryptsetup) and dm-verity (veritysetup), as devices of the device
// mapper. Called by disk_root.cc when a machine starts, and by remains.cc when it has ended.
//
// Such a device outlives its maker, so the machine's record says which there are before they are made: whoever clears up after
// the machine removes them. Each has the machine's name in its own: croft-NAME-root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::manager {

struct DiskDevice {
    enum class Kind { luks, verity };
    std::string name;                 // below /dev/mapper
    Kind kind = Kind::luks;
    std::string image;                // host path
    uint64_t offset = 0, size = 0;    // bytes of it
    bool read_only = false;
    std::string hash_image;           // verity: where the hashes are
    uint64_t hash_offset = 0, hash_size = 0;
    std::string root_hash;            // verity: hex digits
};

// One line for the record, and back; nothing for what cannot have been written so.
std::string to_text(const DiskDevice& device);
Result<DiskDevice> parse_disk_device(std::string_view text);

std::string device_path(const DiskDevice& device);  // "/dev/mapper/…"

// Loop devices below it are gone with it. A passphrase is the credential dissect.passphrase of this process's unit
// ($CREDENTIALS_DIRECTORY), or is asked for on the terminal.
Result<> open_device(const DiskDevice& device);
// What is still mounted goes when it is not any more. One that is not there is none to remove.
Result<> close_device(const DiskDevice& device);

}  // namespace croft::manager
