// The file itself; what follows from it is in candidates.cc. This is the only file that shows toml++ to croft.
#include "registry/registries_conf.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/fd.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace croft::registry {

namespace {
std::string place(const toml::node& node, const std::string& path) {
    return cat(path, ":", node.source().begin.line);
}

Error wrong(const toml::node& node, const std::string& path, std::string_view key, std::string_view wanted) {
    return error(Errc::invalid, cat(place(node, path), ": ", key, " must be ", wanted));
}

Result<std::string> text_of(const toml::table& table, const char* key, const std::string& path) {
    const toml::node* node = table.get(key);
    if (!node) return std::string();
    if (!node->is_string()) return wrong(*node, path, key, "a string");
    return node->as_string()->get();
}

Result<bool> truth_of(const toml::table& table, const char* key, const std::string& path) {
    const toml::node* node = table.get(key);
    if (!node) return false;
    if (!node->is_boolean()) return wrong(*node, path, key, "true or false");
    return node->as_boolean()->get();
}

Result<const toml::array*> array_of(const toml::table& table, const char* key, const std::string& path) {
    const toml::node* node = table.get(key);
    if (!node) return nullptr;
    if (!node->is_array()) return wrong(*node, path, key, "an array");
    return node->as_array();
}

Result<Mirror> read_mirror(const toml::table& table, const std::string& path) {
    Mirror out{.location = TRY(text_of(table, "location", path)), .insecure = TRY(truth_of(table, "insecure", path))};
    if (out.location.empty()) return wrong(table, path, "location", "told of a mirror");
    std::string pull = TRY(text_of(table, "pull-from-mirror", path));
    if (pull == "digest-only") out.pull = Mirror::Pull::digest_only;
    else if (pull == "tag-only") out.pull = Mirror::Pull::tag_only;
    else if (!pull.empty() && pull != "all") return wrong(table, path, "pull-from-mirror", "all, digest-only or tag-only");
    return out;
}

Result<RegistryRule> read_rule(const toml::table& table, const std::string& path) {
    RegistryRule out{.prefix = TRY(text_of(table, "prefix", path)), .location = TRY(text_of(table, "location", path))};
    out.insecure = TRY(truth_of(table, "insecure", path)), out.blocked = TRY(truth_of(table, "blocked", path));
    out.mirror_by_digest_only = TRY(truth_of(table, "mirror-by-digest-only", path));
    if (out.prefix.empty()) out.prefix = out.location;
    if (out.prefix.empty()) return wrong(table, path, "prefix or location", "told of a registry");
    bool wildcard = out.prefix.starts_with("*.");
    if (out.prefix.find('*', wildcard ? 1 : 0) != out.prefix.npos)
        return wrong(table, path, "prefix", "a name, or *. and the end of one");
    if (const toml::array* mirrors = TRY(array_of(table, "mirror", path)))
        for (const toml::node& one : *mirrors) {
            if (!one.is_table()) return wrong(one, path, "mirror", "a table");
            out.mirrors.push_back(TRY(read_mirror(*one.as_table(), path)));
        }
    return out;
}

// One of a later file with the same prefix takes the place of the earlier one.
void add_rule(RegistriesConf& conf, RegistryRule rule) {
    std::erase_if(conf.rules, [&](const RegistryRule& one) { return one.prefix == rule.prefix; });
    conf.rules.push_back(std::move(rule));
}

Result<> read_aliases(const toml::node& node, const std::string& path, RegistriesConf& conf) {
    if (!node.is_table()) return wrong(node, path, "aliases", "a table");
    for (const auto& [key, value] : *node.as_table()) {
        if (!value.is_string()) return wrong(value, path, key.str(), "a string");
        std::string name(key.str()), full = value.as_string()->get();
        if (full.empty()) {
            conf.aliases.erase(name);
            continue;
        }
        auto reference = image::parse_docker_name(full);
        if (!reference || reference->host.empty() || !reference->tag.empty() || reference->digest)
            return wrong(value, path, name, "HOST/NAME, without tag and digest");
        conf.aliases[name] = full;
    }
    return {};
}

Result<> read_table(const toml::table& table, const std::string& path, RegistriesConf& conf) {
    if (table.contains("registries"))
        return error(Errc::unsupported, cat(path,
                                            ": [registries.…] is the format's version 1; write [[registry]] "
                                            "tables and unqualified-search-registries"));
    if (const toml::array* search = TRY(array_of(table, "unqualified-search-registries", path))) {
        conf.search.clear();
        for (const toml::node& one : *search) {
            if (!one.is_string()) return wrong(one, path, "unqualified-search-registries", "strings");
            conf.search.push_back(one.as_string()->get());
        }
    }
    std::string mode = TRY(text_of(table, "short-name-mode", path));
    if (!mode.empty() && mode != "enforcing" && mode != "permissive" && mode != "disabled")
        return wrong(*table.get("short-name-mode"), path, "short-name-mode", "enforcing, permissive or disabled");
    if (!mode.empty()) conf.short_name_mode = mode;
    if (const toml::array* rules = TRY(array_of(table, "registry", path)))
        for (const toml::node& one : *rules) {
            if (!one.is_table()) return wrong(one, path, "registry", "a table ([[registry]])");
            RegistryRule rule = TRY(read_rule(*one.as_table(), path));
            add_rule(conf, std::move(rule));
        }
    if (const toml::node* aliases = table.get("aliases")) TRY(read_aliases(*aliases, path, conf));
    conf.files.push_back(path);
    return {};
}

std::vector<std::string> files_in(const std::string& directory) {
    std::vector<std::string> out;
    DIR* dir = opendir(directory.c_str());
    if (!dir) return out;
    OnExit close([&] { closedir(dir); });
    while (dirent* entry = readdir(dir))
        if (std::string_view(entry->d_name).ends_with(".conf")) out.push_back(cat(directory, "/", entry->d_name));
    std::ranges::sort(out);
    return out;
}

Result<bool> read_file(const std::string& path, RegistriesConf& conf) {
    auto text = read_file_at(AT_FDCWD, path.c_str());
    if (!text && (text.error().err == ENOENT || text.error().err == ENOTDIR)) return false;
    if (!text) return std::move(text).error().within(path);
    TRY(read_registries_conf(*text, path, conf));
    return true;
}
}  // namespace

