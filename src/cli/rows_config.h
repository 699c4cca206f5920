// Rows of the verb table: what declares machines. Only verbs.cc includes this.
#pragma once

#include "cli/rows_options.h"
#include "cli/verbs.h"

namespace croft::cli {

inline constexpr OptionRow create_options[] = {
    {"--directory", 0, "DIR", "dir", "Its tree (default /var/lib/machines/NAME); need not be there yet"},
    {"--from", 0, "TREE", "path", "Copy this tree to its own: a directory, or a name in /var/lib/machines"},
    {"--app", 0, "", "", "It runs a program (default with a COMMAND)"},
    {"--boot", 0, "", "", "It boots the tree's init (default without a COMMAND)"},
    {"--autostart", 0, "", "", "Start it with the host"},
    {"--dry-run", 'n', "", "", "Print the machine file and change nothing"},
    OPT_QUIET,
};
inline constexpr OptionRow clone_options[] = {
    {"--directory", 0, "DIR", "dir", "The new machine's tree (default: the old one's)"},
    OPT_QUIET,
};
inline constexpr OptionRow quiet_options[] = {OPT_QUIET};
inline constexpr OptionRow edit_options[] = {
    {"--file", 0, "FILE", "path",
     "Take its text from here (-: standard input), without an editor; declares the machine when it is new"},
    OPT_QUIET,
    // For `croft edit` on the other side of the bus (verb_edit.cc).
    {"--fetch", 0, "", "", ""},
    {"--replace", 0, "", "", ""},
};
inline constexpr OptionRow diff_options[] = {OPT_JSON};
inline constexpr OptionRow verify_options[] = {OPT_JSON};

inline constexpr Verb config_rows[] = {
    {.name = "create",
     .group = Group::config,
     .synopsis = "[OPTIONS] NAME [-- COMMAND [ARGUMENT…]]",
     .help = "declare a machine",
     .doc =
         "Writes /etc/croft/machines/NAME.machine from the options of `croft boot`, or with a COMMAND from "
         "those of `croft run`. The machine is then started by `croft start NAME`. The file is meant to be "
         "read and edited: `croft edit`, `croft set`, `croft cat`.\n\n"
         "--from copies a tree. Where the copy is interrupted (Ctrl-C, SIGTERM) nothing is left of it; one that is killed "
         "leaves the machine incomplete: it cannot be started, only removed (`croft rm --config NAME`).",
     .example = "croft create web --from=debian --memory=1G   # its own copy of a tree, and a limit\n"
                "croft create web                          # the tree /var/lib/machines/web, booted\n"
                "croft create job --directory=/srv/job -- /usr/bin/job --fast   # one program",
     .spec_options = SpecOptions::any,
     .supervised = true,
     .options = create_options,
     .function = verb_create},
    {.name = "edit",
     .group = Group::config,
     .synopsis = "NAME",
     .help = "edit a machine file",
     .doc = "Opens a copy of the machine's file in $VISUAL or $EDITOR. When the editor ends, the copy is "
            "verified "
            "and takes the file's place; one with a mistake does not, and can be edited again. With --system the editor is "
            "yours all the same: only the text goes over the bus.",
     .example = "croft edit web\n"
                "croft edit --file=- web <web.machine      # the same for programs",
     .operands = Operands::declared,
     .supervised = true,
     .local_part = true,
     .options = edit_options,
     .function = verb_edit},
    {.name = "set",
     .group = Group::config,
     .synopsis = "[OPTIONS] NAME [KEY=VALUE…]",
     .help = "change settings of a declared machine",
     .doc = "KEY is a key of the machine file (Resources.MemoryMax), or the name of a setting (memory); "
            "options are taken "
            "too, as `croft run` has them. What is set has the last word: it is kept in "
            "NAME.machine.d/50-set.conf. A list is replaced as "
            "a whole; name its key several times for several items.\n\n"
            "Says of each setting whether it is in effect now or from the next start on: resource limits of "
            "a running "
            "machine are changed at once.",
     .example = "croft set web memory=2G cpus=1.5\n"
                "croft set web --memory=2G --bind=/srv/data\n"
                "croft set web Exec.Environment=LANG=C.UTF-8 Unit.After=network-online.target",
     .spec_options = SpecOptions::any,
     .operands = Operands::declared,
     .supervised = true,
     .options = quiet_options,
     .function = verb_set},
    {.name = "unset",
     .group = Group::config,
     .synopsis = "[OPTIONS] NAME KEY…",
     .help = "give settings back to their default",
     .doc = "Takes back what `croft set` has set; what another file of the machine says about KEY is "
            "overruled too, "
            "so that the default counts.",
     .example = "croft unset web memory",
     .operands = Operands::declared,
     .supervised = true,
     .options = quiet_options,
     .function = verb_unset},
    {.name = "cat",
     .group = Group::config,
     .synopsis = "NAME…",
     .help = "print machine files as they are",
     .doc = "The machine file and its drop-ins in the order in which they count, each under its path.",
     .example = "croft cat web",
     .operands = Operands::declared,
     .function = verb_cat},
    {.name = "diff",
     .group = Group::config,
     .synopsis = "[OPTIONS] NAME [NAME2]",
     .help = "compare machines, or one with its file",
     .doc = "One name: what differs between the machine that runs and what its file says now, so what the "
            "next start "
            "would change. Two: what differs between both, as they run or as their files say. Lines that "
            "begin with "
            "'-' are the first one's, with '+' the second one's. Exit status 1 when something differs, as of "
            "diff(1).",
     .example = "croft diff web\n"
                "croft diff web db",
     .operands = Operands::declared,
     .options = diff_options,
     .function = verb_diff},
    {.name = "rename",
     .group = Group::config,
     .synopsis = "OLD NEW",
     .help = "give a declared machine another name",
     .doc = "Renames its files. Its tree stays where it is. The machine must not run.",
     .example = "croft rename web www",
     .operands = Operands::declared,
     .supervised = true,
     .options = quiet_options,
     .function = verb_rename},
    {.name = "clone-config",
     .group = Group::config,
     .synopsis = "[OPTIONS] OLD NEW",
     .help = "declare a machine like another one",
     .doc = "NEW gets what OLD's files say, drop-ins too. Says what two machines should not share.",
     .example = "croft clone-config --directory=/var/lib/machines/web2 web web2",
     .operands = Operands::declared,
     .supervised = true,
     .options = clone_options,
     .function = verb_clone_config},
    {.name = "verify",
     .group = Group::config,
     .synopsis = "[OPTIONS] [NAME|FILE…]",
     .help = "check machine files",
     .doc = "Prints every mistake with file and line, and what a start on this host would refuse: a tree "
            "that is not "
            "there, a limit that the host cannot set. Without a name: all declared machines. FILE is the "
            "path of a "
            "NAME.machine, wherever it is. Exit status 1 when there is a mistake.",
     .example = "croft verify\n"
                "croft verify web ./new.machine",
     .operands = Operands::declared,
     .options = verify_options,
     .function = verb_verify},
};

}  // namespace croft::cli
