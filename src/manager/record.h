// The record of one machine: what croft wrote down about it, in machines/NAME/record. KEY=VALUE lines, values
// with \xNN escapes, replaced atomically; a reader sees the old one or the new one whole. Unknown keys are
// passed over, so that an older croft can list machines of a newer one. Anything malformed is an error that
// names the line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manager/disk_devices.h"

namespace croft::manager {

// A process that is still the same: a pid alone may have been reused, its start time (ticks since boot,
// /proc/PID/stat) tells.
struct ProcessId {
    int pid = 0;
    uint64_t start = 0;
    bool operator==(const ProcessId&) const = default;
};

struct Record {
    std::string name;
    bool boot = false;
    bool detached = false;
    bool remove = false;  // --rm: nothing stays when it ends
    bool terminal = false;
    bool waits_ready = false;            // READY=1 is expected from it
    bool prepared = false;               // all is taken and the keeper waits to be told to launch
    uint32_t stop_signal = 15;           // to PID 1
    uint64_t stop_timeout = 90'000'000;  // µs
    std::string init_kind;  // of a booted machine: "systemd", "sysvinit", "openrc", "busybox", "other"
    ProcessId leader;       // PID 1 of the machine, as the host counts; pid 0: not yet started
    ProcessId keeper;       // its parent: croft or croft-hold
    uint64_t created = 0, started = 0;  // µs since the epoch
    unsigned restarts = 0;              // reboots from inside
    std::string tree;                   // host path
    bool tree_read_only = false;        // it cannot write the tree (read-only, ephemeral, volatile)
    std::optional<uint32_t> id_base;
    uint32_t id_count = 0;
    bool ids_picked = false;                // by croft, for this machine alone (id_ranges.h)
    std::string cgroup;                     // absolute host path; empty: none
    std::string unit;        // of systemd ("croft-web.service"); empty: the machine has a keeper (direct mode)
    std::string invocation;  // which life of that unit this is (systemd's invocation id), once it is launched
    std::vector<std::string> remove_trees;  // host directories of throwaway files
    std::vector<DiskDevice> devices;        // of a disk image, to be removed when it has ended
    std::vector<std::string> command;
    std::vector<std::string> locks;  // absolute paths of lock files and marks to remove when it has ended
};

std::string to_text(const Record& record);
Result<Record> parse_record(std::string_view text);

// Of /proc/PID/stat; nothing when there is no such process.
std::optional<uint64_t> process_start(int pid);
bool is_alive(const ProcessId& process);
// The same, but one that has ended and is not yet reaped counts as gone: its parent may be anybody's.
bool is_running(const ProcessId& process);

}  // namespace croft::manager
