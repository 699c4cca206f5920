#include "manager/states.h"

#include <algorithm>
#include <map>

#include "base/fd.h"
#include "base/text.h"
#include "manager/declared.h"
#include "manager/image_root.h"
#include "manager/install_mark.h"

namespace croft::manager {

namespace {
using StateSet = unsigned;

template <class... States>
constexpr StateSet set(States... states) {
    return ((1u << static_cast<unsigned>(states)) | ...);
}
bool contains(StateSet states, State state) {
    return states & set(state);
}

constexpr StateSet moving = set(State::booting, State::running, State::degraded, State::stopping);
constexpr StateSet running = moving | set(State::frozen);
constexpr StateSet ended = set(State::exited, State::failed, State::lost);
constexpr StateSet declared_only = set(State::configured, State::incomplete, State::installed);

struct Row {
    std::string_view verb;
    StateSet from;
};
// One row for each verb that is about one machine's state. `show` and `list` take all.
constexpr Row rows[] = {
    {"start", ended | set(State::installed, State::ready)},
    {"stop", running | set(State::ready)},
    {"kill", running},
    {"poweroff", moving},
    {"reboot", moving},
    {"pause", moving},
    {"resume", set(State::frozen)},
    {"exec", moving},
    {"attach", running},
    {"cp", running},
    {"bind", running},
    {"unbind", running},
    {"wait", running | ended | set(State::starting)},
    {"logs", running | ended | set(State::starting)},
    {"rm", ended},
    {"rm --config", ended | declared_only},
    {"rename", ended | set(State::configured, State::installed)},
    {"diff --files", moving | set(State::frozen) | ended | set(State::installed)},
    {"clone", moving | set(State::frozen) | ended | set(State::installed)},
    {"snapshot", ended | set(State::installed)},
    {"image commit", ended | set(State::installed)},
    {"restore", ended | set(State::installed)},
    {"rebuild", ended | set(State::installed)},
};

const Row* find_row(std::string_view verb) {
    for (const Row& row : rows)
        if (verb == row.verb) return &row;
    return nullptr;
}

std::string hint(const Machine& machine, std::string_view verb) {
    const std::string& name = machine.name;
    if (verb == "resume" && machine.alive()) return "it is not paused";
    if (verb == "rm" && machine.only_declared())
        return cat("nothing is left of an earlier life; `croft rm --config ", name,
                   "` removes what declares it");
    if (!machine.mistake.empty()) return machine.mistake;
    switch (machine.state) {
        case State::ready:
            return cat("`croft start ", name, "` lets it run, `croft stop ", name, "` gives it back");
        case State::starting:
            return "try again in a moment";
        case State::frozen:
            return cat("`croft resume ", name, "` first");
        case State::exited:
        case State::failed:
            return cat("it ", launch::describe(machine.outcome));
        case State::lost:
            return cat("clear it with `croft rm ", name, "`");
        case State::configured:
            return cat("its tree ", quoted(machine.record.tree), " is not there");
        case State::incomplete:
            return cat("the copy of its tree was interrupted; `croft rm --config ", name, "` removes it");
        case State::installed:
            return cat("`croft start ", name, "` starts it");
        default:
            return cat("`croft stop ", name, "` ends it");
    }
}

Error refusal(const Machine& machine, const Row& row) {
    bool needs_life = (row.from & running) && !machine.alive();
    return error(Errc::wrong_state,
                 cat("machine ", quoted(machine.name), " is ", state_name(machine.state),
                     needs_life ? " and not running" : "", "; `croft ", row.verb, "` is for one that is ",
                     states_of(row.verb), ": ", hint(machine, row.verb)));
}

Machine only_declared(const Paths& paths, const Declared& declared) {
    Machine machine;
    machine.name = machine.record.name = declared.name;
    machine.file = declared.file;
    machine.record.boot = declared.boot, machine.record.tree = declared.tree;
    if (declared.masked) machine.mistake = cat("it is masked: ", declared.file, " is a link to /dev/null");
    if (declared.wrong) machine.mistake = declared.wrong->text;
    bool there = exists_at(AT_FDCWD, declared.tree.c_str());
    // A root on an image is made at the first start.
    if (!there && !declared.image.empty()) {
        auto image = find_image(paths, declared.image);
        there = image && *image;
    }
    machine.state = is_marked_incomplete(paths, declared.name) ? State::incomplete
                    : there                                    ? State::installed
                                                               : State::configured;
    return machine;
}

void add_declaration(Machine& machine, const Declared& declared) {
    machine.file = declared.file;
    if (declared.wrong) machine.mistake = declared.wrong->text;
}
}  // namespace

std::string states_of(std::string_view verb) {
    const Row* row = find_row(verb);
    std::vector<std::string> names;
    for (unsigned i = 0; row && i <= static_cast<unsigned>(State::installed); ++i)
        if (contains(row->from, static_cast<State>(i))) names.push_back(state_name(static_cast<State>(i)));
    if (names.size() < 2) return join(names, "");
    std::string last = std::move(names.back());
    names.pop_back();
    return cat(join(names, ", "), " or ", last);
}

Result<> check_state(const Machine& machine, std::string_view verb) {
    const Row* row = find_row(verb);
    if (!row) return error(Errc::failed, cat("there is no rule for the verb ", quoted(verb)));
    if (contains(row->from, machine.state)) return {};
    return refusal(machine, *row);
}

Result<Machine> find_any(const Paths& paths, std::string_view name) {
    auto machine = find(paths, name);
    if (!machine && machine.error().code != Errc::not_found) return machine;
    auto file = find_declared(paths, name);
    if (!machine && !file) return machine;  // its sentence names machines that are close
    if (!machine) return only_declared(paths, *file);
    if (file) add_declaration(*machine, *file);
    return machine;
}

Result<Machine> find_for(const Paths& paths, std::string_view name, std::string_view verb) {
    auto machine = find(paths, name);
    // The usual case reads no machine file.
    if (!machine) machine = find_any(paths, name);
    // What is about to run is waited for by whatever is for one that runs: who has just seen it in a list cannot know.
    const Row* row = find_row(verb);
    if (machine && machine->state == State::starting && row && (row->from & running) &&
        !contains(row->from, State::starting))
        machine = find_settled(paths, name, settle_start);
    if (!machine) return machine;
    TRY(check_state(*machine, verb));
    return machine;
}

Result<std::vector<Machine>> list_all(const Paths& paths) {
    std::map<std::string, Machine> all;
    for (Machine& machine : TRY(list(paths))) {
        std::string name = machine.name;
        all.emplace(std::move(name), std::move(machine));
    }
    for (const Declared& one : TRY(declared(paths))) {
        auto there = all.find(one.name);
        if (there != all.end())
            add_declaration(there->second, one);
        else
            all.emplace(one.name, only_declared(paths, one));
    }
    std::vector<Machine> out;
    for (auto& [name, machine] : all) out.push_back(std::move(machine));
    return out;
}

}  // namespace croft::manager
