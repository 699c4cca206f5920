// MachineSpec: what a machine *is*, complete and comparable. Every dialect (options, machine file, .nspawn, later
// OCI config.json and D-Bus) becomes one of these; the planner reads nothing else.
//
// It holds all of runtime-spec 1.3 `linux`, all of systemd.nspawn(5), and croft's own. Plain data: no function here
// opens, asks or decides anything. Unset means "the planner's default", written as std::optional or an `automatic`
// enumerator; an empty list means none. Sizes are bytes, durations microseconds, ids as the kernel counts them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace croft::spec {

// ---------------------------------------------------------------- the tree

enum class Mode { app, boot };                         // one program, or an init with the container interface
enum class Volatile { no, yes, state, overlay };       // systemd-nspawn(1) --volatile=
enum class Propagation { unset, private_, rprivate, slave, rslave, shared, rshared, unbindable, runbindable };
enum class OsCheck { require, skip };                  // --force-tree skips "is this an OS tree"
// What is put around the tree. system: the file systems, nodes and files that a machine has (plan/ knows them).
// bundle: what the spec lists and nothing more, for an OCI bundle, whose config.json lists all.
enum class Layout { system, bundle };

struct Root {
    std::string directory;     // absolute host path of the tree: a directory, or a raw disk image; of layers: what stands for
                               // them in messages
    std::string image;         // name of an image whose root it is; the manager finds the layers
    // Trees of the host that lie over each other, the lowest first; empty: the directory is all there is.
    std::vector<std::string> layers;
    // With layers: the directory that has the machine's own upper/ and work/; empty: a throwaway one.
    std::string upper;
    std::string root_hash;     // of dm-verity, for a disk image: hex digits; empty: as found beside it, or none
    std::string verity_data;   // host path of its hashes; empty: in the image, or beside it
    bool read_only = false;
    bool ephemeral = false;    // run on a throwaway copy
    Volatile volatile_mode = Volatile::no;
    std::string pivot_new, pivot_old;  // --pivot-root=NEW[:OLD], paths inside the tree
    Propagation propagation = Propagation::unset;
    OsCheck os_check = OsCheck::require;
    Layout layout = Layout::system;
};

// ---------------------------------------------------------------- mounts

// How the ids of a bind mount's files are seen inside (systemd-nspawn(1) --bind= options; OCI idmap/ridmap).
enum class BindIds { automatic, none, idmap, root_idmap, owner_idmap };

struct IdMapping {  // one line of /proc/PID/uid_map
    uint32_t inside = 0, outside = 0, count = 0;
    bool operator==(const IdMapping&) const = default;
};

struct Mount {
    enum class Kind { bind, tmpfs, overlay, inaccessible, filesystem };
    Kind kind = Kind::bind;
    std::string source;                 // host path; "+/x" is inside the tree; empty bind source: a fresh directory
    std::string target;                 // path inside
    std::vector<std::string> layers;    // overlay: lowest first; with `writable` the last one is the upper
    bool writable = true;
    bool recursive = true;
    BindIds ids = BindIds::automatic;
    Propagation propagation = Propagation::unset;
    std::vector<std::string> options;   // further mount options by their mount(8) names ("nosuid", "size=10M")
    std::string fs_type;                // Kind::filesystem: "proc", "sysfs", "ext4", …
    std::vector<IdMapping> uid_mappings, gid_mappings;  // OCI: mappings of this mount
    bool map_recursive = false;         // OCI "ridmap": the mounts below get the mappings too
};

// ---------------------------------------------------------------- the process

struct Environment {
    std::vector<std::pair<std::string, std::string>> set;  // in order, last wins
    std::vector<std::string> pass;                         // names to copy from the caller
    std::vector<std::string> files;                        // host files of NAME=VALUE lines, below `set`
};

struct User {
    std::string name;                    // "uid", "name", "uid:gid", "name:group"; resolved inside the tree
    std::vector<uint32_t> extra_groups;
    std::optional<uint32_t> umask;
    std::optional<std::pair<uint32_t, uint32_t>> ids;      // uid and gid as they are: nothing is looked up in the tree
};

struct Scheduler {
    std::string policy;  // SCHED_OTHER … ; empty: unset
    int nice = 0, priority = 0;
    std::vector<std::string> flags;
    uint64_t runtime = 0, deadline = 0, period = 0;  // nanoseconds
};

struct Rlimit {
    std::string name;  // "NOFILE"
    uint64_t soft = UINT64_MAX, hard = UINT64_MAX;
};

