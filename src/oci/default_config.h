// What `croft-oci spec` writes: a config.json to begin with, for a shell in a tree beside it.
#pragma once

#include <string>

namespace croft::oci {

// Whose containers: root's, or those of a user without privileges, who is root inside, and nobody else.
struct ConfigOwner {
    bool rootless = false;
    unsigned uid = 0, gid = 0;
};
std::string default_config(const ConfigOwner& owner);

}  // namespace croft::oci
