// Rows of the verb table: what croft and its helpers ask of croft. Only verbs.cc includes this.
#pragma once

#include "cli/rows_options.h"
#include "cli/verbs.h"

namespace croft::cli {

inline constexpr Verb hidden_rows[] = {
    {.name = "_complete",
     .group = Group::hidden,
     .synopsis = "bash|zsh|fish",
     .help = "print a completion script",
     .function = verb_complete},
    {.name = "_man", .group = Group::hidden, .help = "print the manual page", .function = verb_man},
    {.name = "_relaunch",
     .group = Group::hidden,
     .synopsis = "NAME",
     .help = "start a machine again that asked for a reboot",
     .function = verb_relaunch},
    {.name = "_cleanup",
     .group = Group::hidden,
     .synopsis = "NAME",
     .help = "remove what a machine that has ended left",
     .function = verb_cleanup},
};

}  // namespace croft::cli
