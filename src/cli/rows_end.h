// Rows of the verb table: what ends machines. Only verbs.cc includes this.
#pragma once

#include "cli/rows_options.h"
#include "cli/verbs.h"

namespace croft::cli {

inline constexpr OptionRow stop_options[] = {
    {"--all", 'a', "", "", "Every machine that is alive"},
    {"--timeout", 't', "TIME", "",
     "How long it may take before it is killed (default: the machine's own, 90s)"},
    {"--now", 0, "", "", "Kill at once"},
    OPT_QUIET,
    OPT_JSON,
};
inline constexpr OptionRow poweroff_options[] = {{"--wait", 0, "", "", "Return when it is off"}};
inline constexpr OptionRow kill_options[] = {
    {"--signal", 's', "SIGNAL", "signal", "Which signal (default SIGTERM)"},
    {"--whom", 0, "WHOM", "leader|all",
     "Its first process (leader, the default) or every process of it (all)"},
};
inline constexpr OptionRow rm_options[] = {
    {"--force", 'f', "", "", "Also when it is alive: kill it first; no error when it does not exist"},
    {"--all", 'a', "", "", "Every machine that has ended (with --force: every machine)"},
    {"--config", 0, "", "", "Also what declares it: its machine file and drop-ins"},
    {"--tree", 0, "", "", "With --config: also its tree"},
    OPT_QUIET,
};

inline constexpr Verb end_rows[] = {
    {.name = "stop",
     .group = Group::end,
     .synopsis = "[OPTIONS] NAME…",
     .help = "stop machines cleanly",
     .doc = "Sends the stop signal of the machine's init, or SIGTERM to an app, and waits. What has not "
            "ended in time is killed and named.",
     .example = "croft stop web\n"
                "croft stop --all --timeout=10s",
     .operands = Operands::running,
     .supervised = true,
     .options = stop_options,
     .function = verb_stop},
    {.name = "poweroff",
     .group = Group::end,
     .synopsis = "[OPTIONS] NAME…",
     .help = "ask the system inside to power off",
     .doc = "As `poweroff` inside would. Only for machines that were booted; `croft stop` ends both kinds.",
     .example = "croft poweroff --wait web",
     .operands = Operands::running,
     .options = poweroff_options,
     .function = verb_poweroff},
    {.name = "reboot",
     .aliases = "restart",
     .group = Group::end,
     .synopsis = "NAME…",
     .help = "ask the system inside to reboot",
     .doc = "As `reboot` inside would. Name, addresses and id range stay.",
     .example = "croft reboot web",
     .operands = Operands::running,
     .function = verb_reboot},
    {.name = "kill",
     .group = Group::end,
     .synopsis = "[OPTIONS] NAME…",
     .help = "send a signal to a machine's processes",
     .doc = "To its first process, or with --whom=all to every process. The first process of a PID "
            "namespace gets only signals that it handles, and SIGKILL and SIGSTOP from outside.",
     .example = "croft kill --signal=HUP web",
     .operands = Operands::running,
     .options = kill_options,
     .function = verb_kill},
    {.name = "pause",
     .aliases = "freeze",
     .group = Group::end,
     .synopsis = "NAME…",
     .help = "freeze all processes of machines",
     .doc = "Until `croft resume`. Needs a cgroup.",
     .example = "croft pause web",
     .operands = Operands::running,
     .supervised = true,
     .function = verb_pause},
    {.name = "resume",
     .aliases = "unpause thaw",
     .group = Group::end,
     .synopsis = "NAME…",
     .help = "let frozen machines go on",
     .doc = "The end of `croft pause`.",
     .example = "croft resume web",
     .operands = Operands::running,
     .supervised = true,
     .function = verb_resume},
    {.name = "rm",
     .aliases = "remove",
     .group = Group::end,
     .synopsis = "[OPTIONS] NAME…",
     .help = "remove what an ended machine left",
     .doc =
         "Its record, its log and its throwaway files. A machine that is alive is refused without --force. "
         "What "
         "declares a machine goes with --config, and its tree only with --tree besides; a tree that another "
         "machine is declared with, or that is in use, is refused.",
     .example = "croft rm web\n"
                "croft rm --all                            # all that have ended\n"
                "croft rm --config --tree web              # what declares it, and its files",
     .operands = Operands::machine,
     .supervised = true,
     .options = rm_options,
     .function = verb_rm},
};

}  // namespace croft::cli