enum class Terminal { automatic, none, pty };
enum class NotifyReady { automatic, no, yes };

struct Process {
    std::vector<std::string> command;    // empty: a shell (app) or the tree's init (boot)
    bool init = false;                   // --init / ProcessTwo=: croft's tiny init is PID 1
    Environment environment;
    User user;
    std::string directory;               // working directory inside
    Terminal terminal = Terminal::automatic;
    bool interactive = false;            // standard input stays open (-i)
    std::vector<Rlimit> rlimits;
    std::optional<int> oom_score_adjust;
    std::optional<std::string> cpu_affinity;   // "0-3,6"
    std::string personality;             // "x86", "x86-64"; empty: the kernel's
    std::optional<Scheduler> scheduler;
    std::string io_priority_class;       // IOPRIO_CLASS_RT/BE/IDLE
    int io_priority = 0;
    std::string stop_signal;             // "SIGTERM", "SIGRTMIN+3"; empty: the planner's default
    std::optional<uint64_t> stop_timeout;   // µs until SIGKILL
    NotifyReady notify_ready = NotifyReady::automatic;
    std::string apparmor_profile, selinux_label, selinux_mount_label;
    std::optional<std::pair<uint16_t, uint16_t>> console_size;  // rows, columns
    std::string exec_affinity_initial, exec_affinity_final;     // of processes that join later ("0-3,6")
};

// ---------------------------------------------------------------- isolation

struct UserNamespace {
    enum class Mode { automatic, no, pick, identity, fixed, maps };
    Mode mode = Mode::automatic;         // automatic: pick; for a caller that is not root: no
    uint32_t base = 0, count = 65536;    // Mode::fixed
    std::vector<IdMapping> uid_maps, gid_maps;  // Mode::maps
    std::string path;                    // joins this existing one; the maps are then asked of it
    enum class Ownership { automatic, off, chown, map };
    Ownership ownership = Ownership::automatic;
};

struct Network {
    enum class Mode { automatic, none, host, path };   // automatic: none until networks come
    Mode mode = Mode::automatic;
    std::string path;                    // of the network namespace to join
    std::vector<std::string> interfaces, macvlan, ipvlan, veth_extra;  // systemd.nspawn(5) [Network]
    std::string bridge, zone;
    bool veth = false;
    std::vector<std::string> ports;      // "tcp:80:8080"
};

struct Namespaces {  // a path joins an existing one; "host" shares the host's; empty: a new one
    std::string ipc, uts, cgroup, pid;
    std::string mount;                   // as the others; the host's only for a bundle
    bool time = false;
    std::string time_path;               // with `time`: joins this one
    std::optional<int64_t> monotonic_offset, boottime_offset;  // ns
};

struct SeccompArg {
    unsigned index = 0;
    uint64_t value = 0, value_two = 0;
    std::string op;                      // SCMP_CMP_EQ, …
};
struct SeccompRule {
    std::vector<std::string> names;
    std::string action;                  // SCMP_ACT_ERRNO, …
    std::optional<uint32_t> errno_ret;
    std::vector<SeccompArg> args;
};
struct SeccompProfile {                  // runtime-spec `linux.seccomp`
    std::string default_action;
    std::optional<uint32_t> default_errno;
    std::vector<std::string> architectures, flags;
    std::vector<SeccompRule> rules;
    std::string listener_path, listener_metadata;
};

// The five sets as they shall be (runtime-spec process.capabilities), by names like "CAP_NET_ADMIN".
struct CapabilitySets {
    std::vector<std::string> bounding, effective, inheritable, permitted, ambient;
};

struct Security {
    std::optional<CapabilitySets> capabilities;               // instead of the default set and the changes to it
    std::vector<std::string> cap_add, cap_drop, cap_ambient;  // "CAP_NET_ADMIN" or "all"
    std::optional<bool> no_new_privileges;                    // unset: yes for apps with a user, no otherwise
    bool seccomp_off = false;
    std::vector<std::string> syscalls_allow, syscalls_deny;   // --syscall-filter on top of the default list
    std::optional<SeccompProfile> seccomp;                    // instead of the default list
    std::string seccomp_path;                                 // host file `seccomp` is read from (dialect/host_files.h)
    std::vector<std::string> address_families;                // RestrictAddressFamilies=; empty: all
    bool address_families_deny = false;
    bool suppress_sync = false;
    std::optional<std::vector<std::string>> masked_paths, readonly_paths;  // unset: the defaults
    std::vector<std::pair<std::string, std::string>> sysctls;
};

