// The payload's first process: as whom it runs, under which limits, and how it is told to end.
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <tuple>

#include "base/signals.h"
#include "plan/draft.h"

namespace croft::plan {

namespace {

struct LimitName {
    const char* name;
    uint32_t number;
};
constexpr LimitName limit_names[] = {{"CPU", RLIMIT_CPU},           {"FSIZE", RLIMIT_FSIZE},
                                     {"DATA", RLIMIT_DATA},         {"STACK", RLIMIT_STACK},
                                     {"CORE", RLIMIT_CORE},         {"RSS", RLIMIT_RSS},
                                     {"NPROC", RLIMIT_NPROC},       {"NOFILE", RLIMIT_NOFILE},
                                     {"MEMLOCK", RLIMIT_MEMLOCK},   {"AS", RLIMIT_AS},
                                     {"LOCKS", RLIMIT_LOCKS},       {"SIGPENDING", RLIMIT_SIGPENDING},
                                     {"MSGQUEUE", RLIMIT_MSGQUEUE}, {"NICE", RLIMIT_NICE},
                                     {"RTPRIO", RLIMIT_RTPRIO},     {"RTTIME", RLIMIT_RTTIME}};

Result<> plan_rlimits(Draft& d) {
    constexpr uint64_t may_raise = uint64_t{1} << 24;  // CAP_SYS_RESOURCE
    // What the kernel gave to PID 1, not what this login session or service happens to have. Hard limits can
    // be raised to it by who holds CAP_SYS_RESOURCE only, so others pass on their own.
    bool defaults = !d.bundle && d.facts.privileged && (d.facts.capability_bounding & may_raise);
    for (const LimitName& limit : limit_names) {
        std::optional<launch::ResourceLimit> value;
        if (auto found = d.facts.initial_rlimits.find(limit.name);
            defaults && found != d.facts.initial_rlimits.end())
            value = {limit.number, found->second.first, found->second.second};
        for (const spec::Rlimit& asked : d.spec.process.rlimits)
            if (asked.name == limit.name) value = {limit.number, asked.soft, asked.hard};
        if (value) d.launch.process.rlimits.push_back(*value);
    }
    for (const spec::Rlimit& asked : d.spec.process.rlimits)
        if (std::ranges::find(limit_names, asked.name, [](const LimitName& l) {
                return std::string_view(l.name);
            }) == std::end(limit_names))
            return error(Errc::invalid, cat(named(d, "--rlimit", "process.rlimits"), ": ", quoted(asked.name),
                                            " is no resource limit"));
    return {};
}

}  // namespace

// The spec has checked the text; what is still wrong is refused all the same.
Result<std::vector<uint32_t>> number_list(std::string_view text, std::string_view what) {
    std::vector<uint32_t> cpus;
    for (const std::string& part : split(text, ',')) {
        size_t dash = part.find('-');
        auto first = parse_uint(std::string_view(part).substr(0, dash));
        auto last = dash == part.npos ? first : parse_uint(std::string_view(part).substr(dash + 1));
        if (!first || !last || *first > *last || *last > 8191)
            return error(Errc::invalid,
                         cat(what, ": ", quoted(part), " is no number or range (0-3,6)"));
        for (uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<uint32_t>(cpu));
    }
    return cpus;
}

namespace {

Result<uint64_t> scheduler_flag(std::string_view name) {
    constexpr std::string_view names[] = {"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM",
                                          "SCHED_FLAG_DL_OVERRUN",    "SCHED_FLAG_KEEP_POLICY",
                                          "SCHED_FLAG_KEEP_PARAMS",   "SCHED_FLAG_UTIL_CLAMP_MIN",
                                          "SCHED_FLAG_UTIL_CLAMP_MAX"};
    for (size_t bit = 0; bit < std::size(names); ++bit)
        if (name == names[bit]) return uint64_t{1} << bit;
    return error(Errc::invalid,
                 cat("scheduler: ", quoted(name), " is no flag (SCHED_FLAG_RESET_ON_FORK, …)"));
}

Result<std::vector<uint32_t>> cpus_of_exec(const std::string& list, std::string_view member) {
    if (list.empty()) return std::vector<uint32_t>();
    return number_list(list, member);
}

Result<> plan_scheduling(Draft& d) {
    launch::Process& p = d.launch.process;
    const spec::Process& wanted = d.spec.process;
    if (wanted.cpu_affinity)
        p.cpu_affinity = TRY(number_list(*wanted.cpu_affinity, "--cpu-affinity"));
    p.exec_affinity_initial = TRY(cpus_of_exec(wanted.exec_affinity_initial, "process.execCPUAffinity.initial"));
    p.exec_affinity_final = TRY(cpus_of_exec(wanted.exec_affinity_final, "process.execCPUAffinity.final"));
    if (wanted.scheduler) {
        const spec::Scheduler& s = *wanted.scheduler;
        p.sched_policy = s.policy;
        p.sched_nice = s.nice, p.sched_priority = s.priority;
        p.sched_runtime = s.runtime, p.sched_deadline = s.deadline, p.sched_period = s.period;
        for (const std::string& flag : s.flags) p.sched_flags |= TRY(scheduler_flag(flag));
    }
    if (!wanted.io_priority_class.empty()) {
        constexpr std::string_view classes[] = {"IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                                "IOPRIO_CLASS_IDLE"};
        auto found = std::ranges::find(classes, wanted.io_priority_class);
        if (found == std::end(classes) || wanted.io_priority < 0 || wanted.io_priority > 7)
            return error(Errc::invalid, cat("I/O priority: ", quoted(wanted.io_priority_class), " ",
                                            wanted.io_priority, " is no class and level (0 to 7)"));
        p.io_priority = static_cast<uint32_t>((found - std::begin(classes)) << 13 | wanted.io_priority);
    }
    if (wanted.personality == "x86")
        p.personality = 0x0008;  // PER_LINUX32
    else if (wanted.personality == "x86-64" || wanted.personality == "LINUX")
        p.personality = 0;
    else if (wanted.personality == "LINUX32")
        p.personality = 0x0008;
    else if (!wanted.personality.empty())
        return error(Errc::invalid,
                     cat(named(d, "--personality: ", "linux.personality: "), quoted(wanted.personality), " is neither x86 nor x86-64"));
    return {};
}

// ------------------------------------------------------------ identity and the end

// Engines put labels into every config.json where they believe that the host has such a security module.
void plan_labels(Draft& d) {
    launch::Process& p = d.launch.process;
    p.apparmor = d.spec.process.apparmor_profile;
    p.selinux = d.spec.process.selinux_label;
    if (!d.bundle) return;
    if (!p.apparmor.empty() && !d.facts.has_apparmor) {
        d.warn("process.apparmorProfile: this host has no AppArmor, so the profile is not applied");
        p.apparmor.clear();
    }
    if (!p.selinux.empty() && !d.facts.has_selinux) {
        d.warn("process.selinuxLabel: this host has no SELinux, so the label is not applied");
        p.selinux.clear();
    }
}

Result<> plan_identity(Draft& d) {
    launch::Process& p = d.launch.process;
    const spec::TreeFacts& tree = d.facts.tree;
    if (d.spec.process.user.ids) {
        std::tie(p.uid, p.gid) = *d.spec.process.user.ids;
    } else {
        p.uid = tree.uid, p.gid = tree.gid;
        p.groups = tree.groups;
    }
    for (uint32_t group : d.spec.process.user.extra_groups)
        if (std::ranges::find(p.groups, group) == p.groups.end()) p.groups.push_back(group);
    for (uint32_t group : p.groups)
        if (!d.host_gid(group))
            return error(Errc::invalid,
                         cat(named(d, "", "process.user.additionalGids: "), "the group ", group,
                             " is outside the ids of the machine's private users"));
    p.umask = d.spec.process.user.umask.value_or(0022);
    p.oom_score_adjust = d.spec.process.oom_score_adjust;
    plan_labels(d);
    return {};
}

std::string_view default_stop_signal(const Draft& d) {
    using spec::InitKind;
    if (!d.boot) return "SIGTERM";
    if (d.facts.tree.systemd_init) return "SIGRTMIN+3";
    switch (d.facts.tree.init_kind) {
        case InitKind::systemd:
            return "SIGRTMIN+3";
        case InitKind::busybox:
            return "SIGUSR2";
        // Its own way is a request on /run/initctl, which `croft stop` uses; a signal can only say that power
        // fails.
        case InitKind::sysvinit:
            return "SIGPWR";
        case InitKind::openrc:
        case InitKind::other:
            break;
    }
    return "SIGTERM";
}

}  // namespace

Result<> plan_stop(Draft& d) {
    const std::string& asked = d.spec.process.stop_signal;
    std::string_view name = asked.empty() ? default_stop_signal(d) : std::string_view(asked);
    auto number = signal_number(name);
    if (!number)
        return error(Errc::invalid,
                     cat("--stop-signal: ", quoted(name), " is no signal (SIGTERM, SIGRTMIN+3, …)"));
    d.launch.stop_signal = static_cast<uint32_t>(*number);
    d.launch.stop_timeout = d.spec.process.stop_timeout.value_or(d.boot ? 90'000'000 : 10'000'000);
    return {};
}

Result<> plan_process(Draft& d) {
    TRY(plan_rlimits(d));
    TRY(plan_scheduling(d));
    TRY(plan_identity(d));
    return plan_stop(d);
}

}  // namespace croft::plan
