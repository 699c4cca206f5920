// Files by name, in a directory or in a tar archive that is not unpacked: what layouts and archives of images are read
// from. Names are relative, and nothing outside is reached, wherever a symbolic link points.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "base/stream.h"
#include "registry/options.h"

namespace croft::registry {

class Files {
  public:
    virtual ~Files() = default;
    // For messages: the path of the directory or archive.
    virtual const std::string& path() const = 0;
    virtual Result<uint64_t> size(const std::string& name) const = 0;
    virtual Result<std::unique_ptr<Source>> open(const std::string& name, uint64_t offset) const = 0;
    // Whole, of at most `limit` bytes.
    Result<std::string> read(const std::string& name, size_t limit) const;
    bool has(const std::string& name) const { return size(name).has_value(); }
};

// Without a name, to be written and read; where `temporary`, $TMPDIR or else /var/tmp says.
Result<Fd> temporary_file(const PlaceOptions& options);

Result<std::unique_ptr<Files>> open_directory(const std::string& path);
// The archive's headers are read once (ustar, pax and GNU tar); a compressed one is unpacked to a temporary file first.
Result<std::unique_ptr<Files>> open_tar(const std::string& path, const PlaceOptions& options);

}  // namespace croft::registry
