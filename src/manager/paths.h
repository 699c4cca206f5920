// Where croft's files are, for the system (uid 0) or for one user. Called by everything in manager/ and by
// cli/.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace croft::manager {

struct Paths {
    std::string run;          // /run/croft or $XDG_RUNTIME_DIR/croft: gone after a reboot
    std::string machines;     // run/machines: one directory for each machine
    std::string cache;        // /var/cache/croft or $XDG_CACHE_HOME/croft
    std::string state;        // /var/lib/croft or $XDG_DATA_HOME/croft
    std::string scratch;      // state/scratch
    std::string config;       // where machines are declared: /etc/croft/machines, $XDG_CONFIG_HOME/croft/machines, or ""
    std::string helpers;      // where croft-init, croft-hold and croft-seccomp are
    std::string cgroup_base;  // below the cgroup2 mount
    bool system = true;       // false: one user's
};

// Reads the environment (CROFT_RUN_DIR, CROFT_STATE_DIR, CROFT_CACHE_DIR, CROFT_CONFIG_DIR and CROFT_HELPER_DIR override, for
// tests); makes nothing.
Result<Paths> find_paths();

// Opens run/machines, and makes it when it is not there (of the system 0700, else 0755).
Result<Fd> open_machines(const Paths& paths);

}  // namespace croft::manager
