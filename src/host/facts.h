// Asks this host, once, what a spec's plan depends on: HostFacts. Called by manager/ before planning, and by
// `croft plan` (which must not change anything: gather() only reads).
//
// It asks only what the spec needs, by a few dozen system calls and without walking /proc, because it is part
// of every start. Everything inside the tree is opened with RESOLVE_IN_ROOT and bounded in size: a tree may
// be hostile. What is wrong with the tree is told here as a sentence (host/tree.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "spec/host_facts.h"
#include "spec/machine_spec.h"

namespace croft::host {

struct GatherOptions {
    std::string helper_directory;  // goes into the facts as it is
    std::string cache_directory;  // /run/croft: idmap answers are kept there by file system; "" keeps nothing
    std::string cgroup_base;      // below the cgroup2 mount: "croft", or a delegated cgroup of the user's
    // Of a tree that is a disk image, which the caller has opened: what it is made of, its root for looking at (a descriptor
    // that stays the caller's), and whether the kernel maps the ids of its file system.
    std::vector<spec::DiskVolume> disk = {};
    int disk_root = -1;
    bool disk_maps_ids = false;
};

// The spec's root.directory, bind sources and devices are looked up, its user is resolved inside the tree. Of a bundle
// (Layout::bundle), which says all that itself, nothing is looked up but HOME where it has none.
Result<spec::HostFacts> gather(const spec::MachineSpec& spec, const GatherOptions& options);

// The parts, for `doctor` and tests. gather() calls them.
// Mount point of cgroup2 and what can be enabled there; empty when there is none.
void find_cgroup2(spec::HostFacts& facts);
// Whether the caller has CAP_SYS_ADMIN where it is, be it in a user namespace.
bool is_admin();
// Kernel version, architecture, capabilities, boot id, PID 1.
void ask_kernel(spec::HostFacts& facts);

}  // namespace croft::host
