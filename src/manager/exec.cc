#include "manager/exec.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/text.h"
#include "host/user.h"
#include "manager/control.h"
#include "manager/detached.h"
#include "manager/kept.h"
#include "manager/leader.h"
#include "manager/states.h"
#include "manager/watch.h"
#include "run/hold.h"
#include "run/join.h"
#include "run/relay.h"

namespace croft::manager {
namespace {

constexpr const char* default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_executable(int root, const char* path) {
    auto file = open_in_root(root, path, O_PATH);
    struct stat st = {};
    return file && fstat(file->get(), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

std::string name_of(std::string_view entry) {
    return std::string(entry.substr(0, entry.find('=')));
}

void set_variable(std::vector<std::string>& env, const std::string& name, std::string_view value) {
    std::erase_if(env, [&](const std::string& entry) { return name_of(entry) == name; });
    env.push_back(cat(name, "=", value));
}

// The payload's own environment, without what was meant for its first process alone, and with the user's own.
std::vector<std::string> environment_of(const launch::Process& payload, const host::ResolvedUser& user,
                                        const ExecOptions& options) {
    std::vector<std::string> env;
    for (const std::string& entry : payload.env) {
        std::string name = name_of(entry);
        if (name != "NOTIFY_SOCKET" && name != "LISTEN_FDS" && name != "LISTEN_PID" &&
            name != "CREDENTIALS_DIRECTORY" && name != "WATCHDOG_USEC" && name != "WATCHDOG_PID" &&
            name != "TERM")
            env.push_back(entry);
    }
    bool has_path = false;
    for (const std::string& entry : env) has_path = has_path || entry.starts_with("PATH=");
    if (!has_path) set_variable(env, "PATH", default_path);
    set_variable(env, "HOME", user.home);
    std::erase_if(env, [](const std::string& entry) {
        return name_of(entry) == "USER" || name_of(entry) == "LOGNAME";
    });
    if (!user.name.empty()) set_variable(env, "USER", user.name), set_variable(env, "LOGNAME", user.name);
    if (!user.shell.empty()) set_variable(env, "SHELL", user.shell);
    for (const auto& [name, value] : options.environment) set_variable(env, name, value);
    return env;
}

// A login through the tree's PAM: login(1) wants a terminal, su(1) does not. A tree with neither gets the
// plain shell.
std::vector<std::string> login_command(int root, const host::ResolvedUser& user, bool boot, bool terminal) {
    if (boot && !user.name.empty()) {
        if (terminal)
            for (const char* path : {"/bin/login", "/usr/bin/login"})
                if (is_executable(root, path)) return {path, "-p", "-f", user.name};
        for (const char* path : {"/bin/su", "/usr/bin/su"})
            if (is_executable(root, path)) return {path, "-l", user.name};
    }
    for (const char* path : {user.shell.c_str(), "/bin/bash", "/bin/sh"})
        if (*path && is_executable(root, path)) return {path, "-l"};
    return {"/bin/sh", "-l"};
}

std::string shell_of(int root, const host::ResolvedUser& user) {
    for (const char* path : {user.shell.c_str(), "/bin/bash", "/bin/sh"})
        if (*path && is_executable(root, path)) return path;
    return "/bin/sh";
}

// The payload's restrictions, with another identity. Capabilities of a user that is not root are none, as
// exec(2) of a new identity would have it.
void set_identity(launch::Process& process, bool boot, const host::ResolvedUser& user,
                  const ExecOptions& options) {
    process.uid = user.uid, process.gid = user.gid, process.groups = user.groups;
    process.cap_ambient = process.cap_inheritable = 0;
    process.cap_effective = user.uid == 0 ? process.cap_bounding : 0;
    // As `croft run --user` has it; a booted system has its own sudo.
    if (!boot && user.uid != 0) process.no_new_privileges = true;
    if (!options.privileged) return;
    process.cap_bounding = UINT64_MAX;
    process.cap_effective = user.uid == 0 ? UINT64_MAX : 0;
    process.seccomp.clear();
    process.no_new_privileges = false;
}

launch::LaunchPlan join_plan(const launch::LaunchPlan& machine, int root, const host::ResolvedUser& user,
                             const ExecOptions& options) {
    launch::LaunchPlan plan;
    plan.name = machine.name;
    plan.slots = 0;
    plan.process = machine.process;
    launch::Process& process = plan.process;
    process.init = false;
    process.terminal = options.terminal;
    process.argv = options.command;
    if (options.login && process.argv.empty())
        process.argv = login_command(root, user, machine.boot, options.terminal);
    if (process.argv.empty()) process.argv = {shell_of(root, user)};
    process.env = environment_of(machine.process, user, options);
    process.search_path = default_path;
    for (const std::string& entry : process.env)
        if (entry.starts_with("PATH=")) process.search_path = entry.substr(5);
    bool by_login = process.argv[0].ends_with("/login") || process.argv[0].ends_with("/su");
    by_login = by_login && options.login && options.command.empty();
    process.directory = options.directory.empty() ? "/" : options.directory;
    // login(1) and su(1) are root's, and go home by themselves.
    bool go_home = options.login && !by_login && options.directory.empty();
    if (go_home && open_in_root(root, user.home.c_str(), O_PATH | O_DIRECTORY)) process.directory = user.home;
    process.parent_death_signal = options.detached ? 0 : SIGKILL;
    set_identity(process, machine.boot, by_login ? host::ResolvedUser() : user, options);
    if (!options.terminal) return plan;
    launch::OpenConsole console;
    console.console = false;
    winsize size = {};
    if (ioctl(0, TIOCGWINSZ, &size) == 0) console.rows = size.ws_row, console.columns = size.ws_col;
    plan.inside.push_back(console);
    return plan;
}

// A mount namespace of its own has every machine, also one whose plan makes none because it takes over the
// launcher's: without it a process would be among the host's files.
uint64_t namespaces_of(const launch::LaunchPlan& plan) {
    uint64_t out = plan.new_namespaces | CLONE_NEWNS;
    for (const launch::JoinNamespace& joined : plan.join) out |= joined.type;
    return out | (plan.uid_maps.empty() ? 0 : static_cast<uint64_t>(CLONE_NEWUSER));
}

// Where cgroup2 was when the machine was made; empty when it has no group. Limits and the device policy are
// the group's: a process outside of it would be free of both, and would outlive the machine.
std::string cgroup_root_of(const Record& record, const launch::LaunchPlan& plan) {
    std::string below = cat("/", plan.cgroup.path);
    if (plan.cgroup.path.empty() || !record.cgroup.ends_with(below)) return "";
    return record.cgroup.substr(0, record.cgroup.size() - below.size());
}

Result<launch::Outcome> wait_for(run::Launched& launched, const run::SignalTrap& signals,
                                 const ExecOptions& options) {
    run::RelayOptions relay;
    relay.pid = launched.pid, relay.pidfd = launched.pidfd.get(), relay.console = launched.console.get();
    relay.pid1 = false;
    if (!options.interactive) relay.input = -1;
    if (!options.detach_keys.empty()) relay.detach_keys = TRY(run::parse_detach_keys(options.detach_keys));
    auto run_relay = [&]() -> Result<run::RelayEnd> {
        if (!options.terminal) return run::relay(signals, relay);
        run::RawTerminal raw = TRY(run::RawTerminal::set(0));
        return run::relay(signals, relay);
    };
    auto end = run_relay();
    if (!end) {
        run::undo(launched);
        return std::move(end).error();
    }
    return std::move(end->outcome);
}

}  // namespace

Result<launch::Outcome> exec(const Paths& paths, std::string_view name, const ExecOptions& options) {
    Machine machine = TRY(find_for(paths, name, "exec"));
    launch::LaunchPlan kept =
        TRY(kept_plan(paths, name).within(cat("reading the plan of machine ", quoted(name))));
    const ProcessId& leader = machine.record.leader;
    Fd pidfd = TRY(open_process(leader).within(cat("machine ", quoted(name))));
    Fd root = TRY(open_root(leader).within(cat("machine ", quoted(name))));
    host::ResolvedUser user;
    // The usual case reads no file of the guest's.
    if (options.user.empty() && !options.login)
        user.name = "root", user.home = "/root";
    else
        user = TRY(host::resolve_user(root.get(), options.user).within(cat("machine ", quoted(name))));
    launch::LaunchPlan plan = join_plan(kept, root.get(), user, options);
    run::LaunchEnvironment environment;
    environment.helper_directory = paths.helpers;
    environment.cgroup_root = cgroup_root_of(machine.record, kept);
    std::optional<run::SeccompProgram> filter;
    if (!plan.process.seccomp.empty()) {
        filter = TRY(load_filter(paths, plan.process.seccomp));
        set_filter(environment, *filter);
    }
    if (!options.interactive || options.detached) environment.stdio[0] = -1;
    if (options.detached) environment.stdio[1] = environment.stdio[2] = -1;
    run::SignalTrap signals = TRY(run::SignalTrap::set());
    run::JoinRequest request = {leader.pid, pidfd.get(), namespaces_of(kept)};
    // A user's machine is in the user namespace that its launcher made.
    if (!paths.system) request.namespaces |= CLONE_NEWUSER;
    run::Launched launched =
        TRY(run::join(request, plan, environment).within(cat("in machine ", quoted(name))));
    if (options.detached) return launch::Outcome{};  // it is its own master now; the host's init reaps it
    return wait_for(launched, signals, options);
}

Result<launch::Outcome> attach(const Paths& paths, std::string_view name, std::string_view detach_keys) {
    Machine machine = TRY(find_for(paths, name, "attach"));
    Fd directory = TRY(open_at(AT_FDCWD, cat(paths.machines, "/", name).c_str(), O_RDONLY | O_DIRECTORY));
    AttachOptions options = {.detach_keys = std::string(detach_keys),
                             .boot = machine.record.boot,
                             .directory = directory.get(),
                             .ready = {},
                             .ended = {}};
    Watch watch(directory.get());
    if (!machine.record.unit.empty()) options.ended = [&] { return wait(paths, name, watch); };
    Fd connection = TRY(run::connect_attach(directory.get()).within(cat("machine ", quoted(name))));
    return attach_console(std::move(connection), options).within(cat("machine ", quoted(name)));
}

}  // namespace croft::manager
