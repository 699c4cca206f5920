// Rows of the verb table: what changes a running container. Only verbs.cc includes this.
#pragma once

#include "oci/rows_life.h"

namespace croft::oci {

inline constexpr Flag pause_flags[] = {FLAG_HELP};
inline constexpr Flag update_flags[] = {
    {"--resources", 'r', "FILE", "file", "The limits as JSON (config.json's `linux.resources`); - is standard input"},
    {"--memory", 'm', "BYTES", "", "Most memory; -1 is no limit"},
    {"--memory-reservation", 0, "BYTES", "", "Memory that is kept for it"},
    {"--memory-swap", 0, "BYTES", "", "Most memory and swap together; -1 is no limit"},
    {"--cpu-period", 0, "MICROSECONDS", "", "The time that --cpu-quota is a part of"},
    {"--cpu-quota", 0, "MICROSECONDS", "", "CPU time in each period; -1 is no limit"},
    {"--cpu-burst", 0, "MICROSECONDS", "", "CPU time that may be saved up"},
    {"--cpu-share", 0, "SHARES", "", "Share of the CPU against others (2 to 262144)"},
    {"--cpu-shares", 0, "SHARES", "", ""},
    {"--cpu-idle", 0, "0|1", "0|1", "Only CPU time that nobody else wants"},
    {"--cpu-rt-period", 0, "MICROSECONDS", "", "Refused: cgroup v2 has no realtime limits"},
    {"--cpu-rt-runtime", 0, "MICROSECONDS", "", "Refused: cgroup v2 has no realtime limits"},
    {"--cpuset-cpus", 0, "LIST", "", "CPUs it may use (\"0-3,6\")"},
    {"--cpuset-mems", 0, "LIST", "", "Memory nodes it may use"},
    {"--blkio-weight", 0, "WEIGHT", "", "Share of disk time against others (10 to 1000)"},
    {"--pids-limit", 0, "N", "", "Most processes and threads; -1 is no limit"},
    {"--kernel-memory", 0, "BYTES", "", "Refused: the kernel has no such limit any more"},
    {"--kernel-memory-tcp", 0, "BYTES", "", "Refused: cgroup v2 has no such limit"},
    {"--l3-cache-schema", 0, "SCHEMA", "", "Intel RDT: part of the L3 cache"},
    {"--mem-bw-schema", 0, "SCHEMA", "", "Intel RDT: memory bandwidth"},
    FLAG_HELP,
};
#define FLAGS_CRIU                                                                                            \
    {"--image-path", 0, "DIRECTORY", "directory", ""}, {"--work-path", 0, "DIRECTORY", "directory", ""},      \
        {"--parent-path", 0, "DIRECTORY", "directory", ""}, {"--leave-running", 0, "", "", ""},               \
        {"--tcp-established", 0, "", "", ""}, {"--ext-unix-sk", 0, "", "", ""}, {"--shell-job", 0, "", "", ""}, \
        {"--lazy-pages", 0, "", "", ""}, {"--status-fd", 0, "N", "", ""}, {"--page-server", 0, "HOST", "", ""}, \
        {"--file-locks", 0, "", "", ""}, {"--pre-dump", 0, "", "", ""},                                       \
        {"--manage-cgroups-mode", 0, "MODE", "", ""}, {"--empty-ns", 0, "TYPE", "", ""},                      \
        {"--auto-dedup", 0, "", "", ""}, {"--link-remap", 0, "", "", ""}, {"--lsm-profile", 0, "LSM", "", ""}, \
        {"--lsm-mount-context", 0, "LABEL", "", ""}, {"--bundle", 'b', "DIRECTORY", "directory", ""},         \
        {"--console-socket", 0, "SOCKET", "file", ""}, {"--pid-file", 0, "FILE", "file", ""},                 \
        {"--detach", 'd', "", "", ""}, {"--no-subreaper", 0, "", "", ""}, {"--no-pivot", 0, "", "", ""}
inline constexpr Flag criu_flags[] = {FLAGS_CRIU, FLAG_HELP};

inline constexpr Verb change_rows[] = {
    {"pause", "ID", "stop all processes of a container for a while", "", 1, 1, false, 1, pause_flags, verb_pause},
    {"resume", "ID", "let the processes of a paused container go on", "", 1, 1, false, 1, pause_flags, verb_resume},
    {"update", "ID", "change the limits of a container", "What is not given stays as it is.", 1, 1, false, 1,
     update_flags, verb_update, true},
    {"checkpoint", "ID", "not available", "croft-oci cannot save a container's processes to disk.", 1, 1, false, 1,
     criu_flags, verb_checkpoint},
    {"restore", "ID", "not available", "croft-oci cannot bring back processes that another runtime has saved.", 1, 1,
     false, 1, criu_flags, verb_restore},
};

}  // namespace croft::oci
