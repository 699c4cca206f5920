// config.json: process, which also comes alone (`exec --process`).
#include "dialect/oci_parts.h"
#include "dialect/oci_words.h"
#include "spec/values.h"

namespace croft::dialect {

namespace {
using spec::MachineSpec;
using spec::Scheduler;
using std::string_view;

// ------------------------------------------------------------ user

// The largest id is what "no id" looks like to the kernel.
Result<uint32_t> id(Json v) {
    return static_cast<uint32_t>(TRY(json_number(v, UINT32_MAX - 1)));
}
Result<> uid(Json v, spec::User& user, JsonNotes&) {
    user.ids->first = TRY(id(v));
    return {};
}
Result<> gid(Json v, spec::User& user, JsonNotes&) {
    user.ids->second = TRY(id(v));
    return {};
}
Result<> umask(Json v, spec::User& user, JsonNotes&) {
    user.umask = static_cast<uint32_t>(TRY(json_number(v, 0777)));
    return {};
}
Result<> groups(Json v, spec::User& user, JsonNotes&) {
    for (Json item : TRY(json_array(v))) user.extra_groups.push_back(TRY(id(item)));
    return {};
}
Result<> user_name(Json v, spec::User&, JsonNotes& notes) {
    notes.warn(v, "is of Windows, and ignored: here uid and gid count");
    return {};
}
constexpr JsonRow<spec::User> user_rows[] = {
    {"uid", uid}, {"gid", gid}, {"umask", umask}, {"additionalGids", groups}, {"username", user_name}};

// ------------------------------------------------------------ rlimits

Result<> rlimit_type(Json v, spec::Rlimit& limit, JsonNotes&) {
    std::string text = TRY(json_text(v));
    auto name = spec::rlimit_name(text);
    if (!name) return json_error(v, name.error().text);
    if (text != "RLIMIT_" + *name)
        return json_error(v, cat(croft::quoted(text), " is written RLIMIT_", *name));
    limit.name = *name;
    return {};
}
constexpr JsonRow<spec::Rlimit> rlimit_rows[] = {
    {"type", rlimit_type, Presence::required},
    {"soft", uint64_into<&spec::Rlimit::soft>, Presence::required},
    {"hard", uint64_into<&spec::Rlimit::hard>, Presence::required}};

Result<> rlimits(Json v, MachineSpec& spec, JsonNotes& notes) {
    auto& list = spec.process.rlimits;
    for (Json item : TRY(json_array(v))) {
        spec::Rlimit limit;
        TRY(json_members(item, rlimit_rows, limit, notes));
        if (limit.soft > limit.hard)
            return json_error(item, cat("soft limit ", limit.soft, " is above the hard limit ", limit.hard));
        if (std::ranges::find(list, limit.name, &spec::Rlimit::name) != list.end())
            return json_error(item, cat("RLIMIT_", limit.name, " is given twice"));
        list.push_back(std::move(limit));
    }
    return {};
}

// ------------------------------------------------------------ capabilities

// What is unknown here may be known to a later kernel: runtimes warn and go on without it.
template <std::vector<std::string> spec::CapabilitySets::*Set>
Result<> capability_set(Json v, spec::CapabilitySets& sets, JsonNotes& notes) {
    for (Json item : TRY(json_array(v))) {
        std::string text = TRY(json_text(item));
        if (spec::capability_number(text))
            (sets.*Set).push_back(std::move(text));
        else
            notes.warn(item, cat(croft::quoted(text), " is no capability, and left out"));
    }
    return {};
}
using Sets = spec::CapabilitySets;
constexpr JsonRow<Sets> capability_rows[] = {{"bounding", capability_set<&Sets::bounding>},
                                             {"effective", capability_set<&Sets::effective>},
                                             {"inheritable", capability_set<&Sets::inheritable>},
                                             {"permitted", capability_set<&Sets::permitted>},
                                             {"ambient", capability_set<&Sets::ambient>}};
Result<> capabilities(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, capability_rows, spec.security.capabilities.emplace(), notes);
}

// ------------------------------------------------------------ scheduling

Result<> policy(Json v, Scheduler& out, JsonNotes&) {
    out.policy = TRY(json_word(v, scheduler_policies));
    return {};
}
Result<> nice(Json v, Scheduler& out, JsonNotes&) {
    out.nice = static_cast<int>(TRY(json_integer(v, -20, 19)));
    return {};
}
Result<> priority(Json v, Scheduler& out, JsonNotes&) {
    out.priority = static_cast<int>(TRY(json_integer(v, 0, 99)));
    return {};
}
Result<> scheduler_flag_words(Json v, Scheduler& out, JsonNotes&) {
    out.flags = TRY(json_words(v, scheduler_flags));
    return {};
}
constexpr JsonRow<Scheduler> scheduler_rows[] = {{"policy", policy, Presence::required},
                                                 {"nice", nice},
                                                 {"priority", priority},
                                                 {"flags", scheduler_flag_words},
                                                 {"runtime", uint64_into<&Scheduler::runtime>},
                                                 {"deadline", uint64_into<&Scheduler::deadline>},
                                                 {"period", uint64_into<&Scheduler::period>}};

// sched(7): which policy looks at what. The kernel's own answer would be EINVAL for all of these.
Result<> scheduler(Json v, MachineSpec& spec, JsonNotes& notes) {
    Scheduler& out = spec.process.scheduler.emplace();
    TRY(json_members(v, scheduler_rows, out, notes));
    bool fixed = out.policy == "SCHED_FIFO" || out.policy == "SCHED_RR";
    if (fixed && !out.priority) return json_error(v, cat(out.policy, " needs a priority from 1 to 99"));
    if (!fixed && out.priority)
        return json_error(v, cat("priority is for SCHED_FIFO and SCHED_RR, not ", out.policy));
    bool has_nice = out.policy == "SCHED_OTHER" || out.policy == "SCHED_BATCH";
    if (!has_nice && out.nice)
        return json_error(v, cat("nice is for SCHED_OTHER and SCHED_BATCH, not ", out.policy));
    bool times = out.runtime || out.deadline || out.period;
    if (out.policy != "SCHED_DEADLINE" && times)
        return json_error(v, cat("runtime, deadline and period are for SCHED_DEADLINE, not ", out.policy));
    if (out.policy == "SCHED_DEADLINE" && !out.runtime)
        return json_error(v, "SCHED_DEADLINE needs a runtime");
    return {};
}

struct IoPriority {
    std::string level_class;
    int level = 0;
};
Result<> io_class(Json v, IoPriority& out, JsonNotes&) {
    out.level_class = TRY(json_word(v, io_priority_classes));
    return {};
}
Result<> io_level(Json v, IoPriority& out, JsonNotes&) {
    out.level = static_cast<int>(TRY(json_integer(v, 0, 7)));
    return {};
}
constexpr JsonRow<IoPriority> io_rows[] = {{"class", io_class, Presence::required}, {"priority", io_level}};
Result<> io_priority(Json v, MachineSpec& spec, JsonNotes& notes) {
    IoPriority out;
    TRY(json_members(v, io_rows, out, notes));
    spec.process.io_priority_class = out.level_class;
    spec.process.io_priority = out.level;
    return {};
}

Result<> affinity_initial(Json v, spec::Process& out, JsonNotes&) {
    out.exec_affinity_initial = TRY(json_cpus(v));
    return {};
}
Result<> affinity_final(Json v, spec::Process& out, JsonNotes&) {
    out.exec_affinity_final = TRY(json_cpus(v));
    return {};
}
constexpr JsonRow<spec::Process> affinity_rows[] = {{"initial", affinity_initial}, {"final", affinity_final}};
Result<> exec_affinity(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, affinity_rows, spec.process, notes);
}

