// The verbs that ask one thing of each machine named: poweroff, reboot, kill, pause, resume; and wait, rm.
#include <csignal>
#include <cstring>

#include "base/text.h"
#include "cli/each.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "manager/control.h"
#include "manager/create.h"
#include "spec/name_tables.h"

namespace croft::cli {

namespace {
using manager::Paths;

// Parse, look for files, act on each.
template <class F>
Result<int> each_machine(const Verb& verb, std::span<char* const> arguments, F&& act) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, SIZE_MAX));
    Paths paths = TRY(manager::find_paths());
    return for_each_operand(args, [&](const std::string& name) { return act(paths, name, args); });
}

Result<int> signal_option(const Arguments& args) {
    const std::string* text = args.value("--signal");
    if (!text) return SIGTERM;
    std::string name = TRY(spec::signal_name(*text).within("--signal"));
    if (name.starts_with("SIGRTMIN+"))
        return SIGRTMIN + static_cast<int>(parse_int(name.substr(9)).value_or(0));
    if (name == "SIGRTMIN") return SIGRTMIN;
    for (int number = 1; number < SIGRTMIN; ++number) {
        const char* abbreviation = sigabbrev_np(number);
        if (abbreviation && name.substr(3) == abbreviation) return number;
    }
    return error(Errc::invalid, cat("--signal: ", quoted(*text), " is no signal that can be sent"));
}
}  // namespace

Result<int> verb_poweroff(const Verb& verb, std::span<char* const> arguments) {
    return each_machine(verb, arguments,
                        [](const Paths& paths, const std::string& name, const Arguments& args) -> Result<> {
                            TRY(manager::poweroff(paths, name));
                            if (args.has("--wait")) TRY(manager::wait(paths, name));
                            return {};
                        });
}

Result<int> verb_reboot(const Verb& verb, std::span<char* const> arguments) {
    return each_machine(verb, arguments, [](const Paths& paths, const std::string& name, const Arguments&) {
        return manager::reboot(paths, name);
    });
}

Result<int> verb_kill(const Verb& verb, std::span<char* const> arguments) {
    return each_machine(
        verb, arguments, [](const Paths& paths, const std::string& name, const Arguments& args) -> Result<> {
            int signal = TRY(signal_option(args));
            const std::string* whom = args.value("--whom");
            if (whom && *whom != "leader" && *whom != "all")
                return error(Errc::invalid, cat("--whom: ", quoted(*whom), " is neither leader nor all"));
            return manager::kill(paths, name, signal,
                                 whom && *whom == "all" ? manager::Whom::all : manager::Whom::leader);
        });
}

Result<int> verb_pause(const Verb& verb, std::span<char* const> arguments) {
    return each_machine(verb, arguments, [](const Paths& paths, const std::string& name, const Arguments&) {
        return manager::pause(paths, name);
    });
}

Result<int> verb_resume(const Verb& verb, std::span<char* const> arguments) {
    return each_machine(verb, arguments, [](const Paths& paths, const std::string& name, const Arguments&) {
        return manager::resume(paths, name);
    });
}

Result<int> verb_wait(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    Paths paths = TRY(manager::find_paths());
    launch::Outcome outcome = TRY(manager::wait(paths, args.operands[0]));
    if (args.has("--json")) {
        format::JsonWriter json;
        json.begin_object().member("name", args.operands[0]).key("outcome");
        outcome_json(json, outcome);
        json.end_object();
        TRY(print(json.text()));
    }
    return launch::exit_status(outcome);
}

namespace {
Result<> remove_declaration(const Paths& paths, const std::string& name, const Arguments& args) {
    bool tree = args.has("--tree");
    if (args.has("--force"))
        if (auto alive = manager::find(paths, name); alive && alive->alive())
            TRY(manager::remove(paths, name, manager::Force::yes));
    manager::RemovedDeclaration removed =
        TRY(manager::remove_declared(paths, name, tree ? manager::WithTree::yes : manager::WithTree::no));
    if (!removed.uncovered.empty())
        warn(cat("machine ", quoted(name), " is still declared, by ", removed.uncovered));
    if (!args.has("--quiet"))
        info(cat("removed ", removed.file, removed.tree.empty() ? "" : cat(" and ", removed.tree)));
    return {};
}
}  // namespace

Result<int> verb_rm(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    bool all = args.has("--all"), force = args.has("--force");
    if (all && !args.operands.empty()) return error(Errc::usage, "rm takes --all or names, not both");
    bool config = args.has("--config");
    if (all && config) return error(Errc::usage, "rm --config wants the names of the machines");
    if (args.has("--tree") && !config)
        return error(Errc::usage,
                     "rm --tree goes with --config: a tree is removed with what declares its machine");
    if (!all) TRY(expect_operands(verb, args, 1, SIZE_MAX));
    Paths paths = TRY(manager::find_paths());
    if (config)
        return for_each_operand(
            args, [&](const std::string& name) { return remove_declaration(paths, name, args); });
    if (all)
        for (const manager::Machine& machine : TRY(manager::list(paths)))
            if (force || !machine.alive()) args.operands.push_back(machine.name);
    int status = for_each_operand(args, [&](const std::string& name) -> Result<> {
        Result<> removed = manager::remove(paths, name, force ? manager::Force::yes : manager::Force::no);
        if (!removed && force && removed.error().code == Errc::not_found) return {};
        return removed;
    });
    if (all && !args.has("--quiet") && !status)
        info(args.operands.empty() ? std::string("nothing to remove")
                                   : cat("removed ", join(args.operands, ", ")));
    return status;
}

}  // namespace croft::cli
