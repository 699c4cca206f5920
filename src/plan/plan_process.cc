// The payload's first process: what is executed, as whom, with which environment and limits.
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/signals.h"
#include "plan/draft.h"

namespace croft::plan {

namespace {

constexpr std::string_view default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// ------------------------------------------------------------ command and environment

// "NAME=VALUE" list in which the last one said wins, in the place of the first.
class Environment {
  public:
    explicit Environment(std::vector<std::string>& list) : list_(list) {}
    void set(std::string_view name, std::string_view value) {
        std::string entry = cat(name, "=", value);
        for (std::string& old : list_)
            if (old.starts_with(name) && old[name.size()] == '=') {
                old = std::move(entry);
                return;
            }
        list_.push_back(std::move(entry));
    }
    void set_if(std::string_view name, std::string_view value) {
        if (!value.empty()) set(name, value);
    }
    std::string get(std::string_view name) const {
        for (const std::string& entry : list_)
            if (entry.starts_with(name) && entry[name.size()] == '=') return entry.substr(name.size() + 1);
        return "";
    }

  private:
    std::vector<std::string>& list_;
};

void user_variables(const Draft& d, Environment& env) {
    const spec::TreeFacts& tree = d.facts.tree;
    std::string name = tree.user_name.empty() && tree.uid == 0 ? "root" : tree.user_name;
    env.set("HOME", tree.home.empty() ? "/" : tree.home);
    env.set_if("USER", name);
    env.set_if("LOGNAME", name);
    env.set_if("SHELL", tree.user_shell);
}

// The container interface of systemd; other programs look at `container` too.
void container_variables(const Draft& d, Environment& env) {
    env.set("container", "croft");
    env.set_if("container_uuid", machine_uuid(d));
    constexpr std::pair<const char*, const char*> names[] = {{"ID", "container_host_id"},
                                                             {"VERSION_ID", "container_host_version_id"},
                                                             {"BUILD_ID", "container_host_build_id"},
                                                             {"VARIANT_ID", "container_host_variant_id"}};
    for (auto [key, name] : names)
        if (auto found = d.facts.os_release.find(key); d.boot && found != d.facts.os_release.end())
            env.set_if(name, found->second);
    if (d.has_notify) env.set("NOTIFY_SOCKET", "/run/host/notify");
    if (d.has_credentials) env.set("CREDENTIALS_DIRECTORY", "/run/host/credentials");
}

void terminal_variables(const Draft& d, Environment& env) {
    if (!d.terminal) return;
    bool somebody = d.facts.stdin_is_terminal && d.facts.stdout_is_terminal;
    auto pass = [&](const char* name) {
        if (auto found = d.facts.caller_environment.find(name); found != d.facts.caller_environment.end())
            env.set_if(name, found->second);
    };
    if (somebody)
        for (const char* name : {"TERM", "COLORTERM", "NO_COLOR"}) pass(name);
    // systemd asks a terminal that it knows nothing about for its size, and waits for an answer; nobody would
    // give one.
    if (env.get("TERM").empty()) env.set("TERM", somebody ? "linux" : "dumb");
}

bool is_variable(std::string_view word) {
    size_t equals = word.find('=');
    if (equals == word.npos || equals == 0 || (word[0] >= '0' && word[0] <= '9')) return false;
    return std::ranges::all_of(word.substr(0, equals), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
}

// An init's arguments are those of a kernel command line: KEY=VALUE goes into its environment, as the kernel
// does it. A key with a dot (systemd.unit=) is no variable.
void boot_command(const Draft& d, launch::Process& p, Environment& env) {
    p.argv = {d.facts.tree.init};
    for (const std::string& word : d.spec.process.command) {
        if (!is_variable(word)) {
            p.argv.push_back(word);
            continue;
        }
        size_t equals = word.find('=');
        std::string key = word.substr(0, equals);
        std::ranges::replace(key, '-', '_');
        env.set(key, word.substr(equals + 1));
    }
}

Result<> app_command(const Draft& d, launch::Process& p) {
    const spec::TreeFacts& tree = d.facts.tree;
    p.argv = d.spec.process.command;
    p.init = d.spec.process.init;
    if (!p.argv.empty()) return {};
    const std::string& shell = tree.user_shell.empty() ? tree.shell : tree.user_shell;
    if (shell.empty())
        return error(Errc::no_command, cat("there is no shell (/bin/bash, /bin/sh) in ",
                                           quoted(d.spec.root.directory), ": say which command to run"));
    p.argv = {shell};
    return {};
}

Result<> plan_command(Draft& d) {
    launch::Process& p = d.launch.process;
    const spec::Process& wanted = d.spec.process;
    Environment env(p.env);
    env.set("PATH", default_path);
    if (!d.boot) env.set("LANG", "C.UTF-8");
    user_variables(d, env);
    container_variables(d, env);
    terminal_variables(d, env);
    for (const std::string& name : wanted.environment.pass)
        if (auto found = d.facts.caller_environment.find(name); found != d.facts.caller_environment.end())
            env.set(name, found->second);
    for (const auto& [name, value] : wanted.environment.set) env.set(name, value);
    if (d.boot)
        boot_command(d, p, env);
    else
        TRY(app_command(d, p));
    p.search_path = env.get("PATH");
    bool shell_of_user = !d.boot && wanted.command.empty() && !wanted.user.name.empty();
    // Process::directory is the root unless something is said here.
    if (!wanted.directory.empty())
        p.directory = wanted.directory;
    else if (shell_of_user && !d.facts.tree.home.empty())
        p.directory = d.facts.tree.home;
    p.terminal = d.terminal;
    return {};
}

// ------------------------------------------------------------ limits and scheduling

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
    bool defaults = d.facts.privileged && (d.facts.capability_bounding & may_raise);
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
            return error(Errc::invalid, cat("--rlimit: ", quoted(asked.name), " is no resource limit"));
    return {};
}

// "0-3,6" as single numbers. The spec has checked the text; what is still wrong is refused all the same.
Result<std::vector<uint32_t>> cpu_list(std::string_view text) {
    std::vector<uint32_t> cpus;
    for (const std::string& part : split(text, ',')) {
        size_t dash = part.find('-');
        auto first = parse_uint(std::string_view(part).substr(0, dash));
        auto last = dash == part.npos ? first : parse_uint(std::string_view(part).substr(dash + 1));
        if (!first || !last || *first > *last || *last > 8191)
            return error(Errc::invalid,
                         cat("--cpu-affinity: ", quoted(part), " is no CPU number or range (0-3,6)"));
        for (uint64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<uint32_t>(cpu));
    }
    return cpus;
}

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

Result<> plan_scheduling(Draft& d) {
    launch::Process& p = d.launch.process;
    const spec::Process& wanted = d.spec.process;
    if (wanted.cpu_affinity) p.cpu_affinity = TRY(cpu_list(*wanted.cpu_affinity));
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
                     cat("--personality: ", quoted(wanted.personality), " is neither x86 nor x86-64"));
    return {};
}

// ------------------------------------------------------------ identity and the end

Result<> plan_identity(Draft& d) {
    launch::Process& p = d.launch.process;
    const spec::TreeFacts& tree = d.facts.tree;
    p.uid = tree.uid, p.gid = tree.gid;
    p.groups = tree.groups;
    for (uint32_t group : d.spec.process.user.extra_groups)
        if (std::ranges::find(p.groups, group) == p.groups.end()) p.groups.push_back(group);
    for (uint32_t group : p.groups)
        if (!d.host_gid(group))
            return error(Errc::invalid,
                         cat("the group ", group, " is outside the ids of the machine's private users"));
    p.umask = d.spec.process.user.umask.value_or(0022);
    p.oom_score_adjust = d.spec.process.oom_score_adjust;
    p.apparmor = d.spec.process.apparmor_profile;
    p.selinux = d.spec.process.selinux_label;
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

}  // namespace

Result<> plan_process(Draft& d) {
    TRY(plan_command(d));
    TRY(plan_rlimits(d));
    TRY(plan_scheduling(d));
    TRY(plan_identity(d));
    return plan_stop(d);
}

}  // namespace croft::plan
