// Rows of the verb table: a container's life, from create to delete. Only verbs.cc includes this.
#pragma once

#include "oci/verbs.h"

namespace croft::oci {

#define FLAG_HELP \
    { "--help", 'h', "", "", "Print this help" }
// Hidden (no help): for the tests that walk all faults (oci/faults.h).
#define FLAGS_FAULTS {"--fail-step", 0, "N", "", ""}, {"--kill-step", 0, "N", "", ""}
#define FLAGS_CREATE                                                                                                \
    {"--bundle", 'b', "DIRECTORY", "directory", "The bundle: where config.json is (default: the working directory)"}, \
        {"--config", 'f', "FILE", "file", "Another file than config.json, below the bundle or absolute"},             \
        {"--console-socket", 0, "SOCKET", "file", "A unix socket that is sent the terminal's master"},                \
        {"--pidfd-socket", 0, "SOCKET", "file", "A unix socket that is sent a pidfd of the container's process"},     \
        {"--pid-file", 0, "FILE", "file", "Write the pid of the container's process there"},                          \
        {"--preserve-fds", 0, "N", "", "The container's process keeps descriptors 3 to 2+N"},                         \
        {"--no-new-keyring", 0, "", "", "Keep the caller's session keyring"},                                         \
        {"--no-pivot", 0, "", "", "For root directories on a ramfs: works with and without"}, \
        FLAGS_FAULTS

inline constexpr Flag create_flags[] = {FLAGS_CREATE, FLAG_HELP};
inline constexpr Flag run_flags[] = {
    FLAGS_CREATE,
    {"--detach", 'd', "", "", "Return when the container runs"},
    {"--keep", 0, "", "", "Do not delete the container when it has ended"},
    {"--no-subreaper", 0, "", "", "For processes that outlive the first one: croft-oci never adopts them"},
    FLAG_HELP,
};
inline constexpr Flag start_flags[] = {FLAG_HELP};
inline constexpr Flag kill_flags[] = {
    {"--all", 'a', "", "", "All processes of the container"},
    FLAG_HELP,
};
inline constexpr Flag delete_flags[] = {
    {"--force", 'f', "", "", "Kill it when it lives; no error when there is none"},
    FLAG_HELP,
};
inline constexpr Flag exec_flags[] = {
    {"--process", 'p', "FILE", "file", "The process as JSON (config.json's `process`), instead of COMMAND"},
    {"--console-socket", 0, "SOCKET", "file", "A unix socket that is sent the terminal's master"},
    {"--pidfd-socket", 0, "SOCKET", "file", "A unix socket that is sent a pidfd of the process"},
    {"--pid-file", 0, "FILE", "file", "Write the pid of the process there"},
    {"--detach", 'd', "", "", "Return when the process runs"},
    {"--tty", 't', "", "", "Give it a terminal"},
    {"--cwd", 0, "DIRECTORY", "", "Where it starts"},
    {"--env", 'e', "NAME=VALUE", "", "Set a variable; may be given more than once"},
    {"--user", 'u', "UID[:GID]", "", "Whom it runs as"},
    {"--additional-gids", 'g', "GID", "", "A further group; may be given more than once"},
    {"--cap", 'c', "CAPABILITY", "", "A further capability; may be given more than once"},
    {"--no-new-privs", 0, "", "", "It cannot gain privileges by execve(2)"},
    {"--apparmor", 0, "PROFILE", "", "Its AppArmor profile"},
    {"--process-label", 0, "LABEL", "", "Its SELinux label"},
    {"--cgroup", 0, "PATH", "", "A group below the container's own that it is to live in"},
    {"--preserve-fds", 0, "N", "", "It keeps descriptors 3 to 2+N"},
    {"--ignore-paused", 0, "", "", "Also in a paused container, where it waits to be resumed"},
    FLAGS_FAULTS,
    FLAG_HELP,
};

inline constexpr Verb life_rows[] = {
    {"create", "ID", "make a container up to the point where its process would be executed",
     "Returns when everything is there and the process waits; `start` lets it go on. What the process writes and reads "
     "is what croft-oci was given.",
     1, 1, false, 1, create_flags, verb_create, true},
    {"start", "ID", "execute the process of a created container",
     "Returns when it has been executed. When that is not possible the container has stopped.", 1, 1, false, 1,
     start_flags, verb_start},
    {"run", "ID", "create, start and, without --detach, wait and delete",
     "In the foreground signals are passed on, a terminal is this command's own, and the exit status is the process's: "
     "128 and the signal's number when it was killed.",
     1, 1, false, 1, run_flags, verb_run, true},
    {"exec", "ID [COMMAND [ARGUMENT...]]", "run a further process in a container",
     "It joins all namespaces and the control group. What is not said is as for the container's own process.", 1,
     UINT32_MAX, true, 255, exec_flags, verb_exec},
    {"kill", "ID [SIGNAL]", "send a signal to the process of a container",
     "SIGNAL is a name with or without SIG, or a number; SIGTERM when it is left out.", 1, 2, false, 1, kill_flags,
     verb_kill},
    {"delete", "ID", "remove what a container has left",
     "A container that lives is refused, unless --force is given.", 1, 1, false, 1, delete_flags, verb_delete},
};

}  // namespace croft::oci
