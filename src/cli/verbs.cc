// One row for each verb. This file is a table: its length is the number of things croft can do.
#include "cli/verbs.h"

#include <iterator>

#include "base/text.h"

namespace croft::cli {

namespace {
// ---------------------------------------------------------------- options that several verbs share

#define OPT_JSON \
    { "--json", 0, "", "", "Print JSON" }
#define OPT_QUIET \
    { "--quiet", 'q', "", "", "Say nothing about what goes well" }
#define OPT_DETACH \
    { "--detach", 'd', "", "", "Start it, print its name and return" }
#define OPT_KEYS \
    { "--detach-keys", 0, "KEYS", "", "Keys that leave the terminal (default ctrl-p,ctrl-q)" }
#define OPT_SETTINGS                                                                                        \
    {                                                                                                       \
        "--settings", 0, "MODE", "yes|override|trusted|no",                                                 \
            "Which machine files count: yes (default), override (they beat options), trusted (also beside " \
            "the tree), no"                                                                                 \
    }
// Hidden (no help): the step at which a start fails, or after which croft kills itself, for the tests that
// walk all faults.
#define OPT_FAIL \
    { "--fail-step", 0, "N", "", "" }
#define OPT_KILL \
    { "--kill-step", 0, "N", "", "" }

constexpr OptionRow run_options[] = {OPT_DETACH,   OPT_KEYS, OPT_JSON, OPT_QUIET,
                                     OPT_SETTINGS, OPT_FAIL, OPT_KILL};
constexpr OptionRow boot_options[] = {
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
constexpr OptionRow plan_options[] = {
    OPT_JSON,
    {"--launch", 0, "", "", "Only the launch plan: what the kernel is asked to do"},
    {"--unit", 0, "", "", "Only the unit plan: what systemd is asked to do"},
};
constexpr OptionRow list_options[] = {
    OPT_JSON,
    {"--quiet", 'q', "", "", "Names only"},
    {"--running", 'r', "", "", "Only machines that are alive"},
    {"--no-legend", 0, "", "", "No headings and no last line"},
};
constexpr OptionRow show_options[] = {OPT_JSON};
constexpr OptionRow exec_options[] = {
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
constexpr OptionRow shell_options[] = {
    {"--env", 'e', "NAME=VALUE", "", "Set a variable; NAME alone passes the caller's value on"},
    OPT_KEYS,
};
constexpr OptionRow attach_options[] = {OPT_KEYS};
constexpr OptionRow logs_options[] = {
    {"--follow", 'f', "", "", "Go on until the machine has ended"},
    {"--lines", 'n', "N", "", "Only the last N lines"},
    {"--raw", 0, "", "", "All bytes as they are, also on a terminal"},
};
constexpr OptionRow wait_options[] = {OPT_JSON};
constexpr OptionRow bind_options[] = {
    {"--read-only", 'r', "", "", "The machine may not write there"},
    {"--mkdir", 0, "", "", "Make the mount point inside when it is not there"},
    {"--no-idmap", 0, "", "", "Do not map owners: files keep the host's ids (then mostly nobody's inside)"},
};
constexpr OptionRow stop_options[] = {
    {"--all", 'a', "", "", "Every machine that is alive"},
    {"--timeout", 't', "TIME", "",
     "How long it may take before it is killed (default: the machine's own, 90s)"},
    {"--now", 0, "", "", "Kill at once"},
    OPT_QUIET,
    OPT_JSON,
};
constexpr OptionRow poweroff_options[] = {{"--wait", 0, "", "", "Return when it is off"}};
constexpr OptionRow kill_options[] = {
    {"--signal", 's', "SIGNAL", "signal", "Which signal (default SIGTERM)"},
    {"--whom", 0, "WHOM", "leader|all",
     "Its first process (leader, the default) or every process of it (all)"},
};
constexpr OptionRow rm_options[] = {
    {"--force", 'f', "", "", "Also when it is alive: kill it first; no error when it does not exist"},
    {"--all", 'a', "", "", "Every machine that has ended (with --force: every machine)"},
    OPT_QUIET,
};
constexpr OptionRow doctor_options[] = {
    {"--repair", 0, "", "", "Clear what earlier machines left behind"},
    OPT_JSON,
};
constexpr OptionRow explain_options[] = {OPT_JSON};

// ---------------------------------------------------------------- the table

constexpr Verb table[] = {
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
     .aliases = "start",
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

    {.name = "list",
     .aliases = "ls ps",
     .group = Group::see,
     .synopsis = "[OPTIONS] [PATTERN…]",
     .help = "list machines",
     .doc = "One line for each machine: name, state, kind (app or system), leader (the pid of its first "
            "process as the host counts), since when, and tree. Machines that have ended stay until "
            "`croft rm`, unless they were started with --rm or in the foreground. PATTERN is a shell "
            "pattern of names.",
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
     .doc = "State, leader, addresses, limits with their use, mounts; of a machine that failed also why, "
            "and its last lines.",
     .example = "croft show web\n"
                "croft show --json web",
     .operands = Operands::machine,
     .options = show_options,
     .function = verb_show},
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
     .group = Group::inside,
     .synopsis = "[OPTIONS] NAME",
     .help = "take a detached machine's terminal",
     .doc = "Gives this terminal to the console of a machine that was started with -d. The detach keys "
            "leave it as it is.",
     .example = "croft attach web",
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
     .doc = "Its record, its log and its throwaway files; never its tree. A machine that is alive is "
            "refused without --force.",
     .example = "croft rm web\n"
                "croft rm --all                            # all that have ended",
     .operands = Operands::machine,
     .supervised = true,
     .options = rm_options,
     .function = verb_rm},

    {.name = "doctor",
     .aliases = "check",
     .group = Group::learn,
     .synopsis = "[OPTIONS]",
     .help = "what this host lacks, and what to do",
     .doc = "Looks at kernel, cgroups, id ranges and helpers, says what each lack costs and what to do "
            "about it, and finds what machines left behind that were killed together with their keeper. "
            "Exit status 1 when there is a problem.",
     .example = "croft doctor\n"
                "croft doctor --repair",
     .options = doctor_options,
     .function = verb_doctor},
    {.name = "explain",
     .group = Group::learn,
     .synopsis = "[OPTIONS] [FIELD]",
     .help = "tell all about a setting",
     .doc = "FIELD is a name (memory), an option (--memory) or a key of a machine file (MemoryMax, "
            "Exec.User). Without one: all settings, a line each.",
     .example = "croft explain memory\n"
                "croft explain --bind\n"
                "croft explain Exec.PrivateUsers",
     .operands = Operands::field,
     .options = explain_options,
     .function = verb_explain},
    {.name = "help",
     .group = Group::learn,
     .synopsis = "[VERB]",
     .help = "help on croft or on a verb",
     .doc = "The same as `croft VERB --help`.",
     .example = "croft help run",
     .operands = Operands::verb,
     .function = verb_help},
    {.name = "version",
     .group = Group::learn,
     .help = "print the version",
     .doc = "The same as `croft --version`.",
     .example = "croft version",
     .function = verb_version},

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
}  // namespace

std::span<const Verb> verbs() {
    return table;
}

const Verb* find_verb(std::string_view word) {
    for (const Verb& verb : table) {
        if (word == verb.name) return &verb;
        for (std::string_view rest = verb.aliases; !rest.empty();) {
            std::string_view alias = rest.substr(0, rest.find(' '));
            if (alias == word) return &verb;
            rest.remove_prefix(std::min(rest.size(), alias.size() + 1));
        }
    }
    return nullptr;
}

const char* group_title(Group group) {
    constexpr const char* titles[] = {"Start a machine", "See machines",     "Work inside",
                                      "End machines",    "Learn and repair", "Hidden"};
    return titles[static_cast<size_t>(group)];
}

}  // namespace croft::cli
