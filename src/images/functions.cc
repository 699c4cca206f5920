#include "images/functions.h"

namespace croft::images {

namespace {
// Every row of cli/rows_images.h has its line here; a test compares.
constexpr cli::NamedFunction rows[] = {
    {"image copy", verb_copy},
    {"image delete", verb_delete},
    {"image inspect", verb_inspect},
    {"image list-tags", verb_list_tags},
    {"image sync", verb_sync},
    {"image login", verb_login},
    {"image logout", verb_logout},
};
}  // namespace

std::span<const cli::NamedFunction> functions() {
    return rows;
}

}  // namespace croft::images