// A device the payload may use. `path` is on the host; majors and minors are taken from there by the planner's facts.
struct Device {
    std::string path;                    // "/dev/fuse"; or a class "char-pts", "block-loop"
    std::string target;                  // path inside; empty: the same
    std::string access = "rwm";          // of r, w, m
    bool node = true;                    // make the node, or only allow it
    // OCI: the node itself is told, and the host is not asked. `target` is its place then. Type 'c', 'b', 'u', 'p'.
    struct Node {
        char type = 'c';
        uint32_t major = 0, minor = 0;
        std::optional<uint32_t> mode, uid, gid;
    };
    std::optional<Node> exact;
};

// ---------------------------------------------------------------- resources

struct DeviceRule {                      // OCI linux.resources.devices
    bool allow = false;
    char type = 'a';
    std::optional<int64_t> major, minor;
    std::string access;
};
struct Resources {
    std::optional<uint64_t> memory_max, memory_high, memory_low, memory_min, swap_max;  // UINT64_MAX: no limit
    std::optional<uint64_t> cpu_quota;   // µs of CPU per second: --cpus=1.5 is 1500000
    std::optional<uint64_t> cpu_period;  // µs; default 100000
    std::optional<uint64_t> cpu_burst;   // µs
    std::optional<uint64_t> cpu_weight;  // 1–10000
    bool cpu_idle = false;
    std::string cpuset_cpus, cpuset_mems;
    std::optional<uint64_t> tasks_max;
    std::optional<uint64_t> io_weight;   // 1–10000
    std::vector<std::pair<std::string, std::string>> io_max;   // device path → "rbps=… wiops=…"
    std::vector<std::pair<std::string, uint64_t>> hugetlb;     // "2MB" → bytes
    std::vector<std::pair<std::string, std::string>> rdma;
    std::vector<DeviceRule> device_rules;
    std::vector<std::pair<std::string, std::string>> unified;  // cgroup file → value, verbatim
    // systemd.resource-control(5) names and values as written ("MemoryMax" → "512M"), for the unit; the ones with a
    // field above are there too.
    std::vector<std::pair<std::string, std::string>> unit_properties;
    std::string slice;                   // default machine.slice
    std::string cgroup_parent;           // direct mode: below this cgroup instead of croft's own
    std::string cgroup_path;             // exactly this cgroup below the cgroup2 mount (OCI cgroupsPath)
    bool memory_check_before_update = false;  // a limit below what is in use is refused
    bool rdt = false;                    // a group of resctrl is asked for (runtime-spec linux.intelRdt)
    std::string rdt_clos, rdt_l3, rdt_mb;
    std::vector<std::string> rdt_schemata;
    bool rdt_monitoring = false;
    std::string memory_policy, memory_policy_nodes;
    std::vector<std::string> memory_policy_flags;
};

// ---------------------------------------------------------------- integration

struct Credential {
    std::string id, value;               // may hold any byte
    std::string path;                    // host file `value` is read from (dialect/host_files.h); empty: given as is
};
struct Integration {
    std::string hostname, domainname;    // hostname defaults to the name
    std::string uuid;                    // 32 hex digits; empty: random for each start
    std::string resolv_conf = "auto";    // systemd-nspawn(1) --resolv-conf=
    std::string timezone = "auto";       // systemd-nspawn(1) --timezone=
    std::string link_journal = "no";     // systemd-nspawn(1) --link-journal=
    std::vector<Credential> credentials;
    std::vector<std::pair<std::string, std::string>> annotations;
    std::vector<std::string> bind_users;
    std::string bind_user_shell;
};

struct Hook {
    std::string path;
    std::vector<std::string> args, env;
    std::optional<int> timeout;          // s
};
struct Hooks {
    std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart, poststop;
};

struct MachineSpec {
    std::string name;
    Mode mode = Mode::app;
    Root root;
    std::vector<Mount> mounts;           // in order
    Process process;
    UserNamespace users;
    Network network;
    Namespaces namespaces;
    Security security;
    std::vector<Device> devices;
    Resources resources;
    Integration integration;
    Hooks hooks;
    std::vector<std::pair<std::string, std::string>> net_devices;  // runtime-spec linux.netDevices
    bool remove_when_done = false;       // --rm
    bool autostart = false;
    // [Unit]/[Service]/[Install] settings of a machine file that are systemd's own, passed through in order, as
    // {"Unit.After", "network.target"}. Specifiers are already expanded: a writer of unit files doubles each '%'.
    std::vector<std::pair<std::string, std::string>> unit_settings;
};

}  // namespace croft::spec
