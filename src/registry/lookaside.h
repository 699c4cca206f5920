// Where simple signatures of images in a registry lie (containers-registries.d(5)): in a directory or behind a URL beside the
// registry, as the files of /etc/containers/registries.d (or ~/.config/containers/registries.d, or --registries.d) tell, else in
// /var/lib/containers/sigstore, of a user in ~/.local/share/containers/sigstore.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/reference.h"
#include "registry/options.h"

namespace croft::registry {

struct Lookaside {
    std::string fallback;                          // default-docker
    std::map<std::string, std::string> locations;  // scope to URL
};

// The part of YAML that these files are written in: maps of maps by indentation, plain or quoted values, comments. Anything
// else is an error with its line.
Result<> read_lookaside(std::string_view text, const std::string& path, Lookaside& out);
// "file:///…" or "https://…", without a slash at its end.
Result<std::string> lookaside_of(const image::Reference& reference, const PlaceOptions& options);

}  // namespace croft::registry
