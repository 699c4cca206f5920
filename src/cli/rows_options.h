// Options that several verbs have, so that each is told in the same words everywhere. Only rows_*.h include
// this.
#pragma once

#include "cli/arguments.h"

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
