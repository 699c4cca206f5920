#include "base/text.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "cli/sanitize.h"
#include "cli/verbs.h"
#include "manager/inspect.h"

namespace croft::cli {

namespace {
using manager::Details;
using manager::Machine;
using manager::State;

std::string line(std::string_view label, std::string_view value) {
    return cat("  ", label, std::string(label.size() < 12 ? 12 - label.size() : 1, ' '), value, "\n");
}

std::string state_text(const Machine& machine) {
    std::string out = manager::state_name(machine.state);
    uint64_t since = machine.alive() ? machine.record.started : machine.ended;
    if (since) {
        uint64_t at = now();
        out += cat(" since ", local_time(since), " (", human_duration(at > since ? at - since : 0), ")");
    }
    if (machine.record.restarts) out += cat(", rebooted ", machine.record.restarts, "x");
    if (machine.alive() && !machine.status.empty()) out += cat(": ", machine.status);
    return out;
}

std::string amount(const manager::Limit& limit, uint64_t value) {
    if (value == UINT64_MAX) return "no limit";
    std::string_view unit = limit.unit;
    if (unit == "bytes") return human_size(value);
    if (unit == "us") return human_duration(value);
    return cat(value);
}

std::string limit_text(const manager::Limit& limit) {
    if (limit.limit == UINT64_MAX) return cat(amount(limit, limit.used), ", no limit");
    // CPU: what is used is time, what is limited is a share of time.
    if (std::string_view(limit.unit) == "us/s")
        return cat(human_duration(limit.used), " used, at most ", limit.limit / 10000, "% of a CPU");
    return cat(amount(limit, limit.used), " of ", amount(limit, limit.limit));
}

std::string capitalized(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

// Several lines under one label.
std::string block(std::string_view label, std::string_view lines) {
    std::string out;
    for (const std::string& text : split(lines, '\n')) {
        if (!text.empty()) out += line(out.empty() ? label : "", text);
    }
    return out;
}

std::string mount_lines(const Details& details) {
    Table table({"", "", "", ""});
    for (const manager::MountLine& mount : details.mounts)
        table.add({mount.target, mount.type, mount.source, mount.options});
    return table.text(Table::Headings::no);
}

std::string ids_text(const manager::Record& record) {
    if (!record.id_base) return "the host's (no user namespace)";
    return cat(*record.id_base, " to ", *record.id_base + record.id_count - 1, " on the host are 0 to ",
               record.id_count - 1, " inside");
}

std::string page(const Details& details) {
    const Machine& machine = details.machine;
    const manager::Record& record = machine.record;
    std::string out = cat(machine.name, "\n");
    out += line("State", state_text(machine));
    std::string outcome = launch::describe(machine.outcome);
    if (!machine.alive() && !machine.only_declared()) out += line("Outcome", outcome);
    if (!machine.file.empty()) out += line("File", machine.file);
    if (!details.why.empty() && details.why != outcome) out += line("Why", details.why);
    out += line("Kind", cat(kind_name(machine), machine.only_declared() ? ""
                                                : record.detached       ? ", in the background"
                                                                        : ", in the foreground"));
    if (!record.command.empty()) out += line("Command", join(record.command, " "));
    if (machine.alive() && record.leader.pid)
        out += line("Leader", cat(record.leader.pid, " (", details.processes,
                                  details.processes == 1 ? " process)" : " processes)"));
    out += line("Tree", cat(record.tree, record.tree_read_only ? " (not written to)" : ""));
    if (!details.root.empty()) out += line("Root", details.root);
    if (record.leader.pid) out += line("Ids", ids_text(record));
    if (!record.cgroup.empty()) out += line("Cgroup", record.cgroup);
    if (machine.alive() && record.leader.pid)
        out += line("Address", details.host_network        ? "the host's network"
                               : details.addresses.empty() ? "none (loopback only)"
                                                           : join(details.addresses, ", "));
    for (const manager::Limit& limit : details.limits)
        out += line(capitalized(limit.name), limit_text(limit));
    out += block("Mounts", mount_lines(details));
    out += block("Last lines", Sanitizer().feed(join(details.last_output, "\n")));
    return out;
}

void limits_json(format::JsonWriter& json, const Details& details) {
    json.key("limits").begin_array();
    for (const manager::Limit& limit : details.limits) {
        json.begin_object().member("name", limit.name).member("used", limit.used).key("limit");
        if (limit.limit == UINT64_MAX)
            json.null();
        else
            json.value(limit.limit);
        json.member("unit", limit.unit).end_object();
    }
    json.end_array();
}

void strings_json(format::JsonWriter& json, const char* key, const std::vector<std::string>& values) {
    json.key(key).begin_array();
    for (const std::string& value : values) json.value(value);
    json.end_array();
}

void details_json(format::JsonWriter& json, const Details& details) {
    json.begin_object();
    machine_members(json, details.machine);
    json.member("processes", details.processes).member("cpu_used", details.cpu_used);
    json.member("host_network", details.host_network);
    strings_json(json, "addresses", details.addresses);
    limits_json(json, details);
    json.key("mounts").begin_array();
    for (const manager::MountLine& mount : details.mounts)
        json.begin_object()
            .member("target", mount.target)
            .member("source", mount.source)
            .member("type", mount.type)
            .member("options", mount.options)
            .end_object();
    json.end_array().member("root", details.root).member("why", details.why).member("system_state", details.system_state);
    strings_json(json, "last_output", details.last_output);
    json.end_object();
}
}  // namespace

Result<int> verb_show(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, SIZE_MAX));
    manager::Paths paths = TRY(manager::find_paths());
    std::vector<Details> all;
    for (const std::string& name : args.operands) all.push_back(TRY(manager::details(paths, name)));
    if (args.has("--json")) {
        format::JsonWriter json;
        json.begin_array();
        for (const Details& details : all) details_json(json, details);
        json.end_array();
        TRY(print(json.text()));
        return 0;
    }
    std::string out;
    for (const Details& details : all) out += cat(out.empty() ? "" : "\n", page(details));
    TRY(print(out));
    return 0;
}

}  // namespace croft::cli
