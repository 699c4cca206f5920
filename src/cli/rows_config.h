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
inline constexpr OptionRow clone_machine_options[] = {
    {"--exact", 0, "", "", "Keep the identity too: machine id, host keys, random seed"},
};
inline constexpr OptionRow snapshot_options[] = {
    {"--list", 0, "", "", "Show the machine's snapshots"},
    {"--remove", 0, "", "", "Remove the snapshot"},
    OPT_JSON,
};
inline constexpr OptionRow rebuild_options[] = {
    {"--image", 0, "IMAGE", "", "Of this image (default: the one it is made from)"},
    {"--keep", 0, "PATH", "", "Keep what is below this directory of the machine; can be given again"},
    OPT_QUIET,
};
inline constexpr OptionRow edit_options[] = {
    {"--file", 0, "FILE", "path",
     "Take its text from here (-: standard input), without an editor; declares the machine when it is new"},
    OPT_QUIET,
    // For `croft edit` on the other side of the bus (verb_edit.cc).
    {"--fetch", 0, "", "", ""},
    {"--replace", 0, "", "", ""},
};
inline constexpr OptionRow diff_options[] = {
    {"--files", 0, "", "", "Which files the machine has changed against its image"},
    OPT_JSON,
};
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
         "leaves the machine incomplete: it cannot be started, only removed (`croft rm --config NAME`).\n\n"
         "--image makes the machine's root from an image of the store, or of any other place (docker://…, oci:…), which is "
         "then brought into the store first. The image's layers are shared; what the machine writes is its own.",
     .example = "croft create db --image=debian:trixie      # a root of its own over an image's layers\n"
                "croft create web --from=debian --memory=1G   # its own copy of a tree, and a limit\n"
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
            "diff(1).\n\n"
            "--files: what a machine that is made from an image has written: 'A PATH' is added, 'C PATH' changed, 'D PATH' "
            "removed.",
     .example = "croft diff web\n"
                "croft diff web db\n"
                "croft diff --files web                    # A added, C changed, D removed",
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
    {.name = "clone",
     .group = Group::config,
     .synopsis = "[OPTIONS] OLD NEW",
     .help = "make a machine like another one, files and all",
     .doc = "NEW gets OLD's configuration and files. Of a machine that is made from an image nothing is copied: what OLD has "
            "written becomes a layer that both stand on, so it takes no time. OLD may run: it is then frozen for the moment in "
            "which what it has written is copied. A machine on a plain tree gets a copy of that in /var/lib/machines.\n\n"
            "NEW is another machine: it has no machine id, no host keys of sshd and no random seed, and makes its own when it "
            "boots. --exact leaves them.",
     .example = "croft clone web web2\n"
                "croft clone --exact web web-backup",
     .operands = Operands::declared,
     .supervised = true,
     .options = clone_machine_options,
     .function = verb_clone},
    {.name = "snapshot",
     .group = Group::config,
     .synopsis = "[OPTIONS] NAME [SNAPSHOT]",
     .help = "keep a machine's files as they are now",
     .doc = "Of a machine that is made from an image and does not run. Takes no time, and no space until the machine goes on "
            "writing. `croft restore` brings it back.",
     .example = "croft snapshot web before-upgrade\n"
                "croft snapshot --list web\n"
                "croft snapshot --remove web before-upgrade",
     .operands = Operands::declared,
     .supervised = true,
     .options = snapshot_options,
     .function = verb_snapshot},
    {.name = "restore",
     .group = Group::config,
     .synopsis = "NAME SNAPSHOT",
     .help = "bring a machine's files back to a snapshot",
     .doc = "What the machine has written since is gone; what it was at another snapshot is not. The machine must not run.",
     .example = "croft restore web before-upgrade",
     .operands = Operands::declared,
     .supervised = true,
     .function = verb_restore},
    {.name = "rebuild",
     .group = Group::config,
     .synopsis = "[OPTIONS] NAME",
     .help = "make a machine anew from its image",
     .doc = "The machine's root is made anew from the image of the name that it was made from, as that is now, or from --image. "
            "Its configuration stays; of its files only what is below --keep, and the directories that the image declares as "
            "volumes. Snapshots stay too. The machine must not run.",
     .example = "croft image pull docker://registry.example/web:2\n"
                "croft rebuild --image=registry.example/web:2 --keep=/var/lib/web web",
     .operands = Operands::declared,
     .supervised = true,
     .options = rebuild_options,
     .function = verb_rebuild},
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
