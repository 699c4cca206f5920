// How a recipe is written, for its writer and its reader (recipe.h says what it is).
//
// A zstd stream of: the mark, then records, each a letter and numbers of 7 bits a byte, lowest first, the
// high bit set on all but the last (LEB128). Strings are their length and their bytes.
#pragma once

#include <string_view>

namespace croft::archive {

constexpr std::string_view recipe_mark = "croft recipe 1\n";

enum RecipeRecord : char {
    recipe_literal = 'L',  // string: bytes of the archive
    recipe_content =
        'C',  // string: path, empty for the same as before; offset, length: bytes of the archive are there
    recipe_rescued =
        'R',  // which content record (from 0), string: its bytes, which the tree does not have any more
    recipe_end = 'E',
};

}  // namespace croft::archive
