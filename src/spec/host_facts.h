// HostFacts: what the planner needs to know about this host, gathered once by host/ and passed as a value, so that
// every decision can be tested as text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spec/machine_spec.h"

namespace croft::spec {

// Which init a tree boots with: each has its own way to be stopped.
enum class InitKind { other, systemd, sysvinit, openrc, busybox };

// What was found at the tree, by path inside it. Only what a plan depends on.
struct TreeFacts {
    std::string directory;              // absolute, symlinks resolved
    bool is_os_tree = false;            // has usr/ and an os-release, or at least bin/ or usr/
    bool has_os_release = false;
    std::string init;                   // first of the init candidates that is there; empty: none
    std::string shell;                  // first of /bin/bash, /bin/sh that is there
    uint32_t owner_uid = 0, owner_gid = 0;
    bool idmap_supported = false;       // an idmapped mount of this tree was accepted by the kernel
    bool read_only_fs = false;
    bool usr_merged = false;
    bool machine_id_set = false;        // /etc/machine-id holds an id
    bool systemd_init = false;          // the init is systemd (as init_kind says too)
    InitKind init_kind = InitKind::other;
    // For --volatile=yes only: the top-level links into /usr ("lib64" to "usr/lib64"); empty: the usual ones.
    std::vector<std::pair<std::string, std::string>> usr_links;
    // For binds with owner_idmap only: who owns the target inside the tree, by target; missing: root.
    std::map<std::string, std::pair<uint32_t, uint32_t>> target_owners;
    std::string machine_file;           // TREE.nspawn beside it, if there
    // The user asked for, resolved inside the tree.
    uint32_t uid = 0, gid = 0;
    std::vector<uint32_t> groups;
    std::string home = "/", user_shell, user_name;
};

// What of a disk image is mounted where. The first one is the root, or /usr where there is no root.
struct DiskVolume {
    std::string target;                 // path inside: "/", "/usr", "/home" …
    std::string type;                   // of its file system, as the kernel calls it
    uint64_t offset = 0, size = 0;      // bytes of the image (TreeFacts::directory), for a loop device
    std::string device;                 // host path of a block device that has it instead: an unlocked or verified one
    bool read_only = false;             // cannot be written, or shall not
    std::string no_recovery;            // mount option that leaves it untouched; "": none is needed
};

struct DeviceFacts {
    char type = 0;                      // 'c', 'b', 0: not there
    uint32_t major = 0, minor = 0;
    uint32_t mode = 0, uid = 0, gid = 0;
};

struct HostFacts {
    uint32_t uid = 0;                   // of the caller
    bool admin = true;                  // has CAP_SYS_ADMIN where it is, be it in a user namespace
    bool privileged = true;             // may make namespaces, mounts and nodes in the initial user namespace
    int kernel_major = 6, kernel_minor = 1;
    std::string machine_arch;           // uname -m
    uint64_t last_capability = 40;      // /proc/sys/kernel/cap_last_cap
    uint64_t capability_bounding = 0;   // of the caller: what cannot be granted is a warning
    std::string cgroup_root;            // mount point of cgroup2; empty: none
    std::string cgroup_base;            // below it: where croft's machines go ("croft")
    std::vector<std::string> cgroup_controllers;  // that can be enabled there
    bool systemd = false;               // PID 1 is systemd
    std::string unit;                   // the unit of systemd that the machine will be; empty: none (direct mode)
    std::string unit_notify;            // host path of the socket where systemd hears of that unit's readiness
    std::string propagate_directory;    // through which systemd-machined passes mounts into that machine; empty: none
    bool has_overlay = true, has_idmap = true, has_time_ns = true, has_seccomp = true, has_device_bpf = true;
    bool has_apparmor = true, has_selinux = true;  // asked for a bundle that has a label of theirs
    std::map<std::string, std::string> os_release;  // the host's ID, VERSION_ID, BUILD_ID, VARIANT_ID
    std::string resolv_conf;            // host path of the file to copy or bind, as --resolv-conf=auto would
    std::string timezone;               // "Europe/Berlin", from the host's /etc/localtime link
    std::map<std::string, DeviceFacts> devices;     // for /dev nodes and the spec's devices
    // "char-pts", "block-loop" of the spec's devices: the majors that /proc/devices gives the class.
    std::map<std::string, std::vector<uint32_t>> device_classes;
    std::map<std::string, bool> path_is_directory;  // for bind and overlay sources of the spec (missing: not there)
    // For bind sources with root_idmap or owner_idmap: their owners on the host.
    std::map<std::string, std::pair<uint32_t, uint32_t>> path_owners;
    std::map<std::string, std::string> caller_environment;  // only TERM, COLORTERM, NO_COLOR and `pass` names
    std::map<std::string, std::pair<uint64_t, uint64_t>> initial_rlimits;  // what the kernel gave PID 1
    // A bundle's: of the user namespace that it joins, and of the caller's own where that is not the initial one.
    std::vector<IdMapping> user_uid_maps, user_gid_maps, own_uid_maps, own_gid_maps;
    std::string boot_id;
    std::string random_uuid;            // 32 hex digits, fresh: the machine's id when the spec has none
    TreeFacts tree;
    std::vector<DiskVolume> disk;       // of a tree that is a disk image; empty: it is a directory
    // Chosen by the manager before planning, because choosing takes a lock: the machine's id range and the place
    // of its throwaway files.
    std::optional<uint32_t> id_base;
    std::string scratch_directory;      // writable, on the host; for ephemeral uppers
    std::string run_directory;          // this machine's directory below /run/croft/machines
    std::string helper_directory;       // where croft-init, croft-hold and croft-seccomp are
    // Both false for a detached start: its streams are not the caller's.
    bool stdin_is_terminal = false, stdout_is_terminal = false;
};

}  // namespace croft::spec
