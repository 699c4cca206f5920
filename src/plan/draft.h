// A plan under construction: what planner.cc passes from topic to topic. Only for the .cc files of plan/.
//
// Each topic is one function in one file; planner.cc calls them in the order in which they need each other's
// decisions. A topic adds steps at the ends of the lists, so the order of the calls is the order of the
// steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "plan/planner.h"

namespace croft::plan {

// MOUNT_ATTR_* of mount_setattr(2), which glibc's headers do not have everywhere.
namespace attr {
inline constexpr uint64_t ro = 0x1, nosuid = 0x2, nodev = 0x4, noexec = 0x8, relatime = 0, noatime = 0x10,
                          strictatime = 0x20, atime_mask = 0x70, nodiratime = 0x80, nosymfollow = 0x200000;
}

// The nodes that every machine and container has, by the kernel's own numbers (admin-guide/devices.txt).
struct StandardNode {
    const char* name;  // below /dev
    uint32_t major, minor;
};
inline constexpr StandardNode standard_nodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                                                  {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

class Draft {
  public:
    Draft(const spec::MachineSpec& s, const spec::HostFacts& f, Plans& p) : spec(s), facts(f), plans(p) {}

    const spec::MachineSpec& spec;
    const spec::HostFacts& facts;
    Plans& plans;
    launch::LaunchPlan& launch = plans.launch;
    const bool boot = spec.mode == spec::Mode::boot;
    const bool bundle = spec.root.layout == spec::Layout::bundle;

    // Decided by plan_users and plan_namespaces.
    bool private_users = false;   // the payload gets a user namespace of its own
    bool map_tree = false;        // the tree's files are seen through an id map
    bool private_network = true;  // a network namespace of the machine's own
    bool own_pid = true, own_ipc = true, own_cgroup = true;
    uint32_t root_uid = 0, root_gid = 0;  // the payload's root, in the host's ids
    // Decided by plan_cgroup.
    bool device_policy = false;
    // Decided by plan_root.
    launch::Slot root = launch::no_slot;
    bool root_writable = true;  // files can be made in the machine's root
    // Decided by plan_host_directory (what processes learn about it) and plan_console.
    bool has_notify = false, has_credentials = false, has_incoming = false;
    bool terminal = false;

    launch::Slot new_slot() { return launch.slots++; }
    void host(launch::Step step) { launch.host.push_back(std::move(step)); }
    void stage(launch::Step step) { launch.stage.push_back(std::move(step)); }
    void inside(launch::Step step) { launch.inside.push_back(std::move(step)); }
    void warn(std::string sentence) { plans.warnings.push_back(std::move(sentence)); }

    // An id of the payload as the host sees it; nothing when its namespace does not have it.
    std::optional<uint32_t> host_uid(uint32_t inside) const { return translate(launch.uid_maps, inside); }
    std::optional<uint32_t> host_gid(uint32_t inside) const { return translate(launch.gid_maps, inside); }

    unsigned fresh = 0;  // numbers the directories that the user's mounts need

    // The slot of a user namespace with the plan's maps, for idmapped mounts; made at the first call.
    launch::Slot idmap();
    // The slot of the scratch directory, which is removed with the machine.
    Result<launch::Slot> scratch();

    // A tmpfs of the payload's root, in the host list. Options are "key=value" or flags.
    launch::Slot tmpfs(std::string_view mode, std::vector<std::pair<std::string, std::string>> options,
                       uint64_t attributes);
    launch::MakeDir directory(launch::Slot base, std::string path, uint32_t mode = 0755) const {
        return {base, std::move(path), mode, root_uid, root_gid};
    }
    launch::MakeFile file(launch::Slot base, std::string path, std::string content,
                          uint32_t mode = 0444) const {
        return {.base = base,
                .path = std::move(path),
                .content = std::move(content),
                .mode = mode,
                .uid = root_uid,
                .gid = root_gid};
    }
    // In the stage: what is not there is made, for the payload's root.
    launch::Attach attach(launch::Slot slot, std::string target,
                          launch::Create create = launch::Create::directory) const {
        return {
            .slot = slot, .target = std::move(target), .create = create, .uid = root_uid, .gid = root_gid};
    }

  private:
    std::optional<uint32_t> translate(const std::vector<launch::IdMap>& maps, uint32_t inside) const;
    launch::Slot idmap_ = launch::no_slot, scratch_ = launch::no_slot;
};

// The topics of a machine, in the order of the calls.
Result<> check_offered(const Draft&);  // what no plan can do yet, or not for this tree
Result<> plan_users(Draft&);
Result<> plan_namespaces(Draft&);
Result<> plan_cgroup(Draft&);
Result<> plan_root(Draft&);         // the tree, its copies and layers
Result<> plan_integration(Draft&);  // resolv.conf and time zone, in the tree
Result<> plan_dev(Draft&);
Result<> plan_run(Draft&);     // /run, /tmp, /run/host
Result<> plan_mounts(Draft&);  // the user's own, in their order
Result<> plan_api(Draft&);     // proc, sysfs, cgroup2 …, masks, sysctls, host name, console
Result<> plan_command(Draft&);
Result<> plan_process(Draft&);   // identity, limits, scheduling, the stop signal
Result<> plan_security(Draft&);  // capabilities and the system call filter
Result<> plan_life(Draft&);      // hooks, network devices, resctrl, NUMA memory
void plan_unit(Draft&);
Result<> plan_stop(Draft&);  // a part of plan_process that the unit needs alone

// Those of an OCI bundle that are others (plan_bundle_*.cc): what its config.json says, in its words, and no more.
Result<> plan_bundle_users(Draft&);
Result<> plan_bundle_cgroup(Draft&);
Result<> plan_bundle_root(Draft&);
Result<> plan_bundle_mounts(Draft&);  // with /dev's nodes
Result<> plan_bundle_inside(Draft&);  // what is done among the finished mounts
Result<> plan_bundle_command(Draft&);
// A terminal of the container's, if its process is to have one; `console`: it is /dev/console too.
void plan_terminal(Draft&, bool console);

// A setting by the name that whoever made it knows it by: an option of croft, or a member of config.json.
inline std::string_view named(const Draft& d, std::string_view option, std::string_view member) {
    return d.bundle ? member : option;
}
// The settings of the spec's resources, as files of the group.
Result<> plan_limits(Draft&);
// Whether a new instance of a file system that shows a namespace may be mounted by the payload's process.
bool may_mount(const Draft& d, bool owns_namespace);
// A clone of the host's own mount in its stead: for what the payload's user namespace may not mount anew.
launch::Slot open_api(Draft& d, std::string source, uint64_t attributes);
// "net.ipv4.ip_forward" as a path below /proc/sys.
std::string sysctl_path(const std::string& name);
// A tmpfs with these options (their ids are the payload's) in the host list; `mode` unless they say another one. `who` is
// to blame for them.
Result<launch::Slot> user_tmpfs(Draft& d, std::string_view who, const std::string& source,
                                const std::vector<std::string>& options, std::string_view mode, uint64_t attributes);
std::vector<launch::IdMap> id_maps(const std::vector<spec::IdMapping>& maps);
// A user namespace with these maps, for mounts.
launch::Slot make_userns(Draft& d, std::vector<launch::IdMap> uids, std::vector<launch::IdMap> gids);
// "0-3,6" as single numbers; `what` is said of one that is none.
Result<std::vector<uint32_t>> number_list(std::string_view text, std::string_view what);

// Mount options by their mount(8) names as attributes; those that are not the mount's own are left in `rest`.
struct MountFlags {
    uint64_t set = 0, clear = 0;
    std::vector<std::string> rest;
};
MountFlags mount_flags(const std::vector<std::string>& options);
uint64_t propagation_bits(spec::Propagation propagation);
// The machine's id with its dashes, as $container_uuid has it; "" when there is none.
std::string machine_uuid(const Draft& d);

}  // namespace croft::plan
