#include "images/functions.h"

namespace croft::images {

namespace {
// Every row of cli/rows_images.h and cli/rows_store.h has its line here; a test compares.
constexpr cli::NamedFunction rows[] = {
    {"image bootstrap", verb_bootstrap},
    {"image copy", verb_copy},
    {"image commit", verb_commit},
    {"image delete", verb_delete},
    {"image df", verb_df},
    {"image export", verb_export},
    {"image history", verb_history},
    {"image import", verb_import},
    {"image inspect", verb_inspect},
    {"image list", verb_list},
    {"image list-tags", verb_list_tags},
    {"image mount", verb_mount},
    {"image prune", verb_prune},
    {"image pull", verb_pull},
    {"image push", verb_push},
    {"image rename", verb_rename},
    {"image rm", verb_rm},
    {"image tag", verb_tag},
    {"image umount", verb_umount},
    {"image verify", verb_verify},
    {"image sync", verb_sync},
    {"image login", verb_login},
    {"image logout", verb_logout},
};
}  // namespace

std::span<const cli::NamedFunction> functions() {
    return rows;
}

}  // namespace croft::images
