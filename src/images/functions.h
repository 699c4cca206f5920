// The verbs about images (rows in cli/rows_images.h), one file each (verb_*.cc). Linked into croft-images alone, which tells
// the command line of them.
#pragma once

#include <span>

#include "cli/verbs.h"

namespace croft::images {

std::span<const cli::NamedFunction> functions();

#define CROFT_IMAGE_VERB(name) Result<int> name(const cli::Verb& verb, std::span<char* const> arguments)
CROFT_IMAGE_VERB(verb_bootstrap);
CROFT_IMAGE_VERB(verb_copy);
CROFT_IMAGE_VERB(verb_commit);
CROFT_IMAGE_VERB(verb_delete);
CROFT_IMAGE_VERB(verb_df);
CROFT_IMAGE_VERB(verb_export);
CROFT_IMAGE_VERB(verb_history);
CROFT_IMAGE_VERB(verb_import);
CROFT_IMAGE_VERB(verb_inspect);
CROFT_IMAGE_VERB(verb_list);
CROFT_IMAGE_VERB(verb_list_tags);
CROFT_IMAGE_VERB(verb_mount);
CROFT_IMAGE_VERB(verb_prune);
CROFT_IMAGE_VERB(verb_pull);
CROFT_IMAGE_VERB(verb_push);
CROFT_IMAGE_VERB(verb_rename);
CROFT_IMAGE_VERB(verb_rm);
CROFT_IMAGE_VERB(verb_tag);
CROFT_IMAGE_VERB(verb_umount);
CROFT_IMAGE_VERB(verb_verify);
CROFT_IMAGE_VERB(verb_login);
CROFT_IMAGE_VERB(verb_logout);
CROFT_IMAGE_VERB(verb_sync);
#undef CROFT_IMAGE_VERB

}  // namespace croft::images
