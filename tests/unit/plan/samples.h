// Specs and facts that the tests of plan/ start from: a usual host, a usual tree.
#pragma once

#include <gtest/gtest.h>

#include "plan/planner.h"

namespace croft::plan::samples {

inline spec::HostFacts host() {
    spec::HostFacts facts;
    facts.kernel_major = 6, facts.kernel_minor = 12;
    facts.machine_arch = "x86_64";
    facts.capability_bounding = 0x1ffffffffff;
    facts.cgroup_root = "/sys/fs/cgroup";
    facts.cgroup_base = "croft";
    facts.cgroup_controllers = {"cpuset", "cpu", "io", "memory", "hugetlb", "pids"};
    facts.os_release = {{"ID", "debian"}, {"VERSION_ID", "12"}};
    facts.resolv_conf = "/etc/resolv.conf";
    facts.timezone = "Europe/Berlin";
    for (auto [path, minor] : {std::pair{"/dev/null", 3u},
                               {"/dev/zero", 5u},
                               {"/dev/full", 7u},
                               {"/dev/random", 8u},
                               {"/dev/urandom", 9u}})
        facts.devices[path] = {'c', 1, minor, 0666, 0, 0};
    facts.caller_environment = {{"TERM", "xterm-256color"}};
    facts.initial_rlimits = {{"NOFILE", {1024, 524288}}, {"CORE", {0, UINT64_MAX}}};
    facts.random_uuid = "0123456789abcdef0123456789abcdef";
    facts.id_base = 1048576;
    facts.scratch_directory = "/var/lib/croft/scratch/web";
    facts.run_directory = "/run/croft/machines/web";
    facts.helper_directory = "/usr/libexec/croft";
    facts.tree.directory = "/srv/web";
    facts.tree.is_os_tree = facts.tree.has_os_release = facts.tree.usr_merged = true;
    facts.tree.idmap_supported = true;
    facts.tree.shell = "/bin/bash";
    facts.tree.home = "/root";
    facts.tree.user_name = "root";
    return facts;
}

inline spec::HostFacts boot_host() {
    spec::HostFacts facts = host();
    facts.tree.init = "/usr/lib/systemd/systemd";
    facts.tree.init_kind = spec::InitKind::systemd;
    facts.tree.systemd_init = true;
    facts.devices["/dev/fuse"] = {'c', 10, 229, 0666, 0, 0};
    facts.devices["/dev/net/tun"] = {'c', 10, 200, 0666, 0, 0};
    return facts;
}

inline spec::MachineSpec app() {
    spec::MachineSpec spec;
    spec.name = "web";
    spec.root.directory = "/srv/web";
    spec.process.command = {"httpd", "-f"};
    return spec;
}

inline spec::MachineSpec boot() {
    spec::MachineSpec spec = app();
    spec.mode = spec::Mode::boot;
    spec.process.command = {};
    return spec;
}

// What an engine asks for by default: its own namespaces but no user namespace, the usual mounts.
inline spec::Mount mount(std::string type, std::string target, std::vector<std::string> options = {}) {
    spec::Mount m;
    m.kind = spec::Mount::Kind::filesystem;
    m.fs_type = m.source = std::move(type), m.target = std::move(target), m.options = std::move(options);
    m.ids = spec::BindIds::none;
    return m;
}
inline spec::Mount bind(std::string source, std::string target, std::vector<std::string> options = {}) {
    spec::Mount m;
    m.source = std::move(source), m.target = std::move(target), m.options = std::move(options);
    m.ids = spec::BindIds::none;
    return m;
}

inline spec::MachineSpec bundle() {
    spec::MachineSpec spec;
    spec.name = "c1";
    spec.root.directory = "/bundles/c1/rootfs";
    spec.root.layout = spec::Layout::bundle;
    spec.users.mode = spec::UserNamespace::Mode::no;
    const std::vector<std::string> quiet = {"nosuid", "noexec", "nodev"};
    spec.mounts = {mount("proc", "/proc", quiet),
                   mount("tmpfs", "/dev", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
                   mount("devpts", "/dev/pts",
                         {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
                   mount("sysfs", "/sys", quiet),
                   mount("cgroup", "/sys/fs/cgroup", quiet),
                   mount("mqueue", "/dev/mqueue", quiet),
                   mount("tmpfs", "/dev/shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=67108864"}),
                   bind("/engine/c1/hostname", "/etc/hostname")};
    spec.mounts[3].writable = spec.mounts[4].writable = false;
    spec.mounts[7].propagation = spec::Propagation::rprivate;
    spec.process.command = {"sh"};
    spec.process.environment.set = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/root"}};
    spec.process.user.ids = {0, 0};
    spec.process.directory = "/";
    spec.integration.hostname = "c1";
    const std::vector<std::string> some = {"CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"};
    spec.security.capabilities = spec::CapabilitySets{some, some, {}, some, {}};
    spec.security.masked_paths = {"/proc/kcore", "/sys/firmware"};
    spec.security.readonly_paths = {"/proc/sys"};
    spec.resources.cgroup_path = "/engine/c1";
    spec.resources.device_rules = {{false, 'a', {}, {}, "rwm"}};
    return spec;
}

// The plans, or a failed test.
inline Plans planned(const spec::MachineSpec& spec, const spec::HostFacts& facts) {
    auto plans = plan(spec, facts);
    if (!plans) {
        ADD_FAILURE() << plans.error().text;
        return {};
    }
    return std::move(*plans);
}

template <class T>
std::vector<T> steps_of(const std::vector<launch::Step>& steps) {
    std::vector<T> out;
    for (const launch::Step& step : steps)
        if (auto* match = std::get_if<T>(&step)) out.push_back(*match);
    return out;
}

}  // namespace croft::plan::samples