// ------------------------------------------------------------ the rest

Result<> terminal(Json v, MachineSpec& spec, JsonNotes&) {
    spec.process.terminal = TRY(json_bool(v)) ? spec::Terminal::pty : spec::Terminal::none;
    return {};
}

using Size = std::pair<uint16_t, uint16_t>;
template <uint16_t Size::*Side>
Result<> side(Json v, Size& size, JsonNotes&) {
    size.*Side = static_cast<uint16_t>(TRY(json_number(v, UINT16_MAX)));
    return {};
}
constexpr JsonRow<Size> size_rows[] = {{"height", side<&Size::first>, Presence::required},
                                       {"width", side<&Size::second>, Presence::required}};
Result<> console_size(Json v, MachineSpec& spec, JsonNotes& notes) {
    Size size;
    TRY(json_members(v, size_rows, size, notes));
    spec.process.console_size = size;
    return {};
}

Result<> user(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, user_rows, spec.process.user, notes);
}

Result<> arguments(Json v, MachineSpec& spec, JsonNotes&) {
    spec.process.command = TRY(json_texts(v));
    if (spec.process.command.empty() || spec.process.command[0].empty())
        return json_error(v, "names no program");
    return {};
}

Result<> environment(Json v, MachineSpec& spec, JsonNotes&) {
    for (Json item : TRY(json_array(v))) {
        std::string text = TRY(json_text(item));
        size_t equals = text.find('=');
        if (equals == text.npos || equals == 0)
            return json_error(item, cat(croft::quoted(text), " is no NAME=VALUE"));
        spec.process.environment.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return {};
}

Result<> directory(Json v, MachineSpec& spec, JsonNotes&) {
    spec.process.directory = TRY(json_absolute(v));
    return {};
}

Result<> no_new_privileges(Json v, MachineSpec& spec, JsonNotes&) {
    spec.security.no_new_privileges = TRY(json_bool(v));
    return {};
}
Result<> apparmor(Json v, MachineSpec& spec, JsonNotes&) {
    spec.process.apparmor_profile = TRY(json_text(v));
    return {};
}
Result<> selinux(Json v, MachineSpec& spec, JsonNotes&) {
    spec.process.selinux_label = TRY(json_text(v));
    return {};
}
Result<> oom_score(Json v, MachineSpec& spec, JsonNotes&) {
    spec.process.oom_score_adjust = static_cast<int>(TRY(json_integer(v, -1000, 1000)));
    return {};
}
Result<> command_line(Json v, MachineSpec&, JsonNotes& notes) {
    notes.warn(v, "is of Windows, and ignored: here args count");
    return {};
}

constexpr JsonRow<MachineSpec> process_rows[] = {{"terminal", terminal},
                                                 {"consoleSize", console_size},
                                                 {"user", user},
                                                 {"args", arguments, Presence::required},
                                                 {"commandLine", command_line},
                                                 {"env", environment},
                                                 {"cwd", directory, Presence::required},
                                                 {"capabilities", capabilities},
                                                 {"rlimits", rlimits},
                                                 {"noNewPrivileges", no_new_privileges},
                                                 {"apparmorProfile", apparmor},
                                                 {"oomScoreAdj", oom_score},
                                                 {"scheduler", scheduler},
                                                 {"selinuxLabel", selinux},
                                                 {"ioPriority", io_priority},
                                                 {"execCPUAffinity", exec_affinity}};
}  // namespace

Result<> read_oci_process(Json v, MachineSpec& spec, JsonNotes& notes) {
    TRY(json_members(v, process_rows, spec, notes));
    if (spec.process.terminal != spec::Terminal::pty) spec.process.console_size.reset();
    return {};
}

Result<std::string> json_cpus(Json v) {
    std::string text = TRY(json_text(v));
    if (text.empty()) return text;
    auto list = spec::parse_cpu_list(text);
    return list ? list : json_error(v, list.error().text);
}
Result<std::string> json_nodes(Json v) {
    std::string text = TRY(json_text(v));
    if (text.empty()) return text;
    auto list = spec::parse_node_list(text);
    return list ? list : json_error(v, list.error().text);
}

Result<std::string> json_absolute(Json v) {
    std::string path = TRY(json_text(v));
    if (!path.starts_with('/')) return json_error(v, cat(croft::quoted(path), " is no absolute path"));
    return path;
}
Result<std::vector<std::string>> json_absolutes(Json v) {
    std::vector<std::string> out;
    for (Json item : TRY(json_array(v))) out.push_back(TRY(json_absolute(item)));
    return out;
}

}  // namespace croft::dialect