Result<> read_registries_conf(std::string_view text, const std::string& path, RegistriesConf& conf) {
    toml::parse_result parsed = toml::parse(text, path);
    if (!parsed) {
        const toml::parse_error& how = parsed.error();
        return error(Errc::invalid, cat(path, ":", how.source().begin.line, ": ", how.description()));
    }
    return read_table(parsed.table(), path, conf);
}

Result<RegistriesConf> load_registries_conf(const PlaceOptions& options) {
    RegistriesConf conf;
    const char* variable = getenv("CONTAINERS_REGISTRIES_CONF");
    std::string only = !options.registries_conf.empty() ? options.registries_conf : variable ? variable : "";
    if (!only.empty()) {
        if (!TRY(read_file(only, conf)))
            return error(Errc::not_found,
                         cat("there is no ", quoted(only), ", which shall tell about registries"));
        return conf;
    }
    const char* home = getenv("HOME");
    const char* config = getenv("XDG_CONFIG_HOME");
    std::string own = config && *config ? cat(config, "/containers") : home && *home ? cat(home, "/.config/containers") : "";
    bool found = !own.empty() && TRY(read_file(own + "/registries.conf", conf));
    if (!found) TRY(read_file("/etc/containers/registries.conf", conf));
    for (const std::string& file : files_in("/etc/containers/registries.conf.d")) TRY(read_file(file, conf));
    if (own.empty()) return conf;
    for (const std::string& file : files_in(own + "/registries.conf.d")) TRY(read_file(file, conf));
    return conf;
}

}  // namespace croft::registry
