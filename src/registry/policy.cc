// The file and what it says about a name; signatures.cc holds signatures against it.
#include "registry/policy.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "format/json_read.h"
#include "registry/base64.h"

namespace croft::registry {

namespace {
using format::Json;
using format::JsonNotes;
using format::JsonRow;
using image::Reference;
using image::Transport;

struct Raw {
    std::string type, key_type, key_data;
    std::vector<std::string> key_paths, key_datas;
    std::optional<SignedIdentity> identity;
    std::string unknown;  // a member that limits more than is understood
};

constexpr std::string_view identity_words[] = {"matchExact",     "matchRepoDigestOrExact", "matchRepository",
                                               "exactReference", "exactRepository",        "remapIdentity"};

constexpr JsonRow<SignedIdentity> identity_rows[] = {
    {"type",
     [](Json json, SignedIdentity& out, JsonNotes&) -> Result<> {
         std::string word = TRY(json_word(json, identity_words));
         out.kind = static_cast<SignedIdentity::Kind>(std::ranges::find(identity_words, word) - identity_words);
         return {};
     },
     format::Presence::required},
    {"dockerReference", format::json_text_row<&SignedIdentity::reference>},
    {"dockerRepository", format::json_text_row<&SignedIdentity::reference>},
    {"prefix", format::json_text_row<&SignedIdentity::prefix>},
    {"signedPrefix", format::json_text_row<&SignedIdentity::signed_prefix>},
};

Result<> not_understood(Json json, Raw& out, JsonNotes&) {
    out.unknown = json.key();
    return {};
}

constexpr JsonRow<Raw> requirement_rows[] = {
    {"type", format::json_text_row<&Raw::type>, format::Presence::required},
    {"keyType", format::json_text_row<&Raw::key_type>},
    {"keyPath",
     [](Json json, Raw& out, JsonNotes&) -> Result<> {
         out.key_paths.push_back(TRY(json_text(json)));
         return {};
     }},
    {"keyPaths", format::json_texts_row<&Raw::key_paths>},
    {"keyData", format::json_text_row<&Raw::key_data>},
    {"keyDatas", format::json_texts_row<&Raw::key_datas>},
    {"signedIdentity",
     [](Json json, Raw& out, JsonNotes& notes) -> Result<> {
         return json_members(json, identity_rows, out.identity.emplace(), notes);
     }},
    {"fulcio", not_understood},
    {"rekorPublicKeyPath", not_understood},
    {"rekorPublicKeyPaths", not_understood},
    {"rekorPublicKeyData", not_understood},
    {"rekorPublicKeyDatas", not_understood},
    {"pki", not_understood},
};

Result<Requirement> requirement_of(Json json) {
    Raw raw;
    JsonNotes notes;
    TRY(json_members(json, requirement_rows, raw, notes));
    Requirement out;
    if (raw.type == "insecureAcceptAnything") out.kind = Requirement::Kind::accept;
    else if (raw.type == "reject") out.kind = Requirement::Kind::reject;
    else if (raw.type == "signedBy") out.kind = Requirement::Kind::signed_by;
    else if (raw.type == "sigstoreSigned") out.kind = Requirement::Kind::sigstore;
    else
        return json_error(json,
                          cat(quoted(raw.type),
                              " is not known (insecureAcceptAnything, reject, signedBy, sigstoreSigned)"));
    bool keyed = out.kind == Requirement::Kind::signed_by || out.kind == Requirement::Kind::sigstore;
    if (!keyed) return out;
    if (!raw.unknown.empty())
        return json_error(json,
                          cat(raw.unknown, " is not understood by croft, only keys are (keyPath, keyData)"));
    if (out.kind == Requirement::Kind::signed_by && !raw.key_type.empty() && raw.key_type != "GPGKeys")
        return json_error(json, cat("keyType ", quoted(raw.key_type), " is not understood by croft, only GPGKeys is"));
    out.key_paths = std::move(raw.key_paths);
    if (!raw.key_data.empty()) raw.key_datas.push_back(raw.key_data);
    for (const std::string& data : raw.key_datas) {
        auto key = from_base64(data);
        if (!key) return json_error(json, "the key in it is not in base64");
        out.keys.push_back(std::move(*key));
    }
    if (out.keys.empty() && out.key_paths.empty()) return json_error(json, "names no key (keyPath)");
    if (raw.identity) out.identity = *raw.identity;
    using Identity = SignedIdentity::Kind;
    bool exact = out.identity.kind == Identity::exact_reference || out.identity.kind == Identity::exact_repository;
    if (exact && out.identity.reference.empty()) return json_error(json, "names no image (dockerReference, dockerRepository)");
    return out;
}

Result<Requirements> requirements_of(Json json) {
    Requirements out;
    for (Json item : TRY(json_array(json))) out.push_back(TRY(requirement_of(item)));
    if (out.empty())
        return json_error(
            json,
            "is empty: nothing would be asked of an image; write insecureAcceptAnything where that is meant");
    return out;
}

constexpr JsonRow<Policy> policy_rows[] = {
    {"default",
     [](Json json, Policy& out, JsonNotes&) -> Result<> {
         out.fallback = TRY(requirements_of(json));
         return {};
     },
     format::Presence::required},
    {"transports",
     [](Json json, Policy& out, JsonNotes&) -> Result<> {
         for (Json transport : TRY(json_map(json)))
             for (Json scope : TRY(json_object(transport))) {
                 bool known = std::ranges::any_of(out.scopes, [&](const Policy::Scope& one) {
                     return one.transport == transport.key() && one.name == scope.key();
                 });
                 if (known) return json_error(scope, "is given twice");
                 Requirements requirements = TRY(requirements_of(scope));
                 out.scopes.push_back({std::string(transport.key()), std::string(scope.key()), std::move(requirements)});
             }
         return {};
     }},
};

// The names under which a reference may be found, the narrowest first.
std::vector<std::string> scopes_of(const Reference& reference) {
    std::vector<std::string> out;
    bool registry = reference.transport == Transport::registry;
    std::string name = registry ? cat(reference.host, "/", reference.name) : reference.path;
    if (reference.digest) out.push_back(cat(name, "@", reference.digest->text()));
    if (registry && !reference.digest) out.push_back(cat(name, ":", reference.tag.empty() ? "latest" : reference.tag));
    if (!registry && !reference.tag.empty()) out.push_back(cat(name, ":", reference.tag));
    for (std::string part = name; !part.empty(); part.erase(part.rfind('/'))) {
        out.push_back(part);
        if (part.rfind('/') == part.npos) break;
    }
    // "*.example.com", then "*.com".
    for (size_t dot = reference.host.find('.'); registry && dot != std::string::npos; dot = reference.host.find('.', dot + 1))
        out.push_back(cat("*", reference.host.substr(dot)));
    out.push_back("");
    return out;
}

std::string repository_of(std::string_view name) {
    name = name.substr(0, name.find('@'));
    size_t colon = name.rfind(':'), slash = name.rfind('/');
    return std::string(colon != name.npos && (slash == name.npos || colon > slash) ? name.substr(0, colon) : name);
}
}  // namespace

Result<Policy> parse_policy(std::string_view text, const std::string& path) {
    auto read = [&]() -> Result<Policy> {
        auto document = TRY(format::json_parse(text));
        Policy out{.fallback = {}, .scopes = {}, .path = path};
        JsonNotes notes;
        TRY(json_members(document.root(), policy_rows, out, notes));
        return out;
    };
    return read().within(path);
}

Result<std::optional<Policy>> load_policy(const PlaceOptions& options) {
    std::vector<std::string> paths{options.policy};
    if (options.policy.empty()) {
        const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
        paths = {"/etc/containers/policy.json"};
        if (config && *config) paths.insert(paths.begin(), cat(config, "/containers/policy.json"));
        else if (home && *home) paths.insert(paths.begin(), cat(home, "/.config/containers/policy.json"));
    }
    for (const std::string& path : paths) {
        auto text = read_file_at(AT_FDCWD, path.c_str());
        if (text) return std::optional(TRY(parse_policy(*text, path)));
        // One that cannot be read is not the same as none.
        bool missing = text.error().err == ENOENT || text.error().err == ENOTDIR;
        if (!missing || !options.policy.empty()) return std::move(text).error().within(cat("the policy ", quoted(path)));
    }
    return std::optional<Policy>();
}

const Requirements& requirements_for(const Policy& policy, const Reference& reference) {
    std::string_view transport = image::transport_name(reference.transport);
    for (const std::string& name : scopes_of(reference))
        for (const Policy::Scope& scope : policy.scopes)
            if (scope.transport == transport && scope.name == name) return scope.requirements;
    return policy.fallback;
}

bool identity_matches(const SignedIdentity& identity, const Reference& wanted, std::string_view signed_name) {
    using Kind = SignedIdentity::Kind;
    std::string repository = cat(wanted.host, "/", wanted.name),
                tag = wanted.tag.empty() && !wanted.digest ? "latest" : wanted.tag;
    if (identity.kind == Kind::exact_reference) return signed_name == identity.reference;
    if (identity.kind == Kind::exact_repository) return repository_of(signed_name) == identity.reference;
    if (identity.kind == Kind::remap) {
        const std::string& prefix = identity.prefix;
        bool below = repository.starts_with(prefix) && (repository.size() == prefix.size() || repository[prefix.size()] == '/');
        if (below) repository = identity.signed_prefix + repository.substr(prefix.size());
    }
    if (identity.kind == Kind::match_repository) return repository_of(signed_name) == repository;
    if (wanted.digest && identity.kind != Kind::match_exact) return repository_of(signed_name) == repository;
    if (wanted.digest) return signed_name == cat(repository, "@", wanted.digest->text());
    return signed_name == cat(repository, ":", tag);
}

}  // namespace croft::registry
