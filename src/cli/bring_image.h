// An image that a command names and the store does not have yet: croft-images pulls or imports it first.
#pragma once

#include <string>

#include "base/result.h"
#include "manager/paths.h"

namespace croft::cli {

// `word` has a transport in front (docker://, oci:, …) or is a name of the store; the name by which the store knows it. What is
// there already is not looked for again. Progress is shown on standard error; nothing is written on standard output.
Result<std::string> bring_image(const manager::Paths& paths, const std::string& word, bool quiet);
// The same for a word that may be a tree as well: those are left alone.
Result<> bring_if_image(const manager::Paths& paths, const std::string& word, bool quiet);

}  // namespace croft::cli
