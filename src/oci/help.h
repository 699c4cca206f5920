// --help and --version, and what tools/generate writes from the verb table: manual and completion.
#pragma once

#include <string>

#include "oci/verbs.h"

namespace croft::oci {

std::string general_help();
std::string help_of(const Verb& verb);
std::string version_text();

}  // namespace croft::oci
