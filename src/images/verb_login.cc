// login, logout: names and passwords for registries, kept where podman, skopeo and docker look for them.
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "images/functions.h"
#include "images/places.h"
#include "registry/auth_file.h"
#include "registry/registries_conf.h"

namespace croft::images {

namespace {
// HOST or HOST/NAMESPACE; "docker://" in front is forgiven.
Result<image::Reference> registry_of(const cli::Verb& verb, std::string word) {
    for (std::string_view prefix : {"docker://", "https://", "http://"})
        if (word.starts_with(prefix)) word.erase(0, prefix.size());
    while (word.ends_with('/')) word.pop_back();
    // A host alone is no image: a name is put behind it and forgotten again.
    bool alone = word.find('/') == std::string::npos;
    auto read = image::parse_docker_name(alone ? word + "/x" : word);
    if (!read || read->host.empty() || !read->tag.empty() || read->digest)
        return error(Errc::invalid, cat(verb.name, ": ", quoted(word),
                                        " is no registry (HOST, HOST:PORT or HOST/NAMESPACE; a host without "
                                        "a dot is written with its port)"));
    if (alone) read->name.clear();
    return read;
}

std::string key_of(const image::Reference& registry) {
    return registry.name.empty() ? registry.host : cat(registry.host, "/", registry.name);
}

Result<std::string> password_from_stdin() {
    std::string out = TRY(read_all(STDIN_FILENO, 64 << 10).within("--password-stdin"));
    while (out.ends_with('\n') || out.ends_with('\r')) out.pop_back();
    if (out.empty()) return error(Errc::invalid, "--password-stdin: there is no password on standard input");
    return out;
}

Result<std::string> ask_name(const std::string& key) {
    if (!cli::is_terminal(STDIN_FILENO)) return error(Errc::usage, "image login: --username is needed where nobody can be asked");
    TRY(write_all(STDERR_FILENO, cat("Name at ", key, ": ")));
    std::string out(256, '\0');
    ssize_t count = read(STDIN_FILENO, out.data(), out.size());
    out.resize(count > 0 ? static_cast<size_t>(count) : 0);
    out = trim(out);
    if (out.empty()) return error(Errc::usage, "image login: a name is needed");
    return out;
}

Result<registry::Credentials> credentials_of(const cli::Arguments& args, const std::string& key) {
    const std::string *name = args.value("--username"), *password = args.value("--password");
    bool from_stdin = args.has("--password-stdin");
    if (password && from_stdin) return error(Errc::usage, "image login: --password and --password-stdin cannot both be meant");
    if (from_stdin && !name) return error(Errc::usage, "image login: --password-stdin needs --username");
    registry::Credentials out;
    out.user = name ? *name : TRY(ask_name(key));
    if (out.user.find(':') != out.user.npos) return error(Errc::invalid, "image login: a name cannot hold a ':' (RFC 7617)");
    if (password) out.password = *password;
    else
        out.password = from_stdin ? TRY(password_from_stdin())
                                  : TRY(ask_password(cat("Password of ", out.user, " at ", key, ": ")));
    return out;
}

// Whether the registry takes it: a wrong password is better known now.
Result<> try_login(const image::Reference& registry, registry::PlaceOptions options, const registry::Credentials& credentials) {
    options.credentials = credentials;
    auto conf = TRY(registry::load_registries_conf(options));
    image::Reference asked = registry;
    // Only the insecure flag of the host is of interest here; any repository of it will do.
    if (asked.name.empty()) asked.name = "x";
    registry::Endpoint endpoint = TRY(registry::target_endpoint(asked, conf, options));
    return registry::RegistryClient::check_login(endpoint, options);
}
}  // namespace

Result<int> verb_login(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    image::Reference registry = TRY(registry_of(verb, args.operands[0]));
    registry::PlaceOptions options = TRY(place_options(args, Side::only));
    std::string key = key_of(registry);
    if (args.has("--get-login")) {
        auto found = TRY(registry::find_credentials(key, options));
        if (!found) return error(Errc::not_found, cat("there is no login for ", key));
        TRY(cli::print(cat(found->identity_token.empty() ? found->user : "(a token)", "\n")));
        return 0;
    }
    registry::Credentials credentials = TRY(credentials_of(args, key));
    cli::Interrupt interrupt;
    Result<> tried = try_login(registry, options, credentials);
    if (int signal = cli::Interrupt::signal(); signal && !tried) cli::die_of(signal);
    TRY(std::move(tried).within(cat("login to ", key)));
    TRY(registry::keep_login(key, credentials, options));
    if (!args.has("--quiet"))
        info(cat("login to ", key, " succeeded; it is kept in ", TRY(registry::login_file(options)),
                 " or a credential helper named there"));
    return 0;
}

Result<int> verb_logout(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(parse_arguments(verb, arguments));
    bool all = args.has("--all");
    TRY(expect_operands(verb, args, all ? 0 : 1, all ? 0 : 1));
    registry::PlaceOptions options = TRY(place_options(args, Side::only));
    std::string key;
    if (!all) key = key_of(TRY(registry_of(verb, args.operands[0])));
    if (!TRY(registry::forget_login(key, options))) {
        std::string file = TRY(registry::login_file(options));
        return error(Errc::not_found, all ? cat("no login is kept in ", file) : cat("no login for ", key, " is kept in ", file));
    }
    if (!args.has("--quiet")) info(all ? "all logins are removed" : cat("the login to ", key, " is removed"));
    return 0;
}

}  // namespace croft::images
