#include "spec/mount_values.h"

#include <algorithm>

#include "base/text.h"
#include "spec/values.h"

namespace croft::spec {

namespace {
using std::string_view;

constexpr Choice<BindIds> bind_ids[] = {{"noidmap", BindIds::none},
                                        {"idmap", BindIds::idmap},
                                        {"rootidmap", BindIds::root_idmap},
                                        {"owneridmap", BindIds::owner_idmap}};
constexpr Choice<Propagation> propagations[] = {
    {"private", Propagation::private_},      {"rprivate", Propagation::rprivate},
    {"slave", Propagation::slave},           {"rslave", Propagation::rslave},
    {"shared", Propagation::shared},         {"rshared", Propagation::rshared},
    {"unbindable", Propagation::unbindable}, {"runbindable", Propagation::runbindable}};
// Options that every mount can have; the kernel applies them to the mount, not to the file system.
constexpr const char* mount_flags[] = {"nosuid",      "suid",       "nodev",      "dev",
                                       "noexec",      "exec",       "noatime",    "relatime",
                                       "strictatime", "nodiratime", "nosymfollow"};

template <class E, size_t N>
bool take_choice(const Choice<E> (&table)[N], string_view word, E& slot) {
    for (const auto& choice : table)
        if (word == choice.word) return slot = choice.value, true;
    return false;
}

std::vector<std::string> bind_option_names() {
    std::vector<std::string> names = {"rbind", "norbind"};
    for (const auto& choice : bind_ids) names.push_back(choice.word);
    for (const auto& choice : propagations) names.push_back(choice.word);
    names.insert(names.end(), std::begin(mount_flags), std::end(mount_flags));
    return names;
}

Result<> take_bind_option(Mount& mount, const std::string& word) {
    if (word == "rbind" || word == "norbind") {
        mount.recursive = word == "rbind";
        return {};
    }
    if (take_choice(bind_ids, word, mount.ids) || take_choice(propagations, word, mount.propagation))
        return {};
    if (std::ranges::find(mount_flags, word) == std::end(mount_flags)) {
        std::string hint = did_you_mean(word, bind_option_names());
        if (hint.empty()) hint = " (rbind, norbind, idmap, noidmap, rootidmap, owneridmap, nosuid, …)";
        return wrong_value(word, cat("is no bind option", hint));
    }
    mount.options.push_back(word);
    return {};
}

// A source: of the host, or of the tree with '+' in front.
Result<std::string> parse_source(string_view text) {
    if (text.starts_with('+')) return cat("+", TRY(parse_inside_path(text.substr(1))));
    return parse_host_path(text);
}

// Covering one of these would take away what croft itself puts there.
Result<std::string> parse_target(string_view text) {
    std::string path = TRY(parse_inside_path(text));
    for (string_view own : {"/", "/proc", "/sys", "/dev"})
        if (path == own)
            return wrong_value(path, "cannot be covered by another mount: croft itself mounts it");
    return path;
}
}  // namespace

Result<Mount> parse_bind(string_view text, Writable writable) {
    std::vector<std::string> parts = split_escaped(text, ':');
    if (parts.size() > 3)
        return wrong_value(text, "has too many ':' (SRC[:DST[:OPTIONS]]; write a colon of a path as '\\:')");
    Mount mount;
    mount.writable = writable == Writable::yes;
    if (!parts[0].empty()) mount.source = TRY(parse_source(parts[0]));
    string_view target =
        parts.size() > 1 && !parts[1].empty() ? string_view(parts[1]) : string_view(parts[0]);
    if (target.empty()) return wrong_value(text, "names no place inside the machine (SRC:DST)");
    if (target.starts_with('+')) target.remove_prefix(1);
    mount.target = TRY(parse_target(target));
    if (parts.size() == 3)
        for (const std::string& word : split(parts[2], ',')) TRY(take_bind_option(mount, word));
    return mount;
}

Result<Mount> parse_tmpfs(string_view text) {
    std::vector<std::string> parts = split_escaped(text, ':');
    if (parts.size() > 2)
        return wrong_value(text, "has too many ':' (PATH[:OPTIONS]; write a colon of a path as '\\:')");
    Mount mount;
    mount.kind = Mount::Kind::tmpfs;
    mount.target = TRY(parse_target(parts[0]));
    if (parts.size() == 2)
        for (const std::string& word : split(parts[1], ','))
            if (!word.empty()) mount.options.push_back(TRY(parse_text(word)));
    return mount;
}

Result<Mount> parse_overlay(string_view text, Writable writable) {
    std::vector<std::string> parts = split_escaped(text, ':');
    if (parts.size() < 2) return wrong_value(text, "names fewer than two directories (LOWER:…:UPPER:DST)");
    Mount mount;
    mount.kind = Mount::Kind::overlay;
    mount.writable = writable == Writable::yes;
    // systemd-nspawn(1): with two paths the second is both the top directory and the mount point.
    if (parts.size() == 2) parts.push_back(parts[1].starts_with('+') ? parts[1].substr(1) : parts[1]);
    mount.target = TRY(parse_target(parts.back()));
    parts.pop_back();
    for (size_t i = 0; i < parts.size(); ++i) {
        bool fresh_upper = parts[i].empty() && mount.writable && i + 1 == parts.size();
        mount.layers.push_back(fresh_upper ? "" : TRY(parse_source(parts[i])));
    }
    return mount;
}

Result<Mount> parse_inaccessible(string_view text) {
    Mount mount;
    mount.kind = Mount::Kind::inaccessible;
    mount.target = TRY(parse_inside_path(text));
    if (mount.target == "/") return wrong_value(text, "is the whole tree");
    return mount;
}

namespace {
std::string bind_text(const Mount& mount) {
    std::vector<std::string> options;
    if (!mount.recursive) options.push_back("norbind");
    for (const auto& choice : bind_ids)
        if (choice.value == mount.ids) options.push_back(choice.word);
    for (const auto& choice : propagations)
        if (choice.value == mount.propagation) options.push_back(choice.word);
    options.insert(options.end(), mount.options.begin(), mount.options.end());
    string_view source = mount.source;
    if (source.starts_with('+')) source.remove_prefix(1);
    std::string out = escape_colons(mount.source);
    if (source != mount.target || !options.empty()) out += cat(":", escape_colons(mount.target));
    return options.empty() ? out : cat(out, ":", join(options, ","));
}
}  // namespace

std::string mount_text(const Mount& mount) {
    if (mount.kind == Mount::Kind::bind) return bind_text(mount);
    if (mount.kind == Mount::Kind::overlay) {
        std::string out;
        for (const std::string& layer : mount.layers) out += cat(escape_colons(layer), ":");
        return out + escape_colons(mount.target);
    }
    // An inaccessible path is a whole value: its colons need no escape.
    if (mount.kind == Mount::Kind::inaccessible) return mount.target;
    std::string out = escape_colons(mount.target);
    return mount.options.empty() ? out : cat(out, ":", escape_colons(join(mount.options, ",")));
}

}  // namespace croft::spec
