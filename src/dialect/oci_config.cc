#include "dialect/oci_config.h"

#include "dialect/oci_parts.h"

namespace croft::dialect {

namespace {
using spec::MachineSpec;
using std::string_view;

// ------------------------------------------------------------ the top

// What comes out besides the spec proper.
struct Config : MachineSpec {
    std::string version;
};

bool is_number(string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// SemVer: three numbers, then "-rc.1" and "+build" perhaps. Within a major version a later one only adds, and
// what is added and not known is warned about member by member.
Result<> version(Json v, Config& out, JsonNotes& notes) {
    out.version = TRY(json_text(v));
    string_view numbers = string_view(out.version).substr(0, out.version.find_first_of("-+"));
    size_t first = numbers.find('.'), second = numbers.find('.', first + 1);
    bool three = first != numbers.npos && second != numbers.npos && is_number(numbers.substr(0, first)) &&
                 is_number(numbers.substr(first + 1, second - first - 1)) &&
                 is_number(numbers.substr(second + 1));
    if (!three) return json_error(v, cat(croft::quoted(out.version), " is no version (1.3.0)"));
    if (numbers.substr(0, first) != "1")
        return json_error(v, cat(croft::quoted(out.version), " is not supported: this is a runtime for 1.x"));
    auto minor = parse_uint(numbers.substr(first + 1, second - first - 1));
    if (!minor || *minor > 3)
        notes.warn(v, cat(croft::quoted(out.version), " is newer than this runtime, which knows 1.3"));
    return {};
}

Result<> root_path(Json v, spec::Root& root, JsonNotes&) {
    root.directory = TRY(json_text(v));
    if (root.directory.empty()) return json_error(v, "is empty");
    return {};
}
Result<> root_readonly(Json v, spec::Root& root, JsonNotes&) {
    root.read_only = TRY(json_bool(v));
    return {};
}
constexpr JsonRow<spec::Root> root_rows[] = {{"path", root_path, Presence::required},
                                             {"readonly", root_readonly}};
Result<> root(Json v, Config& out, JsonNotes& notes) {
    return json_members(v, root_rows, out.root, notes);
}

// Linux's limit of both names (uname(2)).
Result<std::string> node_name(Json v) {
    std::string name = TRY(json_text(v));
    if (name.size() > 64) return json_error(v, "is longer than the 64 bytes that a kernel keeps");
    return name;
}
Result<> hostname(Json v, Config& out, JsonNotes&) {
    out.integration.hostname = TRY(node_name(v));
    return {};
}
Result<> domainname(Json v, Config& out, JsonNotes&) {
    out.integration.domainname = TRY(node_name(v));
    return {};
}

Result<> annotations(Json v, Config& out, JsonNotes&) {
    for (Json member : TRY(json_map(v)))
        out.integration.annotations.emplace_back(member.key(), TRY(json_text(member)));
    return {};
}

template <Result<> (*Read)(Json, MachineSpec&, JsonNotes&)>
Result<> part(Json v, Config& out, JsonNotes& notes) {
    return Read(v, out, notes);
}

// It asks for a kernel of its own, so without one the container would be isolated less than it was meant to
// be.
Result<> virtual_machine(Json v, Config&, JsonNotes&) {
    return json_error(v, "asks for a virtual machine, and croft-oci makes containers only");
}
Result<> other_system(Json v, Config&, JsonNotes& notes) {
    notes.warn(v, "is of another operating system, and ignored");
    return {};
}

constexpr JsonRow<Config> config_rows[] = {{"ociVersion", version, Presence::required},
                                           {"process", part<read_oci_process>},
                                           {"root", root, Presence::required},
                                           {"hostname", hostname},
                                           {"domainname", domainname},
                                           {"mounts", part<read_oci_mounts>},
                                           {"hooks", part<read_oci_hooks>},
                                           {"annotations", annotations},
                                           {"linux", part<read_oci_linux>},
                                           {"vm", virtual_machine},
                                           {"windows", other_system},
                                           {"solaris", other_system},
                                           {"freebsd", other_system},
                                           {"zos", other_system}};

// ------------------------------------------------------------ what a bundle is before a word of it is read

MachineSpec empty_bundle() {
    MachineSpec out;
    out.root.layout = spec::Layout::bundle;
    out.root.os_check = spec::OsCheck::skip;
    out.users.mode = spec::UserNamespace::Mode::no;
    out.users.ownership = spec::UserNamespace::Ownership::off;
    out.network.mode = spec::Network::Mode::host;
    for (std::string* name : {&out.namespaces.ipc, &out.namespaces.uts, &out.namespaces.cgroup,
                              &out.namespaces.pid, &out.namespaces.mount})
        *name = "host";
    out.security.capabilities = spec::CapabilitySets();
    out.security.no_new_privileges = false;
    out.security.seccomp_off = true;
    out.security.masked_paths = out.security.readonly_paths = std::vector<std::string>();
    out.process.terminal = spec::Terminal::none;
    out.process.interactive = true;
    out.process.notify_ready = spec::NotifyReady::no;
    out.process.user.ids = {0, 0};
    out.integration.resolv_conf = out.integration.timezone = "off";
    return out;
}

// Members whose meaning depends on another part.
Result<> check(const MachineSpec& spec, Json root) {
    auto complain = [&](string_view part, string_view name, string_view text) -> Error {
        auto object = part.empty() ? root : json_member(root, part).value_or(root);
        return json_error(json_member(object, name).value_or(object), text);
    };
    const spec::Namespaces& ns = spec.namespaces;
    if (!spec.integration.hostname.empty() && ns.uts == "host")
        return complain("", "hostname", "needs a uts namespace in linux.namespaces");
    if (!spec.integration.domainname.empty() && ns.uts == "host")
        return complain("", "domainname", "needs a uts namespace in linux.namespaces");
    bool offsets = ns.monotonic_offset || ns.boottime_offset;
    if (offsets && (!ns.time || !ns.time_path.empty()))
        return complain("linux", "timeOffsets", "needs a new time namespace in linux.namespaces");
    if (!spec.net_devices.empty() && spec.network.mode == spec::Network::Mode::host)
        return complain("linux", "netDevices", "needs a network namespace in linux.namespaces");
    bool own_users = spec.users.mode == spec::UserNamespace::Mode::maps;
    bool maps = !spec.users.uid_maps.empty() || !spec.users.gid_maps.empty();
    if (maps && !own_users)
        return complain("linux", spec.users.uid_maps.empty() ? "gidMappings" : "uidMappings",
                        "needs a user namespace in linux.namespaces");
    if (own_users && spec.users.path.empty() && (spec.users.uid_maps.empty() || spec.users.gid_maps.empty()))
        return complain("linux", "namespaces",
                        "has a new user namespace, which needs uidMappings and gidMappings");
    auto mounts = json_member(root, "mounts");
    if (own_users || !mounts) return {};
    size_t index = 0;
    for (Json at : *mounts) {
        const spec::Mount& mount = spec.mounts[index++];
        if (mount.ids == spec::BindIds::idmap && mount.uid_mappings.empty())
            return json_error(at, "has idmap, but neither it nor the container has mappings");
    }
    return {};
}

// Paths of the host that are relative start at the bundle.
void resolve(MachineSpec& spec, const std::string& directory) {
    auto from_bundle = [&](std::string& path) {
        if (!path.starts_with('/')) path = cat(directory, "/", path);
    };
    from_bundle(spec.root.directory);
    for (spec::Mount& mount : spec.mounts)
        if (mount.kind == spec::Mount::Kind::bind) from_bundle(mount.source);
}

OciSpec finished(MachineSpec spec, JsonNotes notes, std::string version = {}) {
    return {std::move(spec), std::move(version), std::move(notes.warnings)};
}

JsonNotes tolerant() {
    return {.unknown = JsonNotes::Unknown::warn};
}
}  // namespace

Result<OciSpec> parse_oci_config(string_view text, const OciBundle& bundle) {
    auto document = TRY(json_parse(text));
    JsonNotes notes = tolerant();
    Config config{empty_bundle()};
    config.name = bundle.id;
    TRY(json_members(document.root(), config_rows, config, notes));
    TRY(check(config, document.root()));
    resolve(config, bundle.directory);
    std::string version = std::move(config.version);
    return finished(std::move(config), std::move(notes), std::move(version));
}

Result<OciSpec> parse_oci_process(string_view text) {
    auto document = TRY(json_parse(text));
    JsonNotes notes = tolerant();
    MachineSpec out = empty_bundle();
    out.security.capabilities.reset();  // not told: the container's
    TRY(read_oci_process(document.root(), out, notes));
    return finished(std::move(out), std::move(notes));
}

Result<OciSpec> parse_oci_resources(string_view text) {
    auto document = TRY(json_parse(text));
    JsonNotes notes = tolerant();
    MachineSpec out = empty_bundle();
    TRY(read_oci_resources(document.root(), out, notes));
    return finished(std::move(out), std::move(notes));
}

}  // namespace croft::dialect
