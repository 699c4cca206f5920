// Rows: how the kernel treats the machine's first process.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

template <int64_t Low, int64_t High, const char* const& What>
struct Range {
    static Result<int64_t> parse(string_view text) { return parse_range(text, Low, High, What); }
    static std::string text(int64_t value) { return cat(value); }
};
constexpr const char* oom_words = "OOM score adjustment";
constexpr const char* nice_words = "nice level";
constexpr const char* priority_words = "real-time priority";
constexpr const char* io_priority_words = "I/O priority";

constexpr const char* personalities[] = {"x86", "x86-64"};

// Keys have systemd.exec(5)'s words, the spec the kernel's (and runtime-spec's).
struct Policy {
    static constexpr const char* names[][2] = {{"other", "SCHED_OTHER"},
                                               {"batch", "SCHED_BATCH"},
                                               {"idle", "SCHED_IDLE"},
                                               {"fifo", "SCHED_FIFO"},
                                               {"rr", "SCHED_RR"}};
    static Result<std::string> parse(string_view text) {
        for (const auto& [word, kernel] : names)
            if (text == word) return std::string(kernel);
        return wrong_choice(text, {"other", "batch", "idle", "fifo", "rr"});
    }
    static std::string text(const std::string& policy) {
        for (const auto& [word, kernel] : names)
            if (policy == kernel) return word;
        return policy;
    }
};

struct IoClass {
    static constexpr const char* names[][2] = {
        {"realtime", "IOPRIO_CLASS_RT"}, {"best-effort", "IOPRIO_CLASS_BE"}, {"idle", "IOPRIO_CLASS_IDLE"}};
    static Result<std::string> parse(string_view text) {
        for (const auto& [word, kernel] : names)
            if (text == word) return std::string(kernel);
        return wrong_choice(text, {"realtime", "best-effort", "idle"});
    }
    static std::string text(const std::string& io_class) {
        for (const auto& [word, kernel] : names)
            if (io_class == kernel) return word;
        return io_class;
    }
};

// One part of the scheduler is enough to have one.
Scheduler& scheduler(MachineSpec& s) {
    if (!s.process.scheduler) s.process.scheduler.emplace();
    return *s.process.scheduler;
}
Result<> set_policy(MachineSpec& s, string_view text) {
    scheduler(s).policy = TRY(Policy::parse(text));
    return {};
}
Result<> set_nice(MachineSpec& s, string_view text) {
    scheduler(s).nice = static_cast<int>(TRY(parse_range(text, -20, 19, nice_words)));
    return {};
}
Result<> set_priority(MachineSpec& s, string_view text) {
    scheduler(s).priority = static_cast<int>(TRY(parse_range(text, 1, 99, priority_words)));
    return {};
}
template <auto Part, auto Text>
std::vector<std::string> get_scheduler(const MachineSpec& s) {
    if (!s.process.scheduler || s.process.scheduler.value().*Part == Scheduler().*Part) return {};
    return {Text((*s.process.scheduler).*Part)};
}
template <auto Part>
void reset_scheduler(MachineSpec& s) {
    if (s.process.scheduler) (*s.process.scheduler).*Part = Scheduler().*Part;
}

