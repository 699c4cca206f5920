// Rows of the verb table: what tells about containers and about croft-oci. Only verbs.cc includes this.
#pragma once

#include "oci/rows_life.h"

namespace croft::oci {

inline constexpr Flag state_flags[] = {FLAG_HELP};
inline constexpr Flag list_flags[] = {
    {"--format", 'f', "FORMAT", "table|json", "How to print it"},
    {"--quiet", 'q', "", "", "Only ids"},
    FLAG_HELP,
};
inline constexpr Flag ps_flags[] = {
    {"--format", 'f', "FORMAT", "table|json", "A table as ps(1) prints it, or the pids as JSON"},
    FLAG_HELP,
};
inline constexpr Flag events_flags[] = {
    {"--stats", 0, "", "", "Print the numbers once and end"},
    {"--interval", 0, "TIME", "", "Between two lines with numbers (default: 5s)"},
    FLAG_HELP,
};
inline constexpr Flag spec_flags[] = {
    {"--bundle", 'b', "DIRECTORY", "directory", "Where to write config.json (default: the working directory)"},
    {"--rootless", 0, "", "", "For a user without privileges"},
    FLAG_HELP,
};
inline constexpr Flag features_flags[] = {FLAG_HELP};

inline constexpr Verb see_rows[] = {
    {"state", "ID", "print the state of a container as JSON", "", 1, 1, false, 1, state_flags, verb_state},
    {"list", "", "list containers", "", 0, 0, false, 1, list_flags, verb_list},
    {"ps", "ID [PS-OPTION...]", "list the processes of a container",
     "PS-OPTIONs are for ps(1), whose output must have a column PID.", 1, UINT32_MAX, true, 1, ps_flags, verb_ps},
    {"events", "ID", "tell what a container uses, and when its memory ends",
     "One JSON object in a line: {\"type\":\"stats\"} every interval, {\"type\":\"oom\"} when the kernel had to kill.", 1, 1,
     false, 1, events_flags, verb_events},
    {"spec", "", "write a config.json to begin with", "One that is there is not replaced.", 0, 0, false, 1, spec_flags,
     verb_spec},
    {"features", "", "print what this runtime can do, as JSON", "", 0, 0, false, 1, features_flags, verb_features},
};

}  // namespace croft::oci
