// config.json: mounts.
#include "dialect/oci_parts.h"
#include "dialect/oci_words.h"
#include "spec/name_tables.h"

namespace croft::dialect {

namespace {
using spec::Mount;
using std::string_view;

// The rest are options of file systems, which only these know.
constexpr string_view mount_options[] = {"acl",
                                         "async",
                                         "atime",
                                         "bind",
                                         "defaults",
                                         "dev",
                                         "diratime",
                                         "dirsync",
                                         "exec",
                                         "idmap",
                                         "iversion",
                                         "lazytime",
                                         "loud",
                                         "mand",
                                         "noacl",
                                         "noatime",
                                         "nodev",
                                         "nodiratime",
                                         "noexec",
                                         "noiversion",
                                         "nolazytime",
                                         "nomand",
                                         "norelatime",
                                         "nostrictatime",
                                         "nosuid",
                                         "nosymfollow",
                                         "private",
                                         "ratime",
                                         "rbind",
                                         "rdev",
                                         "rdiratime",
                                         "relatime",
                                         "remount",
                                         "rexec",
                                         "ridmap",
                                         "rnoatime",
                                         "rnodev",
                                         "rnodiratime",
                                         "rnoexec",
                                         "rnorelatime",
                                         "rnostrictatime",
                                         "rnosuid",
                                         "rnosymfollow",
                                         "ro",
                                         "rprivate",
                                         "rrelatime",
                                         "rro",
                                         "rrw",
                                         "rshared",
                                         "rslave",
                                         "rstrictatime",
                                         "rsuid",
                                         "rsymfollow",
                                         "runbindable",
                                         "rw",
                                         "shared",
                                         "silent",
                                         "slave",
                                         "strictatime",
                                         "suid",
                                         "symfollow",
                                         "sync",
                                         "tmpcopyup",
                                         "unbindable"};
static_assert(std::ranges::is_sorted(mount_options));

// Options as they come, and which of them were seen.
struct Raw : Mount {
    bool bind = false, mapped = false;
    std::optional<Json> options_at, uid_at, gid_at;
};

Result<> destination(Json v, Raw& mount, JsonNotes& notes) {
    mount.target = TRY(json_text(v));
    if (mount.target.empty()) return json_error(v, "is empty");
    if (mount.target.starts_with('/')) return {};
    notes.warn(v, cat(croft::quoted(mount.target), " is not absolute, which is deprecated"));
    mount.target.insert(0, "/");
    return {};
}

Result<> take_option(Json item, Raw& mount) {
    std::string word = TRY(json_text(item));
    if (auto propagation = oci_propagation(word); propagation != spec::Propagation::unset) {
        mount.propagation = propagation;
    } else if (word == "bind" || word == "rbind") {
        mount.bind = true;
        mount.recursive = word == "rbind";
    } else if (word == "ro" || word == "rw") {
        mount.writable = word == "rw";
    } else if (word == "idmap" || word == "ridmap") {
        mount.mapped = true;
        mount.map_recursive = word == "ridmap";
    } else if (word.starts_with("idmap=") || word.starts_with("ridmap=")) {
        // An extension of another runtime. Ignored it would leave files to other owners than was meant.
        return json_error(
            item, cat(croft::quoted(word), " is not known: mappings go into uidMappings and gidMappings"));
    } else if (word.empty()) {
        return json_error(item, "is empty");
    } else if (word != "defaults") {
        mount.options.push_back(std::move(word));
    }
    return {};
}

Result<> options(Json v, Raw& mount, JsonNotes&) {
    mount.options_at = v;
    for (Json item : TRY(json_array(v))) TRY(take_option(item, mount));
    return {};
}

Result<> uid_mappings(Json v, Raw& mount, JsonNotes& notes) {
    mount.uid_at = v;
    return read_oci_id_maps(v, mount.uid_mappings, notes);
}
Result<> gid_mappings(Json v, Raw& mount, JsonNotes& notes) {
    mount.gid_at = v;
    return read_oci_id_maps(v, mount.gid_mappings, notes);
}

constexpr JsonRow<Raw> mount_rows[] = {{"destination", destination, Presence::required},
                                       {"type", text_into<&Mount::fs_type>},
                                       {"source", text_into<&Mount::source>},
                                       {"options", options},
                                       {"uidMappings", uid_mappings},
                                       {"gidMappings", gid_mappings}};

bool is_known(string_view word) {
    return std::ranges::binary_search(mount_options, word);
}

// A bind mount has no file system of its own to take other options. Engines leave some of another mount at
// it, and kernels never looked at them; a word that is misspelt is another thing.
Result<> check_bind_options(Raw& mount, JsonNotes& notes) {
    if (!mount.options_at) return {};
    for (Json item : *mount.options_at) {
        string_view word = item.text();
        if (is_known(word)) continue;
        std::string sentence = cat(croft::quoted(word), " is no option of a bind mount");
        if (word.find('=') == word.npos)
            return json_error(
                item, cat(sentence, spec::did_you_mean(std::string(word), {std::begin(mount_options),
                                                                           std::end(mount_options)})));
        notes.warn(item, cat(sentence, ", and ignored"));
    }
    std::erase_if(mount.options, [](const std::string& word) { return !is_known(word); });
    return {};
}

Result<Mount> finish(Json item, Raw mount, JsonNotes& notes) {
    if (mount.uid_mappings.empty() != mount.gid_mappings.empty())
        return json_error(item, "uidMappings and gidMappings need each other");
    bool mapped = mount.mapped || !mount.uid_mappings.empty();
    mount.ids = mapped ? spec::BindIds::idmap : spec::BindIds::none;
    if (mount.bind || mount.fs_type == "bind") {
        mount.kind = Mount::Kind::bind;
        mount.recursive = mount.bind && mount.recursive;
        mount.fs_type.clear();
        if (mount.source.empty()) return json_error(item, "is a bind mount without a source");
        TRY(check_bind_options(mount, notes));
    } else {
        mount.kind = Mount::Kind::filesystem;
        mount.recursive = false;
        if (mount.fs_type.empty()) return json_missing(item, "type");
    }
    return static_cast<Mount&&>(mount);
}
}  // namespace

Result<> read_oci_mounts(Json v, spec::MachineSpec& spec, JsonNotes& notes) {
    for (Json item : TRY(json_array(v))) {
        Raw mount;
        TRY(json_members(item, mount_rows, mount, notes));
        spec.mounts.push_back(TRY(finish(item, std::move(mount), notes)));
    }
    return {};
}

spec::Propagation oci_propagation(string_view word) {
    using spec::Propagation;
    constexpr std::pair<string_view, Propagation> table[] = {
        {"private", Propagation::private_},      {"rprivate", Propagation::rprivate},
        {"slave", Propagation::slave},           {"rslave", Propagation::rslave},
        {"shared", Propagation::shared},         {"rshared", Propagation::rshared},
        {"unbindable", Propagation::unbindable}, {"runbindable", Propagation::runbindable}};
    for (const auto& [name, value] : table)
        if (name == word) return value;
    return Propagation::unset;
}

std::span<const string_view> oci_mount_options() {
    return mount_options;
}

}  // namespace croft::dialect
