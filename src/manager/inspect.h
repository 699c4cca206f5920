// What can be told about a machine beyond its record: `croft show`, `croft logs`. Called by cli/. Reads only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manager/machines.h"

namespace croft::manager {

// One limit with its use: from the machine's cgroup. `limit` is UINT64_MAX for none.
struct Limit {
    const char* name;  // "memory", "tasks", "cpu", "swap"
    uint64_t used = 0, limit = UINT64_MAX;
    const char* unit;  // "bytes", "tasks", "us" (CPU time used), "us/s" …
};
struct MountLine {
    std::string target, source, type, options;
};
struct Details {
    Machine machine;
    std::vector<Limit> limits;
    uint64_t cpu_used = 0;          // µs
    std::vector<MountLine> mounts;  // as the leader sees them
    std::vector<std::string>
        addresses;  // of the leader's network namespace; empty: loopback only or the host's
    bool host_network = false;
    unsigned processes = 0;
    std::string system_state;  // of a booted machine: what its own systemd says ("degraded"); "" when none
    std::string root;  // of a machine that is made from an image: which, and on how many layers; "" of others
    std::string why;                       // for a failed machine: a sentence
    std::vector<std::string> last_output;  // and its last lines
};
Result<Details> details(const Paths& paths, std::string_view name);

// Path of the log; an error says when this machine writes none (foreground).
Result<std::string> log_path(const Paths& paths, std::string_view name);
struct LogOptions {
    bool follow = false;          // until the machine has ended
    std::optional<size_t> lines;  // the last so many; unset: all that is kept
};
// Writes the log to a file descriptor as it is (bytes of the guest: a terminal's reader must sanitize, cli/
// does).
Result<> logs(const Paths& paths, std::string_view name, const LogOptions& options,
              const std::function<Result<>(std::string_view)>& sink);
std::vector<std::string> last_lines(const Paths& paths, std::string_view name, size_t count);

}  // namespace croft::manager