const Field table[] = {
    {.name = "oom-score-adjust",
     .option = "--oom-score-adjust",
     .section = "Exec",
     .key = "OOMScoreAdjust",
     .key_of = KeyOf::nspawn,
     .argument = "NUMBER",
     .help = "How likely the kernel kills it when memory runs out",
     .doc = "From -1000 (never) to 1000 (first), /proc/PID/oom_score_adj. Less than the caller's own needs "
            "CAP_SYS_RESOURCE on the host. Default: 0.",
     .example = "--oom-score-adjust=500",
     ROW_VALUE(decltype(Range<-1000, 1000, oom_words>()), process.oom_score_adjust)},
    {.name = "cpu-affinity",
     .option = "--cpu-affinity",
     .section = "Exec",
     .key = "CPUAffinity",
     .key_of = KeyOf::nspawn,
     .argument = "CPUS",
     .help = "CPUs the first process may run on",
     .doc = "Numbers and ranges from 0 to 8191, joined by commas or blanks (sched_setaffinity(2)). Programs "
            "inside may widen it again; AllowedCPUs= cannot be widened. Default: as inherited.",
     .example = "--cpu-affinity=0-3,6",
     ROW_VALUE(CpuList, process.cpu_affinity)},
    {.name = "personality",
     .option = "--personality",
     .section = "Exec",
     .key = "Personality",
     .key_of = KeyOf::nspawn,
     .argument = "ARCH",
     .trust = Trust::anyone,
     .values = "x86|x86-64",
     .help = "The architecture uname(2) tells",
     .doc = "x86 or x86-64 (personality(2)): for a 32-bit tree on a 64-bit host. Default: the kernel's own.",
     .example = "--personality=x86",
     ROW_VALUE(Word<personalities>, process.personality)},
    {.name = "nice",
     .section = "Exec",
     .key = "Nice",
     .argument = "NUMBER",
     .offered = Offered::file_only,
     .help = "Nice level of the first process",
     .doc = "From -20 (most CPU time) to 19 (least), nice(2). Default: 0.",
     .example = "Nice=10",
     .set = set_nice,
     .get = get_scheduler<&Scheduler::nice, [](int v) { return cat(v); }>,
     .reset = reset_scheduler<&Scheduler::nice>},
    {.name = "cpu-scheduling-policy",
     .section = "Exec",
     .key = "CPUSchedulingPolicy",
     .argument = "POLICY",
     .offered = Offered::file_only,
     .values = "other|batch|idle|fifo|rr",
     .help = "Scheduling policy",
     .doc = "other, batch, idle, fifo or rr (sched(7)), as in systemd.exec(5). fifo and rr need "
            "CPUSchedulingPriority=. Default: other.",
     .example = "CPUSchedulingPolicy=batch",
     .set = set_policy,
     .get = get_scheduler<&Scheduler::policy, Policy::text>,
     .reset = reset_scheduler<&Scheduler::policy>},
    {.name = "cpu-scheduling-priority",
     .section = "Exec",
     .key = "CPUSchedulingPriority",
     .argument = "NUMBER",
     .offered = Offered::file_only,
     .help = "Real-time priority",
     .doc = "From 1 (lowest) to 99, with CPUSchedulingPolicy=fifo or rr only. Default: none.",
     .example = "CPUSchedulingPriority=10",
     .set = set_priority,
     .get = get_scheduler<&Scheduler::priority, [](int v) { return cat(v); }>,
     .reset = reset_scheduler<&Scheduler::priority>},
    {.name = "io-scheduling-class",
     .section = "Exec",
     .key = "IOSchedulingClass",
     .argument = "CLASS",
     .offered = Offered::file_only,
     .values = "realtime|best-effort|idle",
     .help = "I/O scheduling class",
     .doc = "realtime, best-effort or idle (ioprio_set(2)). Default: the kernel's.",
     .example = "IOSchedulingClass=idle",
     ROW_VALUE(IoClass, process.io_priority_class)},
    {.name = "io-scheduling-priority",
     .section = "Exec",
     .key = "IOSchedulingPriority",
     .argument = "NUMBER",
     .offered = Offered::file_only,
     .help = "I/O priority inside its class",
     .doc = "From 0 (highest) to 7 (lowest), for the classes realtime and best-effort. Default: 0 when a "
            "class is set.",
     .example = "IOSchedulingPriority=4",
     ROW_VALUE(decltype(Range<0, 7, io_priority_words>()), process.io_priority)},
    {.name = "apparmor-profile",
     .option = "--apparmor-profile",
     .section = "Exec",
     .key = "AppArmorProfile",
     .argument = "PROFILE",
     .help = "AppArmor profile of the payload",
     .doc = "Name of a profile that is loaded on the host; entered at exec. Default: the caller's.",
     .example = "--apparmor-profile=croft-default",
     ROW_VALUE(Text, process.apparmor_profile)},
    {.name = "selinux-context",
     .option = "--selinux-context",
     .short_option = 'Z',
     .section = "Exec",
     .key = "SELinuxContext",
     .argument = "CONTEXT",
     .help = "SELinux context of the payload",
     .doc = "Entered at exec. Default: what the host's policy says.",
     .example = "--selinux-context=system_u:system_r:container_t:s0",
     ROW_VALUE(Text, process.selinux_label)},
    {.name = "selinux-apifs-context",
     .option = "--selinux-apifs-context",
     .short_option = 'L',
     .section = "Exec",
     .key = "SELinuxAPIFSContext",
     .argument = "CONTEXT",
     .help = "SELinux context of the API file systems",
     .doc = "Label of the files of /dev, /run and other file systems that croft makes for the machine. "
            "Default: what the host's policy says.",
     .example = "--selinux-apifs-context=system_u:object_r:container_file_t:s0",
     ROW_VALUE(Text, process.selinux_mount_label)},
};
}  // namespace

std::span<const Field> process_rows() {
    return table;
}

}  // namespace croft::spec
