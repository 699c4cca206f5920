// How things of the store are called on disk. Called within store/, and by whoever needs a path.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "image/digest.h"

namespace croft::store {

// "blobs/sha256/HEX"
std::string blob_name(const image::Digest& digest);
// A layer's id, which is its diff id ("sha256:HEX") or "sealed:RANDOM", as "layers/sha256-HEX".
Result<std::string> layer_name(std::string_view id);
bool is_sealed(std::string_view id);
// An id of a sealed layer that nobody has had.
std::string new_sealed_id();
// The id back from the last part of that name; empty for what is none.
std::string layer_id(std::string_view entry);
// Where the layer's tree is: below layer_name() "tree", of a sealed one "upper", as it was the machine's.
Result<std::string> layer_tree(std::string_view id);

// An image's name as a file's: whatever is neither letter, digit nor one of "._:@-" becomes %XX, and so does a '.' at the
// beginning. invalid: too long for a file name, or empty.
Result<std::string> reference_file(std::string_view name);
std::string reference_of_file(std::string_view file);

}  // namespace croft::store
