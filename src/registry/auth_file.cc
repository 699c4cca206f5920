#include "registry/auth_file.h"

#include <algorithm>

#include "base/text.h"
#include "format/json_read.h"
#include "registry/base64.h"

namespace croft::registry {

namespace {
using format::Json;
using format::JsonNotes;
using format::JsonRow;

struct Login {
    std::string auth, user, password, identity_token;
};

constexpr JsonRow<Login> login_rows[] = {{"auth", format::json_text_row<&Login::auth>},
                                         {"username", format::json_text_row<&Login::user>},
                                         {"password", format::json_text_row<&Login::password>},
                                         {"identitytoken", format::json_text_row<&Login::identity_token>}};

// "auth" is USER:PASSWORD in base64. The sentence does not cite it: it is a secret.
Result<Credentials> credentials_of(Json json) {
    Login login;
    JsonNotes notes{.unknown = JsonNotes::Unknown::warn};
    TRY(json_members(json, login_rows, login, notes));
    Credentials out{.user = login.user, .password = login.password, .identity_token = login.identity_token};
    if (login.auth.empty()) return out;
    auto plain = from_base64(login.auth);
    size_t colon = plain ? plain->find(':') : std::string::npos;
    if (colon == std::string::npos) return json_error(json, "its \"auth\" is not USER:PASSWORD in base64");
    out.user = plain->substr(0, colon);
    out.password = plain->substr(colon + 1);
    // Docker filled it up with NUL bytes once.
    while (out.password.ends_with('\0')) out.password.pop_back();
    return out;
}

Result<std::vector<AuthEntry>> read_auths(Json json) {
    std::vector<AuthEntry> out;
    for (Json member : TRY(json_map(json))) out.push_back({plain_key(member.key()), TRY(credentials_of(member))});
    return out;
}

constexpr JsonRow<AuthFile> file_rows[] = {
    {"auths",
     [](Json json, AuthFile& out, JsonNotes&) -> Result<> {
         out.auths = TRY(read_auths(json));
         return {};
     }},
    {"credHelpers",
     [](Json json, AuthFile& out, JsonNotes&) -> Result<> {
         for (Json member : TRY(json_map(json))) out.helpers.emplace_back(plain_key(member.key()), TRY(json_text(member)));
         return {};
     }},
    {"credsStore", format::json_text_row<&AuthFile::store>},
};
}  // namespace

std::string plain_key(std::string_view key) {
    for (std::string_view scheme : {"https://", "http://"})
        if (key.starts_with(scheme)) {
            key.remove_prefix(scheme.size());
            key = key.substr(0, key.find('/'));
        }
    while (key.ends_with('/')) key.remove_suffix(1);
    return std::string(key);
}

Result<AuthFile> parse_auth_file(std::string_view text, const std::string& path) {
    auto read = [&]() -> Result<AuthFile> {
        AuthFile out;
        if (trim(text).empty()) return out;
        auto document = TRY(format::json_parse(text));
        JsonNotes notes{.unknown = JsonNotes::Unknown::warn};
        TRY(json_members(document.root(), file_rows, out, notes));
        return out;
    };
    return read().within(path);
}

Result<AuthFile> parse_old_auth_file(std::string_view text, const std::string& path) {
    auto read = [&]() -> Result<AuthFile> {
        auto document = TRY(format::json_parse(text));
        return AuthFile{.auths = TRY(read_auths(document.root())), .helpers = {}, .store = ""};
    };
    return read().within(path);
}

const AuthEntry* find_auth(const AuthFile& file, std::string_view name) {
    const AuthEntry* best = nullptr;
    for (const AuthEntry& entry : file.auths) {
        bool fits = name.starts_with(entry.key) && (name.size() == entry.key.size() || name[entry.key.size()] == '/');
        if (fits && !entry.credentials.empty() && (!best || entry.key.size() > best->key.size())) best = &entry;
    }
    return best;
}

}  // namespace croft::registry
