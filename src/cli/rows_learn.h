// Rows of the verb table: what teaches and repairs. Only verbs.cc includes this.
#pragma once

#include "cli/rows_options.h"
#include "cli/verbs.h"

namespace croft::cli {

inline constexpr OptionRow doctor_options[] = {
    {"--repair", 0, "", "", "Clear what earlier machines left behind"},
    OPT_JSON,
};
inline constexpr OptionRow explain_options[] = {OPT_JSON};

inline constexpr Verb learn_rows[] = {
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
     .synopsis = "[VERB|image VERB]",
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
};

}  // namespace croft::cli
