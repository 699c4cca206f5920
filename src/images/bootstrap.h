// `croft image bootstrap debian:trixie`: a tree in /var/lib/machines from a distribution's own packages, by its own tool:
// mmdebstrap or debootstrap, dnf, pacstrap, apk.
//
// No mirror is known here: the one of this host's configuration is used where the host is of the same kind, or --mirror says it.
// The tool runs as root, in a mount namespace and process group of its own: what it leaves mounted is gone with it, and it is
// gone when this command is.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manager/paths.h"

namespace croft::images {

struct Bootstrap {
    std::string distribution, release;   // "debian", "trixie"
    std::string name;                    // of the machine that it will be
    std::string mirror;                  // URL; empty: this host's
    std::string variant;                 // Debian's: "minbase" (also the default), "standard", …
    std::string keyring;                 // file that vouches for the packages; empty: the tool's own
    std::vector<std::string> packages;   // beside what the variant has
    std::function<bool(std::string_view line)> progress;  // what the tool says; false stops it, and nothing is left
};

// "debian:trixie" in two.
Result<std::pair<std::string, std::string>> parse_distribution(std::string_view text);
// The path of the tree.
Result<std::string> bootstrap(const manager::Paths& paths, const Bootstrap& wanted);

// The parts, for tests. Files below `etc` ("/etc").
Result<std::string> apt_mirror(const std::string& etc, std::string_view distribution, std::string_view release);
// The command that fills `target`. `has` tells whether a program is there.
Result<std::vector<std::string>> bootstrap_command(const Bootstrap& wanted, const std::string& target, const std::string& etc,
                                                   const std::function<bool(const char*)>& has);

}  // namespace croft::images
