// policy.json (containers-policy.json(5)): which images may come in. --policy, else ~/.config/containers/policy.json, else
// /etc/containers/policy.json; where there is none everything may, as where nobody has said a word.
//
// The security argument: a signature speaks of a manifest's digest and of a name. The digest that is compared is that of the
// bytes which are used afterwards, and the name that of the reference the user wrote; so neither another image nor an older
// one of another name passes. Requirements that are not understood reject.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/reference.h"
#include "registry/place.h"

namespace croft::registry {

// Which names a signature may be for (signedIdentity).
struct SignedIdentity {
    enum class Kind : unsigned char {
        match_exact,
        match_repo_digest_or_exact,
        match_repository,
        exact_reference,
        exact_repository,
        remap
    } kind = Kind::match_repo_digest_or_exact;
    std::string reference;              // of the exact ones
    std::string prefix, signed_prefix;  // of remap
};

struct Requirement {
    enum class Kind : unsigned char { accept, reject, signed_by, sigstore } kind = Kind::reject;
    std::vector<std::string> key_paths, keys;  // files, and keys themselves
    SignedIdentity identity;
};

using Requirements = std::vector<Requirement>;

struct Policy {
    Requirements fallback;  // "default"
    struct Scope {
        std::string transport, name;
        Requirements requirements;
    };
    std::vector<Scope> scopes;
    std::string path;  // where it came from
};

Result<Policy> parse_policy(std::string_view text, const std::string& path);
// Nothing where there is no file.
Result<std::optional<Policy>> load_policy(const PlaceOptions& options);
// What the policy asks of an image.
const Requirements& requirements_for(const Policy& policy, const image::Reference& reference);
bool identity_matches(const SignedIdentity& identity, const image::Reference& wanted, std::string_view signed_name);

// The image that the source names is let in, or an error says what speaks against it.
Result<> check_policy(ImageSource& source, const PlaceOptions& options);

}  // namespace croft::registry
