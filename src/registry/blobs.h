// Bytes with a digest: checking them, and reading small ones whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "archive/hash.h"
#include "base/stream.h"
#include "image/config.h"
#include "registry/place.h"

namespace croft::registry {

archive::HashAlgorithm algorithm_of(const image::Digest& digest);
// By sha256, or as `like` has it.
image::Digest digest_of(std::string_view bytes);
image::Digest digest_of(std::string_view bytes, const image::Digest& like);

// The same bytes; but where they are not `descriptor`'s in number or digest, the read that would tell the end is an error
// (and one behind the size at once). The error names the digest.
std::unique_ptr<Source> checked(std::unique_ptr<Source> from, const image::Descriptor& descriptor);

// The same of bytes whose number nobody knows. `what` is the object that the error names.
std::unique_ptr<Source> checked(std::unique_ptr<Source> from, const image::Digest& digest, std::string what);

// A whole blob, checked; at most `limit` bytes. One whose bytes stand in the descriptor ("data") is not asked for.
Result<std::string> read_blob(ImageSource& source, const image::Descriptor& descriptor, size_t limit);
// The image that is meant: of an index the one for `platform`, however deep.
struct ChosenImage {
    ManifestBytes bytes;
    image::Manifest manifest;
};
Result<ChosenImage> choose_image(ImageSource& source, const image::Platform& platform);

}  // namespace croft::registry
