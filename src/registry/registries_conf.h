// registries.conf (containers-registries.conf(5), version 2): mirrors, blocked and insecure registries, and what short names
// mean. --registries-conf, else $CONTAINERS_REGISTRIES_CONF, else ~/.config/containers/registries.conf, else
// /etc/containers/registries.conf; the files of registries.conf.d beside, in the order of their names, come on top.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "image/reference.h"
#include "registry/registry_client.h"

namespace croft::registry {

struct Mirror {
    std::string location;
    bool insecure = false;
    enum class Pull : unsigned char { all, digest_only, tag_only } pull = Pull::all;
};

struct RegistryRule {
    std::string prefix;    // "host/namespace", "*.example.com"; what it is about
    std::string location;  // in its place; "" the same
    bool insecure = false, blocked = false, mirror_by_digest_only = false;
    std::vector<Mirror> mirrors;
};

struct RegistriesConf {
    std::vector<std::string> search;  // unqualified-search-registries
    std::string short_name_mode;      // "enforcing", "permissive", "disabled"; "" is enforcing
    std::vector<RegistryRule> rules;
    std::map<std::string, std::string> aliases;
    std::vector<std::string> files;  // that were read
};

// Puts one file on top. Version 1 ("[registries.search]") is refused with what to do.
Result<> read_registries_conf(std::string_view text, const std::string& path, RegistriesConf& conf);
Result<RegistriesConf> load_registries_conf(const PlaceOptions& options);

// The rule whose prefix fits best; null when there is none. `name` is "host/repository[:tag][@digest]".
const RegistryRule* find_rule(const RegistriesConf& conf, std::string_view name);

// Where to look for an image, best first: mirrors, then the place itself; of a short name what it may mean. Blocked: an error.
struct Candidate {
    image::Reference reference;  // with its host, as policy knows it: neither the short name nor the mirror
    Endpoint endpoint;
    bool mirror = false;
};
Result<std::vector<Candidate>> candidates(const image::Reference& reference, const RegistriesConf& conf,
                                          const PlaceOptions& options);
// The one to write to: never a mirror.
Result<Endpoint> target_endpoint(const image::Reference& reference, const RegistriesConf& conf, const PlaceOptions& options);

}  // namespace croft::registry
