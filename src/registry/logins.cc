// The places of auth files, and the credential helpers behind them (auth_file.h).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>

#include "base/fd.h"
#include "base/text.h"
#include "format/json_read.h"
#include "format/json_writer.h"
#include "registry/auth_file.h"
#include "registry/base64.h"
#include "registry/run_helper.h"

namespace croft::registry {

namespace {
using format::Json;

std::string variable(const char* name) {
    const char* value = getenv(name);
    return value ? value : "";
}

struct Place {
    std::string path;
    bool old = false;  // ~/.dockercfg
};

std::string runtime_file() {
    std::string runtime = variable("XDG_RUNTIME_DIR");
    if (runtime.empty()) runtime = cat("/run/containers/", geteuid());
    else runtime += "/containers";
    return runtime + "/auth.json";
}

std::vector<Place> places(const PlaceOptions& options) {
    if (!options.authfile.empty()) return {{options.authfile}};
    if (std::string path = variable("REGISTRY_AUTH_FILE"); !path.empty()) return {{path}};
    std::vector<Place> out{{runtime_file()}};
    std::string home = variable("HOME"), config = variable("XDG_CONFIG_HOME"), docker = variable("DOCKER_CONFIG");
    if (config.empty() && !home.empty()) config = home + "/.config";
    if (!config.empty()) out.push_back({config + "/containers/auth.json"});
    if (docker.empty() && !home.empty()) docker = home + "/.docker";
    if (!docker.empty()) out.push_back({docker + "/config.json"});
    if (!home.empty()) out.push_back({home + "/.dockercfg", true});
    return out;
}

Result<std::optional<std::string>> read_if_there(const std::string& path) {
    auto text = read_file_at(AT_FDCWD, path.c_str());
    if (text) return std::optional(std::move(*text));
    if (text.error().err == ENOENT || text.error().err == ENOTDIR) return std::optional<std::string>();
    return std::move(text).error().within(path);
}

Result<HelperAnswer> ask_helper(const std::string& helper, const char* verb, std::string_view input) {
    if (helper.find('/') != std::string::npos)
        return error(Errc::invalid, cat(quoted(helper), " is no name of a credential helper"));
    return run_helper({cat("docker-credential-", helper), verb}, input);
}

Result<std::optional<Credentials>> from_helper(const std::string& helper, const std::string& host) {
    HelperAnswer answer = TRY(ask_helper(helper, "get", host));
    if (answer.status) {
        std::string said = answer.output.empty() ? answer.errors : answer.output;
        if (said.find("credentials not found") != said.npos) return std::optional<Credentials>();
        return error(Errc::failed, cat("docker-credential-", helper, " get ", host, ": ", trim(said).substr(0, 300)));
    }
    auto read = [&]() -> Result<Credentials> {
        auto document = TRY(format::json_parse(answer.output));
        auto user = json_member(TRY(json_object(document.root())), "Username"), secret = json_member(document.root(), "Secret");
        if (!user || !secret) return error(Errc::invalid, "it answers without Username or Secret");
        std::string name = TRY(json_text(*user)), word = TRY(json_text(*secret));
        if (name == "<token>") return Credentials{.user = "", .password = "", .identity_token = word};
        return Credentials{.user = name, .password = word, .identity_token = ""};
    };
    auto credentials = read().within(cat("docker-credential-", helper));
    if (!credentials) return std::move(credentials).error();
    return std::optional(std::move(*credentials));
}

std::string host_of(const std::string& name) {
    return name.substr(0, name.find('/'));
}

std::string helper_for(const AuthFile& file, const std::string& host) {
    for (const auto& [key, helper] : file.helpers)
        if (key == host) return helper;
    return file.store;
}

Result<AuthFile> parse_place(const Place& place, std::string_view text) {
    return place.old ? parse_old_auth_file(text, place.path) : parse_auth_file(text, place.path);
}

// A value as it was, whatever it is.
void copy_json(format::JsonWriter& json, Json value) {
    switch (value.kind()) {
        case format::JsonKind::object:
            json.begin_object();
            for (Json member : value) {
                json.key(member.key());
                copy_json(json, member);
            }
            json.end_object();
            break;
        case format::JsonKind::array:
            json.begin_array();
            for (Json item : value) copy_json(json, item);
            json.end_array();
            break;
        case format::JsonKind::string:
            json.value(value.text());
            break;
        default:
            json.raw(value.text());
    }
}

// The file anew, which has been parsed before: everything but "auths" as it is, and in that what `keep` lets stay of plain keys,
// and the new one.
std::string rewritten(std::string_view old, const std::function<bool(std::string_view key)>& keep,
                      const std::string& new_key, const std::string& auth) {
    auto document = format::json_parse(trim(old).empty() ? "{}" : old);
    format::JsonWriter json;
    json.begin_object().key("auths").begin_object();
    if (auto auths = json_member(document->root(), "auths"))
        for (Json member : *auths) {
            if (!keep(plain_key(member.key()))) continue;
            json.key(member.key());
            copy_json(json, member);
        }
    if (!new_key.empty()) json.key(new_key).begin_object().member("auth", auth).end_object();
    json.end_object();
    for (Json member : document->root()) {
        if (member.key() == "auths") continue;
        json.key(member.key());
        copy_json(json, member);
    }
    json.end_object();
    return json.take();
}

Result<> write_secret(const std::string& path, std::string_view text) {
    size_t slash = path.rfind('/');
    std::string directory = slash == path.npos ? "." : path.substr(0, slash ? slash : 1),
                name = slash == path.npos ? path : path.substr(slash + 1);
    if (directory.starts_with('/')) TRY(make_dirs_at(AT_FDCWD, directory, 0700));
    Fd dir = TRY(open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY));
    return replace_file_at(dir.get(), name.c_str(), text, 0600).within(path);
}
}  // namespace

