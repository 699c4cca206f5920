// What tools/generate writes from the verb table: croft-oci(1) and completion for bash, zsh and fish.
#pragma once

#include <string>

namespace croft::oci {

std::string manual();
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace croft::oci
