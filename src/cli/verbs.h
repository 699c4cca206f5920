// The verb table: one row for each thing `croft` can do. It drives dispatch, `croft help`, `croft VERB
// --help`, the manual and completion, so a new verb is one row, one function, and nothing else.
//
// All of it is constant data: the hot verbs (run, exec) pay nothing for the others.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/arguments.h"

namespace croft::cli {

// Which rows of the spec's field table a verb takes as options.
enum class SpecOptions : unsigned char { none, app, boot, any };
// The exit status of croft's own failures: by the table of error kinds, or 125/126/127 for the verbs whose
// status is the payload's own.
enum class OwnStatus : unsigned char { by_kind, apart };
// What completion offers for operands.
enum class Operands : unsigned char { none, tree, machine, declared, running, verb, field, copy, plan, image };
// Groups of `croft help`, in this order.
enum class Group : unsigned char { start, config, see, inside, end, images, learn, hidden };

struct Verb;
using VerbFunction = Result<int> (*)(const Verb& verb, std::span<char* const> arguments);

struct Verb {
    const char* name;          // one word, or two of which the first is a noun: "image copy"
    const char* aliases = "";  // separated by spaces; behind a noun they stand as the name does ("image ls": "ls")
    Group group = Group::hidden;
    const char* synopsis = "";  // what follows the name: "[OPTIONS] TREE [COMMAND…]"
    const char* help = "";      // one line without a full stop
    const char* doc = "";       // paragraphs, separated by an empty line
    const char* example = "";   // lines "COMMAND  # what it does"
    SpecOptions spec_options = SpecOptions::none;
    OwnStatus own_status = OwnStatus::by_kind;
    Operands operands = Operands::none;
    // Asks systemd where machines are its units: then croft-systemd, which can, takes croft's place.
    bool supervised = false;
    // For the system's machines over the bus, part of it is done here: the function sees to that itself (remote.h).
    bool local_part = false;
    // About images: then croft-images, which has what moves and keeps them linked in, takes croft's place. The row has no
    // function; that program tells it (set_image_functions()).
    bool images = false;
    std::span<const OptionRow> options = {};
    VerbFunction function = nullptr;
};

std::span<const Verb> verbs();
// By name or alias; null when there is none. Two words are joined by a space.
const Verb* find_verb(std::string_view words);
// The verb that a command line begins with, and of how many words its name is there; null when there is none.
struct FoundVerb {
    const Verb* verb = nullptr;
    size_t words = 1;
};
FoundVerb find_verb(std::span<char* const> words);
// The name, then the aliases, each as it is written behind `croft`.
std::vector<std::string> names_of(const Verb& verb);
// "image" of "image copy"; "" of most.
std::string_view noun_of(const Verb& verb);
bool is_noun(std::string_view word);

// The functions of the verbs that are `images`, in the program that has them.
struct NamedFunction {
    std::string_view verb;
    VerbFunction function;
};
void set_image_functions(std::span<const NamedFunction> functions);
const char* group_title(Group group);

// The whole program: argv as main got it, the exit status out. Errors are printed here and nowhere else.
int run_command_line(int argc, char** argv);
// The exit status of an error under a verb's rule.
int status_of(const Error& error, OwnStatus rule);

// The functions behind the rows, one file each (verb_*.cc).
#define CROFT_VERB(name) Result<int> name(const Verb& verb, std::span<char* const> arguments)
CROFT_VERB(verb_run);
CROFT_VERB(verb_boot);
CROFT_VERB(verb_start);
CROFT_VERB(verb_create);
CROFT_VERB(verb_edit);
CROFT_VERB(verb_set);
CROFT_VERB(verb_unset);
CROFT_VERB(verb_cat);
CROFT_VERB(verb_diff);
CROFT_VERB(verb_rename);
CROFT_VERB(verb_clone_config);
CROFT_VERB(verb_clone);
CROFT_VERB(verb_snapshot);
CROFT_VERB(verb_restore);
CROFT_VERB(verb_rebuild);
CROFT_VERB(verb_verify);
CROFT_VERB(verb_events);
CROFT_VERB(verb_plan);
CROFT_VERB(verb_list);
CROFT_VERB(verb_show);
CROFT_VERB(verb_exec);
CROFT_VERB(verb_shell);
CROFT_VERB(verb_attach);
CROFT_VERB(verb_logs);
CROFT_VERB(verb_wait);
CROFT_VERB(verb_cp);
CROFT_VERB(verb_bind);
CROFT_VERB(verb_unbind);
CROFT_VERB(verb_stop);
CROFT_VERB(verb_poweroff);
CROFT_VERB(verb_reboot);
CROFT_VERB(verb_kill);
CROFT_VERB(verb_pause);
CROFT_VERB(verb_resume);
CROFT_VERB(verb_rm);
CROFT_VERB(verb_doctor);
CROFT_VERB(verb_explain);
CROFT_VERB(verb_help);
CROFT_VERB(verb_version);
CROFT_VERB(verb_complete);
CROFT_VERB(verb_man);
CROFT_VERB(verb_relaunch);
CROFT_VERB(verb_cleanup);
#undef CROFT_VERB

}  // namespace croft::cli
