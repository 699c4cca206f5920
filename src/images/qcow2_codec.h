// What compressed clusters of qcow2 images need (disk/qcow2.h), by zlib and libzstd.
#pragma once

#include <span>

#include "base/result.h"
#include "disk/qcow2.h"

namespace croft::images {

Result<> unpack_cluster(std::span<const std::byte> packed, disk::Qcow2Compression kind, std::span<std::byte> out);

}  // namespace croft::images
