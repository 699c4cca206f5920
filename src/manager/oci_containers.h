// Containers of croft-oci: what it wrote down about each, and what each is doing now. Called by oci/, and by cli/ for
// `croft list --all`.
//
// A container is a directory ROOT/ID:
//
//   plan         the launch plan (launch/launch_plan.h), written before anything is made. Locked while that is done, so
//                the kernel tells a container that is being created from one whose creation was killed.
//   state.json   this record, written when its process is there, before that may go on
//   gate         where the process waits for `start` (run/gate.h)
//
// The directory itself is locked (flock(2)) by the verb that changes the container.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "manager/paths.h"
#include "manager/record.h"

namespace croft::manager {

enum class OciStatus { creating, created, running, paused, stopped };
const char* oci_status_name(OciStatus status);  // runtime-spec's word

struct OciContainer {
    std::string id;
    std::string version;  // of the specification, as the bundle has it
    std::string bundle, rootfs;
    std::vector<std::pair<std::string, std::string>> annotations;
    ProcessId init;
    uint64_t created = 0;  // µs since the epoch
    uint32_t owner = 0;
    std::string cgroup;       // absolute; empty: none of its own
    std::string unit;         // of systemd
    bool user_unit = false;   // of a user's systemd
    bool has_end = false;     // its plan has something for its end: poststop hooks, a group of resctrl
    bool made_rdt = false;    // that group was made for it
    OciStatus status = OciStatus::stopped;  // not part of the record
};

inline constexpr const char* oci_record_name = "state.json";
inline constexpr const char* oci_plan_name = "plan";

std::string oci_record(const OciContainer& container);
Result<OciContainer> parse_oci_record(std::string_view text);

// The container in this directory. One that has no record yet, or never got one, has its id and status only.
Result<OciContainer> read_oci_container(int directory, std::string_view id);
// What it is doing, asked of the kernel.
OciStatus oci_status(int directory, const OciContainer& container);

// All of a ROOT, sorted by id; of a ROOT that is not there none.
Result<std::vector<OciContainer>> list_oci_containers(const std::string& root);

// Where containers are: croft-oci's own ROOT, and those that engines chose (--root), as far as they were noted.
std::string default_oci_root(const Paths& paths);
std::vector<std::string> oci_roots(const Paths& paths);
void note_oci_root(const Paths& paths, const std::string& root);

}  // namespace croft::manager
