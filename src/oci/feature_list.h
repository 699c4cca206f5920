// What `croft-oci features` prints: runtime-spec's features structure, for engines that ask before they use something.
#pragma once

#include <string>

namespace croft::oci {

std::string features_document();

}  // namespace croft::oci
