// From a tree, the very bytes of the archive it was unpacked from.
//
// While an archive is unpacked a recipe can be written (UnpackOptions::recipe): everything that is no content
// of files (headers, padding, what stands behind the end), and for content only where in the tree it is.
// Content that the tree does not have in the end (an entry that a later one replaced) is in the recipe
// itself. A recipe is zstd-compressed, about 1 % of the archive.
#pragma once

#include "base/stream.h"

namespace croft::archive {

// Writes the archive; `to` is finished. `recipe` is a file, read from its start. invalid: the recipe is
// damaged, or the tree is not the one that was unpacked (a file is missing or shorter). Whoever needs the
// bytes compares their hash: content that was changed in place is not seen here.
Result<> cook(int recipe, int tree, Sink& to);

}  // namespace croft::archive
