// What a bundle executes, where, and with which environment: its own, and a HOME, which programs rely on.
#include "plan/environment.h"

namespace croft::plan {

// As execvp(3) without a PATH.
constexpr std::string_view usual_path = "/bin:/usr/bin";

Result<> plan_bundle_command(Draft& d) {
    launch::Process& p = d.launch.process;
    const spec::Process& wanted = d.spec.process;
    // None at all is a container that waits for a start and ends then (croft-init says so).
    if (!wanted.command.empty() && wanted.command[0].empty())
        return error(Errc::invalid, "process.args: the command is empty");
    p.argv = wanted.command;
    p.init = wanted.init;
    Environment env(p.env);
    for (const auto& [name, value] : wanted.environment.set) env.set(name, value);
    if (env.get("HOME").empty()) env.set("HOME", d.facts.tree.home.empty() ? "/" : d.facts.tree.home);
    p.search_path = env.get("PATH");
    if (p.search_path.empty()) p.search_path = usual_path;
    if (!wanted.directory.empty()) p.directory = wanted.directory;
    p.terminal = d.terminal;
    return {};
}

}  // namespace croft::plan
