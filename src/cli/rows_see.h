// Rows of the verb table: what shows machines. Only verbs.cc includes this.
#pragma once

#include "cli/rows_options.h"
#include "cli/verbs.h"

namespace croft::cli {

inline constexpr OptionRow list_options[] = {
    {"--all", 'a', "", "", "Also machines that are only declared, and the containers of croft-oci"},
    OPT_JSON,
    {"--quiet", 'q', "", "", "Names only"},
    {"--running", 'r', "", "", "Only machines that are alive"},
    {"--no-legend", 0, "", "", "No headings and no last line"},
};
inline constexpr OptionRow events_options[] = {
    {"--follow", 'f', "", "", "Go on with what comes"},
    {"--json", 0, "", "", "Print one JSON object in a line for each"},
};
inline constexpr OptionRow show_options[] = {OPT_JSON};
inline constexpr OptionRow logs_options[] = {
    {"--follow", 'f', "", "", "Go on until the machine has ended"},
    {"--lines", 'n', "N", "", "Only the last N lines"},
    {"--raw", 0, "", "", "All bytes as they are, also on a terminal"},
};
inline constexpr OptionRow wait_options[] = {OPT_JSON};

inline constexpr Verb see_rows[] = {
    {.name = "list",
     .aliases = "ls ps",
     .group = Group::see,
     .synopsis = "[OPTIONS] [PATTERN…]",
     .help = "list machines",
     .doc =
         "One line for each machine: name, state, kind (app or system), leader (the pid of its first "
         "process as the host counts), since when, and tree. Machines that have ended stay until "
         "`croft rm`, unless they were started with --rm or in the foreground. --all adds those that files "
         "declare and that have not been started, and the containers of croft-oci (kind oci), which "
         "are for the engine that made them. PATTERN is a shell pattern of names.",
     .example = "croft list\n"
                "croft list --json 'web*'\n"
                "croft stop $(croft list -qr)               # -q: names only; -r: the living",
     .operands = Operands::machine,
     .options = list_options,
     .function = verb_list},
    {.name = "show",
     .aliases = "inspect status",
     .group = Group::see,
     .synopsis = "[OPTIONS] NAME…",
     .help = "show all about a machine",
     .doc = "Of a machine that runs, has ended, or is only declared: state, leader, addresses, limits with "
            "their use, mounts; of a machine that failed also why, "
            "and its last lines.",
     .example = "croft show web\n"
                "croft show --json web",
     .operands = Operands::machine,
     .options = show_options,
     .function = verb_show},
    {.name = "events",
     .group = Group::see,
     .synopsis = "[OPTIONS] [NAME…]",
     .help = "tell what happened to machines",
     .doc =
         "Starts, ends, reboots, pauses and changes of what is declared: what has been, and with -f what "
         "comes. "
         "On a host with a journal it is read from there (and kept as long as that keeps it), elsewhere from "
         "croft's run directory.",
     .example = "croft events\n"
                "croft events -f --json web                # one object in a line, as they come",
     .operands = Operands::declared,
     .supervised = true,
     .options = events_options,
     .function = verb_events},
    {.name = "logs",
     .aliases = "log",
     .group = Group::see,
     .synopsis = "[OPTIONS] NAME",
     .help = "print what a detached machine wrote",
     .doc = "The output of a machine that was started with -d: its console, or its standard output and "
            "error. On a terminal, what is not text is left out (a log must not be able to write this "
            "terminal's title), unless --raw says so.",
     .example = "croft logs web\n"
                "croft logs -f -n 20 web                   # the last 20 lines, and what comes",
     .operands = Operands::machine,
     .options = logs_options,
     .function = verb_logs},
    {.name = "wait",
     .group = Group::see,
     .synopsis = "[OPTIONS] NAME",
     .help = "wait until a machine has ended",
     .doc = "The exit status is the machine's. A reboot is not an end.",
     .example = "croft wait web",
     .own_status = OwnStatus::apart,
     .operands = Operands::machine,
     .options = wait_options,
     .function = verb_wait},
};

}  // namespace croft::cli
