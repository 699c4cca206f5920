// config.json: linux, but for what has a file of its own.
#include "dialect/oci_parts.h"
#include "dialect/oci_words.h"
#include "spec/values.h"

namespace croft::dialect {

namespace {
using spec::MachineSpec;
using std::string_view;

// ------------------------------------------------------------ namespaces

struct Namespace {
    std::string type, path;
};
Result<> namespace_type(Json v, Namespace& out, JsonNotes&) {
    out.type = TRY(json_word(v, namespace_types));
    return {};
}
Result<> namespace_path(Json v, Namespace& out, JsonNotes&) {
    // Engines write "" for a new one.
    if (TRY(json_text(v)).empty()) return {};
    out.path = TRY(json_absolute(v));
    return {};
}
constexpr JsonRow<Namespace> namespace_rows[] = {{"type", namespace_type, Presence::required},
                                                 {"path", namespace_path}};

void take(MachineSpec& spec, Namespace one) {
    spec::Namespaces& ns = spec.namespaces;
    const std::pair<string_view, std::string*> plain[] = {
        {"ipc", &ns.ipc}, {"uts", &ns.uts}, {"cgroup", &ns.cgroup}, {"pid", &ns.pid}, {"mount", &ns.mount}};
    for (const auto& [type, slot] : plain)
        if (type == one.type) *slot = one.path;
    if (one.type == "time") {
        ns.time = true;
        ns.time_path = one.path;
    } else if (one.type == "network") {
        spec.network.mode = one.path.empty() ? spec::Network::Mode::none : spec::Network::Mode::path;
        spec.network.path = one.path;
    } else if (one.type == "user") {
        spec.users.mode = spec::UserNamespace::Mode::maps;
        spec.users.path = one.path;
    }
}

// ------------------------------------------------------------ ids

using spec::IdMapping;
Result<> map_size(Json v, IdMapping& map, JsonNotes&) {
    map.count = static_cast<uint32_t>(TRY(json_number(v, UINT32_MAX)));
    if (!map.count) return json_error(v, "is 0");
    return {};
}
constexpr JsonRow<IdMapping> map_rows[] = {
    {"containerID", uint32_into<&IdMapping::inside>, Presence::required},
    {"hostID", uint32_into<&IdMapping::outside>, Presence::required},
    {"size", map_size, Presence::required}};

bool overlap(uint32_t a, uint32_t b, const IdMapping& x, const IdMapping& y) {
    return a < uint64_t{b} + y.count && b < uint64_t{a} + x.count;
}

// ------------------------------------------------------------ the rest

Result<> uid_mappings(Json v, MachineSpec& spec, JsonNotes& notes) {
    return read_oci_id_maps(v, spec.users.uid_maps, notes);
}
Result<> gid_mappings(Json v, MachineSpec& spec, JsonNotes& notes) {
    return read_oci_id_maps(v, spec.users.gid_maps, notes);
}

Result<> sysctl(Json v, MachineSpec& spec, JsonNotes&) {
    for (Json member : TRY(json_map(v)))
        spec.security.sysctls.emplace_back(member.key(), TRY(json_text(member)));
    return {};
}

// What systemd's manager makes of "slice:prefix:name" is not for here.
Result<> cgroups_path(Json v, MachineSpec& spec, JsonNotes&) {
    spec.resources.cgroup_path = TRY(json_text(v));
    for (const std::string& part : split(spec.resources.cgroup_path, '/'))
        if (part == "..")
            return json_error(v, cat(croft::quoted(spec.resources.cgroup_path), " leads upwards"));
    return {};
}

Result<> seccomp(Json v, MachineSpec& spec, JsonNotes& notes) {
    spec.security.seccomp = TRY(read_seccomp(v, notes));
    spec.security.seccomp_off = false;
    return {};
}

Result<> propagation(Json v, MachineSpec& spec, JsonNotes&) {
    std::string word = TRY(json_text(v));
    spec.root.propagation = oci_propagation(word);
    if (spec.root.propagation == spec::Propagation::unset && !word.empty())
        return json_error(v, cat(croft::quoted(word), " is not shared, slave, private or unbindable"));
    return {};
}

Result<> masked_paths(Json v, MachineSpec& spec, JsonNotes&) {
    spec.security.masked_paths = TRY(json_absolutes(v));
    return {};
}
Result<> readonly_paths(Json v, MachineSpec& spec, JsonNotes&) {
    spec.security.readonly_paths = TRY(json_absolutes(v));
    return {};
}

Result<> mount_label(Json v, MachineSpec& spec, JsonNotes&) {
    spec.process.selinux_mount_label = TRY(json_text(v));
    return {};
}

Result<> personality_domain(Json v, spec::Process& process, JsonNotes&) {
    constexpr string_view domains[] = {"LINUX", "LINUX32"};
    process.personality = TRY(json_word(v, domains));
    return {};
}
Result<> personality_flags(Json v, spec::Process&, JsonNotes&) {
    for (Json item : TRY(json_array(v)))
        return json_error(item, "is not known: there are no personality flags yet");
    return {};
}
constexpr JsonRow<spec::Process> personality_rows[] = {{"domain", personality_domain, Presence::required},
                                                       {"flags", personality_flags}};
Result<> personality(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, personality_rows, spec.process, notes);
}

constexpr JsonRow<MachineSpec> linux_rows[] = {{"namespaces", read_oci_namespaces},
                                               {"uidMappings", uid_mappings},
                                               {"gidMappings", gid_mappings},
                                               {"timeOffsets", read_oci_time_offsets},
                                               {"devices", read_oci_devices},
                                               {"netDevices", read_oci_net_devices},
                                               {"cgroupsPath", cgroups_path},
                                               {"resources", read_oci_resources},
                                               {"intelRdt", read_oci_rdt},
                                               {"memoryPolicy", read_oci_memory_policy},
                                               {"sysctl", sysctl},
                                               {"seccomp", seccomp},
                                               {"rootfsPropagation", propagation},
                                               {"maskedPaths", masked_paths},
                                               {"readonlyPaths", readonly_paths},
                                               {"mountLabel", mount_label},
                                               {"personality", personality}};
}  // namespace

Result<> read_oci_linux(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, linux_rows, spec, notes);
}

Result<> read_oci_namespaces(Json v, MachineSpec& spec, JsonNotes& notes) {
    std::vector<std::string> seen;
    for (Json item : TRY(json_array(v))) {
        Namespace one;
        TRY(json_members(item, namespace_rows, one, notes));
        if (std::ranges::find(seen, one.type) != seen.end())
            return json_error(item, cat("is a second namespace of type ", one.type));
        seen.push_back(one.type);
        take(spec, std::move(one));
    }
    return {};
}

Result<> read_oci_id_maps(Json v, std::vector<IdMapping>& maps, JsonNotes& notes) {
    constexpr size_t most = 340;  // lines of a map (user_namespaces(7))
    for (Json item : TRY(json_array(v))) {
        if (maps.size() == most)
            return json_error(v, cat("has more than the ", most, " lines that a kernel takes"));
        IdMapping map;
        TRY(json_members(item, map_rows, map, notes));
        for (uint32_t first : {map.inside, map.outside})
            if (uint64_t{first} + map.count > UINT32_MAX)
                return json_error(item, cat("has ids beyond ", UINT32_MAX - 1));
        for (const IdMapping& other : maps)
            if (overlap(map.inside, other.inside, map, other) ||
                overlap(map.outside, other.outside, map, other))
                return json_error(item, "has ids that an earlier line has too");
        maps.push_back(map);
    }
    return {};
}

}  // namespace croft::dialect
