// qcow2, versions 2 and 3 (QEMU's docs/interop/qcow2.rst), read only: a disk whose clusters lie scattered in a file, some of
// them compressed, some only in another file behind it.
//
// What could lead elsewhere or give wrong bytes is refused: encryption, an external data file, extended L2 entries, an image
// that is marked as corrupt, features that are unknown. Internal snapshots are passed over. A backing file is opened only by
// the caller's function; without one it is refused, because its name is a stranger's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "disk/random_access.h"

namespace croft::disk {

enum class Qcow2Compression { deflate, zstd };
struct Qcow2Options {
    // Fills all of `out` from `packed`, which may hold more than is needed. Unset: compressed clusters are refused. (Static
    // croft has no decompressor.)
    std::function<Result<>(std::span<const std::byte> packed, Qcow2Compression, std::span<std::byte> out)> unpack;
    // `format` is as the image says it ("raw", "qcow2"), or "".
    std::function<Result<std::unique_ptr<RandomAccess>>(const std::string& name, const std::string& format)> open_backing;
};

bool is_qcow2(RandomAccess& file);
Result<std::unique_ptr<RandomAccess>> open_qcow2(std::unique_ptr<RandomAccess> file, const Qcow2Options& options);

}  // namespace croft::disk
