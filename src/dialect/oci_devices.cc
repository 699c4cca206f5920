// config.json: devices of three kinds. linux.devices, linux.resources.devices, linux.netDevices; and
// linux.timeOffsets, linux.intelRdt, linux.memoryPolicy.
#include <set>

#include "dialect/oci_parts.h"
#include "dialect/oci_words.h"

namespace croft::dialect {

namespace {
using spec::MachineSpec;
using std::string_view;

// A dev_t has 12 bits for the one and 20 for the other.
constexpr uint64_t last_major = 0xfff, last_minor = 0xfffff;

// ------------------------------------------------------------ linux.devices

struct Node : spec::Device {
    spec::Device::Node node;
    bool has_major = false, has_minor = false;
};
Result<> node_path(Json v, Node& out, JsonNotes&) {
    out.path = out.target = TRY(json_absolute(v));
    return {};
}
Result<> node_type(Json v, Node& out, JsonNotes&) {
    constexpr string_view types[] = {"c", "b", "u", "p"};
    out.node.type = TRY(json_word(v, types))[0];
    return {};
}
Result<> node_major(Json v, Node& out, JsonNotes&) {
    out.node.major = static_cast<uint32_t>(TRY(json_number(v, last_major)));
    out.has_major = true;
    return {};
}
Result<> node_minor(Json v, Node& out, JsonNotes&) {
    out.node.minor = static_cast<uint32_t>(TRY(json_number(v, last_minor)));
    out.has_minor = true;
    return {};
}
// The bits of the type are said by `type`; what programs in Go add above them means nothing to a kernel.
Result<> node_mode(Json v, Node& out, JsonNotes&) {
    out.node.mode = static_cast<uint32_t>(TRY(json_number(v, UINT32_MAX))) & 07777;
    return {};
}
template <std::optional<uint32_t> spec::Device::Node::*Member>
Result<> node_owner(Json v, Node& out, JsonNotes&) {
    out.node.*Member = static_cast<uint32_t>(TRY(json_number(v, UINT32_MAX - 1)));
    return {};
}
constexpr JsonRow<Node> node_rows[] = {{"path", node_path, Presence::required},
                                       {"type", node_type, Presence::required},
                                       {"major", node_major},
                                       {"minor", node_minor},
                                       {"fileMode", node_mode},
                                       {"uid", node_owner<&spec::Device::Node::uid>},
                                       {"gid", node_owner<&spec::Device::Node::gid>}};

// ------------------------------------------------------------ linux.resources.devices

using spec::DeviceRule;
Result<> rule_allow(Json v, DeviceRule& rule, JsonNotes&) {
    rule.allow = TRY(json_bool(v));
    return {};
}
Result<> rule_type(Json v, DeviceRule& rule, JsonNotes&) {
    constexpr string_view types[] = {"a", "c", "b"};
    if (!TRY(json_view(v)).empty()) rule.type = TRY(json_word(v, types))[0];
    return {};
}
// -1 is what some engines write for "all".
template <std::optional<int64_t> DeviceRule::*Member, uint64_t Last>
Result<> rule_number(Json v, DeviceRule& rule, JsonNotes&) {
    int64_t number = TRY(json_integer(v, -1, static_cast<int64_t>(Last)));
    if (number >= 0) rule.*Member = number;
    return {};
}
Result<> rule_access(Json v, DeviceRule& rule, JsonNotes&) {
    rule.access = TRY(json_text(v));
    if (rule.access.find_first_not_of("rwm") != std::string::npos)
        return json_error(v, cat(croft::quoted(rule.access), " is not made of r, w and m"));
    return {};
}
constexpr JsonRow<DeviceRule> rule_rows[] = {{"allow", rule_allow, Presence::required},
                                             {"type", rule_type},
                                             {"major", rule_number<&DeviceRule::major, last_major>},
                                             {"minor", rule_number<&DeviceRule::minor, last_minor>},
                                             {"access", rule_access}};

// ------------------------------------------------------------ linux.netDevices

bool is_interface_name(string_view name) {
    return !name.empty() && name.size() < 16 && name != "." && name != ".." &&
           std::ranges::none_of(
               name, [](char c) { return c == '/' || c == ':' || (c >= 0 && c <= ' ') || c == 127; });
}
Result<> inner_name(Json v, std::string& name, JsonNotes&) {
    name = TRY(json_text(v));
    if (!name.empty() && !is_interface_name(name))
        return json_error(
            v, cat(croft::quoted(name), " is no name of a network interface (at most 15 characters)"));
    return {};
}
constexpr JsonRow<std::string> net_device_rows[] = {{"name", inner_name}};

// ------------------------------------------------------------ linux.timeOffsets

struct Offset {
    int64_t seconds = 0, nanoseconds = 0;
};
Result<> seconds(Json v, Offset& offset, JsonNotes&) {
    constexpr int64_t most = INT64_MAX / 1'000'000'000 - 1;  // nearly 300 years
    offset.seconds = TRY(json_integer(v, -most, most));
    return {};
}
Result<> nanoseconds(Json v, Offset& offset, JsonNotes&) {
    offset.nanoseconds = TRY(json_integer(v, 0, 999'999'999));
    return {};
}
constexpr JsonRow<Offset> offset_rows[] = {{"secs", seconds}, {"nanosecs", nanoseconds}};

template <std::optional<int64_t> spec::Namespaces::*Clock>
Result<> clock(Json v, MachineSpec& spec, JsonNotes& notes) {
    Offset offset;
    TRY(json_members(v, offset_rows, offset, notes));
    spec.namespaces.*Clock = offset.seconds * 1'000'000'000 + offset.nanoseconds;
    return {};
}

// ------------------------------------------------------------ linux.intelRdt

using spec::Resources;
Result<> rdt_class(Json v, Resources& out, JsonNotes&) {
    out.rdt_clos = TRY(json_text(v));
    bool plain = out.rdt_clos.find('/') == std::string::npos && out.rdt_clos != "." && out.rdt_clos != "..";
    if (out.rdt_clos != "/" && !plain)
        return json_error(v, cat(croft::quoted(out.rdt_clos), " is no name of a directory, nor /"));
    return {};
}
Result<std::string> schema_line(Json v) {
    std::string line = TRY(json_text(v));
    if (line.find('\n') != std::string::npos) return json_error(v, "holds a line break");
    return line;
}
Result<> rdt_l3(Json v, Resources& out, JsonNotes&) {
    out.rdt_l3 = TRY(schema_line(v));
    return {};
}
Result<> rdt_bandwidth(Json v, Resources& out, JsonNotes&) {
    out.rdt_mb = TRY(schema_line(v));
    if (!out.rdt_mb.empty() && !out.rdt_mb.starts_with("MB:"))
        return json_error(v, "does not start with MB:");
    return {};
}
Result<> rdt_schemata(Json v, Resources& out, JsonNotes&) {
    for (Json item : TRY(json_array(v))) out.rdt_schemata.push_back(TRY(schema_line(item)));
    return {};
}
Result<> rdt_monitoring(Json v, Resources& out, JsonNotes&) {
    out.rdt_monitoring = TRY(json_bool(v));
    return {};
}
constexpr JsonRow<Resources> rdt_rows[] = {{"closID", rdt_class},
                                           {"l3CacheSchema", rdt_l3},
                                           {"memBwSchema", rdt_bandwidth},
                                           {"schemata", rdt_schemata},
                                           {"enableMonitoring", rdt_monitoring}};

// ------------------------------------------------------------ linux.memoryPolicy

Result<> policy_mode(Json v, Resources& out, JsonNotes&) {
    out.memory_policy = TRY(json_word(v, memory_policies));
    return {};
}
Result<> policy_nodes(Json v, Resources& out, JsonNotes&) {
    out.memory_policy_nodes = TRY(json_nodes(v));
    return {};
}
Result<> policy_flags(Json v, Resources& out, JsonNotes&) {
    out.memory_policy_flags = TRY(json_words(v, memory_policy_flags));
    return {};
}
constexpr JsonRow<Resources> policy_rows[] = {
    {"mode", policy_mode, Presence::required}, {"nodes", policy_nodes}, {"flags", policy_flags}};
}  // namespace

Result<> read_oci_devices(Json v, MachineSpec& spec, JsonNotes& notes) {
    for (Json item : TRY(json_array(v))) {
        Node node;
        TRY(json_members(item, node_rows, node, notes));
        if (node.node.type != 'p' && !(node.has_major && node.has_minor))
            return json_missing(item, node.has_major ? "minor" : "major");
        node.exact = node.node;
        spec.devices.push_back(static_cast<spec::Device&&>(node));
    }
    return {};
}

Result<> read_oci_device_rules(Json v, MachineSpec& spec, JsonNotes& notes) {
    for (Json item : TRY(json_array(v))) {
        DeviceRule& rule = spec.resources.device_rules.emplace_back();
        TRY(json_members(item, rule_rows, rule, notes));
        if (rule.access.empty()) rule.access = "rwm";
    }
    return {};
}

Result<> read_oci_net_devices(Json v, MachineSpec& spec, JsonNotes& notes) {
    std::set<std::string> taken;
    for (Json member : TRY(json_map(v))) {
        if (!is_interface_name(member.key()))
            return json_error(member, "has no name of a network interface (at most 15 characters)");
        std::string inside;
        TRY(json_members(member, net_device_rows, inside, notes));
        if (inside.empty()) inside = member.key();
        bool pattern = inside.find('%') != std::string::npos;  // "eth%d": the kernel counts
        if (!pattern && !taken.insert(inside).second)
            return json_error(member, cat("would be a second ", croft::quoted(inside), " in the container"));
        spec.net_devices.emplace_back(member.key(), std::move(inside));
    }
    return {};
}

Result<> read_oci_time_offsets(Json v, MachineSpec& spec, JsonNotes& notes) {
    for (Json member : TRY(json_map(v))) {
        if (member.key() == "monotonic")
            TRY(clock<&spec::Namespaces::monotonic_offset>(member, spec, notes));
        else if (member.key() == "boottime")
            TRY(clock<&spec::Namespaces::boottime_offset>(member, spec, notes));
        else
            return json_error(member, "is no clock of a time namespace (monotonic, boottime)");
    }
    return {};
}

Result<> read_oci_rdt(Json v, MachineSpec& spec, JsonNotes& notes) {
    spec.resources.rdt = true;
    return json_members(v, rdt_rows, spec.resources, notes);
}

Result<> read_oci_memory_policy(Json v, MachineSpec& spec, JsonNotes& notes) {
    Resources& r = spec.resources;
    TRY(json_members(v, policy_rows, r, notes));
    bool none = r.memory_policy == "MPOL_DEFAULT" || r.memory_policy == "MPOL_LOCAL";
    if (none && !r.memory_policy_nodes.empty()) return json_error(v, cat(r.memory_policy, " takes no nodes"));
    // With MPOL_PREFERRED no nodes mean the local one (set_mempolicy(2)).
    if (!none && r.memory_policy != "MPOL_PREFERRED" && r.memory_policy_nodes.empty())
        return json_error(v, cat(r.memory_policy, " needs nodes"));
    return {};
}

}  // namespace croft::dialect
