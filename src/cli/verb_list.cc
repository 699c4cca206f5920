#include <fnmatch.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "manager/oci_containers.h"
#include "manager/states.h"

namespace croft::cli {

namespace {
using manager::Machine;
using manager::OciContainer;
using manager::OciStatus;

// What is listed, of both kinds.
struct Listed {
    std::vector<Machine> machines;
    std::vector<OciContainer> containers;  // of croft-oci; only with --all
};

bool wanted(const std::string& name, bool alive, const Arguments& args) {
    if (args.has("--running") && !alive) return false;
    if (args.operands.empty()) return true;
    for (const std::string& pattern : args.operands)
        if (fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return true;
    return false;
}

bool is_alive(const OciContainer& container) { return container.status != OciStatus::stopped; }

Result<Listed> listed(const manager::Paths& paths, const Arguments& args) {
    Listed out;
    out.machines = TRY(args.has("--all") ? manager::list_all(paths) : manager::list(paths));
    std::erase_if(out.machines, [&](const Machine& m) { return !wanted(m.name, m.alive(), args); });
    if (!args.has("--all")) return out;
    for (const std::string& root : manager::oci_roots(paths)) {
        auto containers = TRY(manager::list_oci_containers(root));
        std::erase_if(containers, [&](const OciContainer& c) { return !wanted(c.id, is_alive(c), args); });
        std::ranges::move(containers, std::back_inserter(out.containers));
    }
    return out;
}

std::string ago(uint64_t start, uint64_t at) {
    if (!start) return "-";
    return human_duration(at > start ? at - start : 0);
}

std::string table_of(const Listed& listed, Table::Headings headings) {
    Table table({"NAME", "STATE", "KIND", "LEADER", "SINCE", "TREE"});
    uint64_t at = now();
    for (const Machine& machine : listed.machines) {
        int pid = machine.record.leader.pid;
        table.add({machine.name, manager::state_name(machine.state), kind_name(machine),
                   machine.alive() && pid ? cat(pid) : "",
                   ago(machine.alive() ? machine.record.started : machine.ended, at), machine.record.tree});
    }
    for (const OciContainer& c : listed.containers)
        table.add({c.id, manager::oci_status_name(c.status), "oci", is_alive(c) ? cat(c.init.pid) : "",
                   ago(c.created, at), c.rootfs});
    if (headings == Table::Headings::no) return table.text(headings);
    size_t count = listed.machines.size() + listed.containers.size();
    if (!count) return "No machines.\n";
    return cat(table.text(), "\n", count, count == 1 ? " machine.\n" : " machines.\n");
}

void container_members(format::JsonWriter& json, const OciContainer& c) {
    json.member("name", c.id).member("state", manager::oci_status_name(c.status)).member("kind", "oci");
    json.key("leader");
    if (is_alive(c))
        json.value(c.init.pid);
    else
        json.null();
    json.member("created", c.created).member("tree", c.rootfs).member("bundle", c.bundle);
    json.member("cgroup", c.cgroup).key("annotations").begin_object();
    for (const auto& [name, value] : c.annotations) json.member(name, value);
    json.end_object();
}

std::string json_of(const Listed& listed) {
    format::JsonWriter json;
    json.begin_array();
    for (const Machine& machine : listed.machines) {
        json.begin_object();
        machine_members(json, machine);
        json.end_object();
    }
    for (const OciContainer& container : listed.containers) {
        json.begin_object();
        container_members(json, container);
        json.end_object();
    }
    json.end_array();
    return json.take();
}
}  // namespace

Result<int> verb_list(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    manager::Paths paths = TRY(manager::find_paths());
    Listed found = TRY(listed(paths, args));
    std::string out;
    if (args.has("--json")) {
        out = json_of(found);
    } else if (args.has("--quiet")) {
        // For other verbs of croft, which are not for containers.
        for (const Machine& machine : found.machines) out += cat(machine.name, "\n");
    } else {
        out = table_of(found, args.has("--no-legend") ? Table::Headings::no : Table::Headings::yes);
    }
    TRY(print(out));
    return 0;
}

}  // namespace croft::cli
