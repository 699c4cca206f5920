// Which file system lies at a place of a disk, by its magic number, and whether croft lets the kernel mount it.
//
// Only file systems whose kernel drivers are meant to meet a stranger's bytes are mounted (the list that systemd has for
// images, too); the others are told by name, so that an error says what is there.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "disk/random_access.h"

namespace croft::disk {

struct FileSystem {
    std::string type;        // "ext4" (also for ext2 and ext3), "xfs", …; "crypto_LUKS", "DM_verity_hash", "swap"; "": none known
    bool mountable = false;  // croft mounts it
    bool read_only = false;  // it cannot be written by its nature
};

// invalid: the bytes could be two file systems at once.
Result<FileSystem> probe(RandomAccess& disk, uint64_t offset, uint64_t size);

// What mounts it without touching it, although it was not unmounted in good order: "norecovery"; "" where nothing is to be said.
std::string no_recovery_option(std::string_view type);

}  // namespace croft::disk
