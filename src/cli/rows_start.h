// Rows of the verb table: what starts a machine. Only verbs.cc includes this.
#pragma once

#include "cli/rows_options.h"
#include "cli/verbs.h"

namespace croft::cli {

inline constexpr OptionRow run_options[] = {OPT_DETACH,   OPT_KEYS, OPT_JSON, OPT_QUIET,
                                            OPT_SETTINGS, OPT_FAIL, OPT_KILL};
inline constexpr OptionRow boot_options[] = {
    OPT_DETACH,
    {"--no-wait", 0, "", "", "With -d: do not wait until the machine says that it is up"},
    {"--ready-timeout", 0, "TIME", "", "How long to wait for that (default 90s; infinity)"},
    OPT_KEYS,
    OPT_JSON,
    OPT_QUIET,
    OPT_SETTINGS,
    OPT_FAIL,
    OPT_KILL,
};
inline constexpr OptionRow start_options_row[] = {
    {"--ready-only", 0, "", "", "Take all that is needed, and launch nothing"},
    {"--no-wait", 0, "", "", "Do not wait until a booted machine says that it is up"},
    {"--ready-timeout", 0, "TIME", "", "How long to wait for that (default 90s; infinity)"},
    OPT_JSON,
    OPT_QUIET,
    OPT_FAIL,
    OPT_KILL,
};
inline constexpr OptionRow plan_options[] = {
    OPT_JSON,
    {"--launch", 0, "", "", "Only the launch plan: what the kernel is asked to do"},
    {"--unit", 0, "", "", "Only the unit plan: what systemd is asked to do"},
};

inline constexpr Verb start_rows[] = {
    {.name = "run",
     .group = Group::start,
     .synopsis = "[OPTIONS] TREE [COMMAND [ARGUMENT…]]",
     .help = "run one program in a tree",
     .doc = "Runs COMMAND in new namespaces with TREE as its root, and waits for it. Without a command: a "
            "shell, with a terminal where this is one. TREE is a directory, or the name of one in "
            "/var/lib/machines. Options end at TREE: what follows belongs to the command.\n\n"
            "Exit status, signals and the three standard streams are the command's own. Standard input is "
            "passed on with -i, and always where it is a pipe or a file. -t gives the command a terminal; "
            "-d leaves it running in the background and prints its name.\n\n"
            "With --json, -d prints an object with \"name\" and \"leader\" on standard output; in the "
            "foreground, where standard output is the command's, one line with \"name\" and \"outcome\" "
            "goes to standard error at the end.",
     .example = "croft run debian cat /etc/os-release      # one program, its output, its exit status\n"
                "croft run -it debian bash                 # a shell with a terminal\n"
                "croft run --ephemeral --network=host debian apt-get update   # on a throwaway copy\n"
                "croft run -d --name=web --memory=512M debian sleep infinity  # in the background",
     .spec_options = SpecOptions::app,
     .own_status = OwnStatus::apart,
     .operands = Operands::tree,
     .supervised = true,
     .options = run_options,
     .function = verb_run},
    {.name = "boot",
     .group = Group::start,
     .synopsis = "[OPTIONS] TREE [INIT-ARGUMENT…]",
     .help = "boot a tree as a system",
     .doc = "Finds the init of TREE (systemd, or another) and boots it as a system container: in the "
            "foreground with its console on this terminal, or with -d in the background. -d waits until "
            "the system says that it is up (READY=1) and tells how long that took.\n\n"
            "The detach keys (ctrl-p ctrl-q) leave the console and let the machine go on in the "
            "background; `croft attach` comes back. `croft poweroff` and `croft stop` end it cleanly; "
            "`poweroff` and `reboot` inside do what they say.",
     .example = "croft boot -d --name=web debian           # up in the background\n"
                "croft boot debian                         # with its console here\n"
                "croft boot -d --ephemeral --volatile=no debian   # nothing that happens inside is kept",
     .spec_options = SpecOptions::boot,
     .own_status = OwnStatus::apart,
     .operands = Operands::tree,
     .supervised = true,
     .options = boot_options,
     .function = verb_boot},
    {.name = "start",
     .group = Group::start,
     .synopsis = "[OPTIONS] NAME…",
     .help = "start declared machines",
     .doc =
         "Starts machines that files declare (`croft create`, /etc/croft/machines) in the background, by "
         "what "
         "their files say, and waits until they are up, as `croft boot -d` does. Prints the name of each.\n\n"
         "--ready-only stops before the first process: name, ids, tree and plan are taken, so that a later "
         "`croft start` cannot fail for any of them; `croft stop` gives them back.",
     .example = "croft start web\n"
                "croft start --ready-only web              # all is taken, nothing runs; start goes on",
     .operands = Operands::declared,
     .supervised = true,
     .options = start_options_row,
     .function = verb_start},
    {.name = "plan",
     .group = Group::start,
     .synopsis = "[OPTIONS] run|boot [OPTIONS] TREE [COMMAND…]",
     .help = "show what run or boot would do",
     .doc = "Prints the two plans that the command behind it would make, without privilege and without "
            "touching anything: the launch plan (each thing that the kernel is asked to do, in order) and "
            "the unit plan (what systemd is asked to do, where machines are units).",
     .example = "croft plan run debian true                # every step, as JSON, and the unit\n"
                "croft plan --unit boot debian             # the unit alone",
     .operands = Operands::plan,
     .options = plan_options,
     .function = verb_plan},
};

}  // namespace croft::cli
