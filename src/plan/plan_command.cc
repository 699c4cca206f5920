// What is executed, where, and with which environment.
#include <algorithm>

#include "plan/environment.h"

namespace croft::plan {

namespace {

constexpr std::string_view default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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
    // With an empty /etc each boot is a first boot, and systemd would wait for somebody to answer its
    // questions.
    bool somebody = d.facts.stdin_is_terminal && d.facts.stdout_is_terminal;
    if (d.spec.root.volatile_mode == spec::Volatile::yes && d.facts.tree.systemd_init && !somebody)
        p.argv.push_back("systemd.firstboot=no");
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

}  // namespace

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

}  // namespace croft::plan
