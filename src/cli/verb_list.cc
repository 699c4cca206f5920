#include <fnmatch.h>

#include "base/text.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "manager/states.h"

namespace croft::cli {

namespace {
bool wanted(const manager::Machine& machine, const Arguments& args) {
    if (args.has("--running") && !machine.alive()) return false;
    if (args.operands.empty()) return true;
    for (const std::string& pattern : args.operands)
        if (fnmatch(pattern.c_str(), machine.name.c_str(), 0) == 0) return true;
    return false;
}

std::string since(const manager::Machine& machine, uint64_t at) {
    uint64_t start = machine.alive() ? machine.record.started : machine.ended;
    if (!start) return "-";
    return human_duration(at > start ? at - start : 0);
}

std::string table_of(const std::vector<manager::Machine>& machines, Table::Headings headings) {
    Table table({"NAME", "STATE", "KIND", "LEADER", "SINCE", "TREE"});
    uint64_t at = now();
    for (const manager::Machine& machine : machines) {
        int pid = machine.record.leader.pid;
        table.add({machine.name, manager::state_name(machine.state), kind_name(machine),
                   machine.alive() && pid ? cat(pid) : "", since(machine, at), machine.record.tree});
    }
    if (headings == Table::Headings::no) return table.text(headings);
    if (machines.empty()) return "No machines.\n";
    return cat(table.text(), "\n", machines.size(), machines.size() == 1 ? " machine.\n" : " machines.\n");
}
}  // namespace

Result<int> verb_list(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    manager::Paths paths = TRY(manager::find_paths());
    std::vector<manager::Machine> machines =
        TRY(args.has("--all") ? manager::list_all(paths) : manager::list(paths));
    std::erase_if(machines, [&](const manager::Machine& machine) { return !wanted(machine, args); });
    if (args.has("--json")) {
        format::JsonWriter json;
        json.begin_array();
        for (const manager::Machine& machine : machines) {
            json.begin_object();
            machine_members(json, machine);
            json.end_object();
        }
        json.end_array();
        TRY(print(json.text()));
        return 0;
    }
    std::string out;
    if (args.has("--quiet"))
        for (const manager::Machine& machine : machines) out += cat(machine.name, "\n");
    else
        out = table_of(machines, args.has("--no-legend") ? Table::Headings::no : Table::Headings::yes);
    TRY(print(out));
    return 0;
}

}  // namespace croft::cli
