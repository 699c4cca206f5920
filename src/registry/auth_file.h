// Logins to registries, in the files that podman, skopeo, buildah and docker keep them in (containers-auth.json(5)), and in
// credential helpers (docker-credential-NAME, found in $PATH).
//
// Where they are looked for, the first one that has a login counts: --authfile alone when it is given; $REGISTRY_AUTH_FILE
// alone when it is set; else ${XDG_RUNTIME_DIR}/containers/auth.json (root: /run/containers/0/auth.json),
// ~/.config/containers/auth.json, ~/.docker/config.json (or $DOCKER_CONFIG), ~/.dockercfg. A login is for HOST, HOST/NAMESPACE
// or HOST/NAMESPACE/NAME; the longest that fits counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/options.h"

namespace croft::registry {

struct AuthEntry {
    std::string key;  // "host/namespace"
    Credentials credentials;
};

struct AuthFile {
    std::vector<AuthEntry> auths;
    std::vector<std::pair<std::string, std::string>> helpers;  // host to NAME of credHelpers
    std::string store;                                         // credsStore
};

// `text` is the file; `path` for messages. A damaged one is an error, never an empty one.
Result<AuthFile> parse_auth_file(std::string_view text, const std::string& path);
// The same of ~/.dockercfg, which has no "auths" around.
Result<AuthFile> parse_old_auth_file(std::string_view text, const std::string& path);
// How a key stands in AuthFile: "https://host/v1/" and "host" are the same place.
std::string plain_key(std::string_view key);
// The login in `file` for `name` ("host/ns/repo"), if there is one; helpers are not asked.
const AuthEntry* find_auth(const AuthFile& file, std::string_view name);

// Asks all places; nothing when there is no login.
Result<std::optional<Credentials>> find_credentials(const std::string& name, const PlaceOptions& options);
// Where a login is kept: what --authfile or $REGISTRY_AUTH_FILE says, else the first of the places.
Result<std::string> login_file(const PlaceOptions& options);
// Keeps a login for `key`, by the credential helper that the file names for it or in the file itself (mode 0600).
Result<> keep_login(const std::string& key, const Credentials& credentials, const PlaceOptions& options);
// Whether there was one. `key` empty: all of the file's.
Result<bool> forget_login(const std::string& key, const PlaceOptions& options);

}  // namespace croft::registry