Result<std::optional<Credentials>> find_credentials(const std::string& name, const PlaceOptions& options) {
    if (options.anonymous) return std::optional<Credentials>();
    if (options.credentials) return options.credentials;
    for (const Place& place : places(options)) {
        bool asked_for = !options.authfile.empty();
        auto read = read_if_there(place.path);
        // Another user's directory, in an environment that was kept by sudo: not ours to complain of.
        if (!read && read.error().err == EACCES && !asked_for) continue;
        std::optional<std::string> text = TRY(std::move(read));
        if (!text && asked_for) return error(Errc::not_found, cat("--authfile: there is no ", quoted(options.authfile)));
        if (!text) continue;
        AuthFile file = TRY(parse_place(place, *text));
        std::string helper = helper_for(file, host_of(name));
        if (!helper.empty())
            if (auto found = TRY(from_helper(helper, host_of(name)).within(place.path))) return found;
        if (const AuthEntry* entry = find_auth(file, name)) return std::optional(entry->credentials);
    }
    return std::optional<Credentials>();
}

Result<std::string> login_file(const PlaceOptions& options) {
    return places(options).front().path;
}

Result<> keep_login(const std::string& key, const Credentials& credentials, const PlaceOptions& options) {
    std::string path = TRY(login_file(options));
    std::string text = TRY(read_if_there(path)).value_or("");
    AuthFile file = TRY(parse_auth_file(text, path));
    std::string helper = helper_for(file, host_of(key));
    if (!helper.empty()) {
        format::JsonWriter json(format::JsonStyle::compact);
        json.begin_object()
            .member("ServerURL", key)
            .member("Username", credentials.user)
            .member("Secret", credentials.password)
            .end_object();
        HelperAnswer answer = TRY(ask_helper(helper, "store", json.text()));
        if (!answer.status) return {};
        return error(Errc::failed,
                     cat("docker-credential-", helper, " store: ",
                         trim(answer.output.empty() ? answer.errors : answer.output).substr(0, 300)));
    }
    auto others = [&](std::string_view one) { return one != key; };
    return write_secret(path, rewritten(text, others, key, to_base64(cat(credentials.user, ":", credentials.password))));
}

Result<bool> forget_login(const std::string& key, const PlaceOptions& options) {
    std::string path = TRY(login_file(options));
    auto text = TRY(read_if_there(path));
    if (!text) return false;
    AuthFile file = TRY(parse_auth_file(*text, path));
    std::string helper = key.empty() ? "" : helper_for(file, host_of(key));
    bool found = false;
    if (!helper.empty()) found = TRY(ask_helper(helper, "erase", key)).status == 0;
    auto goes = [&](std::string_view one) { return key.empty() || one == key; };
    bool in_file = std::ranges::any_of(file.auths, [&](const AuthEntry& entry) { return goes(entry.key); });
    if (in_file) TRY(write_secret(path, rewritten(*text, [&](std::string_view one) { return !goes(one); }, "", "")));
    return found || in_file;
}

}  // namespace croft::registry
