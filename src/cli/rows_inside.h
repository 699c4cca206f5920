// Rows of the verb table: what is done inside a machine that runs. Only verbs.cc includes this.
#pragma once

#include "cli/rows_options.h"
#include "cli/verbs.h"

namespace croft::cli {

inline constexpr OptionRow exec_options[] = {
    {"--tty", 't', "", "", "Give it a terminal of its own (this must be one)"},
    {"--interactive", 'i', "", "", "Pass standard input on (this is the default: for habit's sake)"},
    {"--no-stdin", 0, "", "", "Let it read from /dev/null"},
    {"--detach", 'd', "", "", "Start it and return"},
    {"--user", 'u', "USER[:GROUP]", "user", "As this user, looked up inside the machine (default root)"},
    {"--workdir", 'w', "DIR", "", "Working directory inside (default /)"},
    {"--env", 'e', "NAME=VALUE", "", "Set a variable; NAME alone passes the caller's value on"},
    {"--privileged", 0, "", "",
     "With all capabilities that the machine could have, without its system call filter"},
    OPT_KEYS,
};
inline constexpr OptionRow shell_options[] = {
    {"--env", 'e', "NAME=VALUE", "", "Set a variable; NAME alone passes the caller's value on"},
    OPT_KEYS,
};
inline constexpr OptionRow attach_options[] = {OPT_KEYS};
inline constexpr OptionRow bind_options[] = {
    {"--read-only", 'r', "", "", "The machine may not write there"},
    {"--mkdir", 0, "", "", "Make the mount point inside when it is not there"},
    {"--no-idmap", 0, "", "", "Do not map owners: files keep the host's ids (then mostly nobody's inside)"},
};

inline constexpr Verb inside_rows[] = {
    {.name = "exec",
     .group = Group::inside,
     .synopsis = "[OPTIONS] NAME COMMAND [ARGUMENT…]",
     .help = "run one more program in a machine",
     .doc = "Joins the machine's namespaces and runs COMMAND there under the machine's own restrictions. "
            "Needs no help of the tree: no shell, no agent, no D-Bus. Exit status, signals and streams "
            "are the command's own.",
     .example = "croft exec web systemctl is-system-running\n"
                "croft exec -t -u daemon -w /tmp web bash",
     .own_status = OwnStatus::apart,
     .operands = Operands::running,
     .options = exec_options,
     .function = verb_exec},
    {.name = "shell",
     .aliases = "login",
     .group = Group::inside,
     .synopsis = "[OPTIONS] [USER@]NAME",
     .help = "log in to a machine",
     .doc = "A login shell with a terminal: through the tree's own login program and PAM where it has "
            "them, otherwise the user's shell. login(1) ends with 0 whatever the session ended with: for a "
            "command's own status there is `croft exec`.",
     .example = "croft shell web\n"
                "croft shell daemon@web",
     .own_status = OwnStatus::apart,
     .operands = Operands::running,
     .options = shell_options,
     .function = verb_shell},
    {.name = "attach",
     .aliases = "console",
     .group = Group::inside,
     .synopsis = "[OPTIONS] NAME",
     .help = "take a detached machine's terminal",
     .doc = "Gives this terminal to the console of a machine that was started with -d. The detach keys "
            "leave it as it is. What nobody was attached to read is in `croft logs`.",
     .example = "croft attach web                          # or: croft console web",
     .own_status = OwnStatus::apart,
     .operands = Operands::running,
     .options = attach_options,
     .function = verb_attach},
    {.name = "cp",
     .aliases = "copy",
     .group = Group::inside,
     .synopsis = "SOURCE TARGET",
     .help = "copy files in or out of a machine",
     .doc = "One of SOURCE and TARGET is NAME:PATH, a path inside a running machine; the other is a path "
            "here. Directories go with all below. Owners pass through the machine's id map: root inside "
            "is root here.",
     .example = "croft cp web:/etc/os-release .\n"
                "croft cp ./site web:/srv/",
     .operands = Operands::copy,
     .function = verb_cp},
    {.name = "bind",
     .group = Group::inside,
     .synopsis = "[OPTIONS] NAME SOURCE [TARGET]",
     .help = "show a host path in a running machine",
     .doc = "Mounts SOURCE, a path of this host, at TARGET inside (default: the same path). Owners are "
            "mapped as for --bind.",
     .example = "croft bind --mkdir web /srv/data /mnt/data",
     .operands = Operands::running,
     .options = bind_options,
     .function = verb_bind},
    {.name = "unbind",
     .group = Group::inside,
     .synopsis = "NAME TARGET",
     .help = "take a bound path out again",
     .doc = "Unmounts what is mounted at TARGET inside.",
     .example = "croft unbind web /mnt/data",
     .operands = Operands::running,
     .function = verb_unbind},
};

}  // namespace croft::cli
