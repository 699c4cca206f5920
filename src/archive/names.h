// Names in archives: made safe, and what whiteouts are called.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace croft::archive {

// "./usr//bin/" and "/usr/bin" become "usr/bin", "." becomes "". Refused (invalid): a part that is "..", one
// longer than 255 bytes, more than `depth` parts, more than `length` bytes.
Result<std::string> tree_path(std::string_view name, uint32_t length, uint32_t depth);

// "a/b/c" is "c" in "a/b".
std::string_view parent_of(std::string_view path);
std::string_view last_of(std::string_view path);

// A name for error sentences: in quotes, and cut where it is longer than anybody reads.
std::string shown(std::string_view name);

// What a path means in a layer (image-spec, layer.md, "Whiteouts"; aufs, which had them first).
enum class LayerName {
    file,      // no whiteout
    whiteout,  // ".wh.NAME": NAME of the lower layers is gone
    opaque,    // ".wh..wh..opq": everything of the lower layers in this directory is
    aufs,      // in or below another ".wh..wh.…": aufs's own, means nothing here
};
// Refused: ".wh." alone, ".wh..", ".wh...", and a path that goes through a whiteout.
Result<LayerName> layer_name(std::string_view path);
// Of a whiteout: the path of what is gone.
std::string gone_path(std::string_view path);

}  // namespace croft::archive
