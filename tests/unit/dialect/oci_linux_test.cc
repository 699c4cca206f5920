// config.json: linux, without its resources.
#include "oci_sample.h"

namespace croft::dialect {
namespace {
using namespace samples;

TEST(OciLinux, Namespaces) {
    spec::MachineSpec spec = taken(
        {.linux = R"(, "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
            "gidMappings": [{"containerID": 0, "hostID": 1, "size": 1}, {"containerID": 1, "hostID": 5, "size": 4294967290}],
            "timeOffsets": {"monotonic": {"secs": 7, "nanosecs": 5}, "boottime": {"secs": -3}})",
         .namespaces =
             R"(, {"type": "pid"}, {"type": "network", "path": ""}, {"type": "ipc", "path": "/proc/1/ns/ipc"},
            {"type": "uts"}, {"type": "cgroup"}, {"type": "user"}, {"type": "time"})"});
    EXPECT_EQ(spec.namespaces.pid, "");
    EXPECT_EQ(spec.namespaces.uts, "");
    EXPECT_EQ(spec.namespaces.cgroup, "");
    EXPECT_EQ(spec.namespaces.mount, "");
    EXPECT_EQ(spec.namespaces.ipc, "/proc/1/ns/ipc");
    EXPECT_EQ(spec.network.mode, spec::Network::Mode::none);
    EXPECT_EQ(spec.users.mode, spec::UserNamespace::Mode::maps);
    EXPECT_EQ(spec.users.path, "");
    EXPECT_EQ(spec.users.uid_maps.at(0), (spec::IdMapping{0, 100000, 65536}));
    EXPECT_EQ(spec.users.gid_maps.size(), 2u);
    EXPECT_TRUE(spec.namespaces.time);
    EXPECT_EQ(spec.namespaces.monotonic_offset, 7000000005);
    EXPECT_EQ(spec.namespaces.boottime_offset, -3000000000);
}

TEST(OciLinux, NamespacesToJoin) {
    spec::MachineSpec spec =
        taken({.namespaces = R"(, {"type": "user", "path": "/u"}, {"type": "network", "path": "/n"},
        {"type": "time", "path": "/t"}, {"type": "cgroup", "path": "/c"}, {"type": "pid", "path": "/p"})"});
    EXPECT_EQ(spec.users.mode, spec::UserNamespace::Mode::maps);
    EXPECT_EQ(spec.users.path, "/u");
    EXPECT_EQ(spec.network.mode, spec::Network::Mode::path);
    EXPECT_EQ(spec.network.path, "/n");
    EXPECT_EQ(spec.namespaces.time_path, "/t");
    EXPECT_EQ(spec.namespaces.cgroup, "/c");
    EXPECT_EQ(spec.namespaces.pid, "/p");
}

TEST(OciLinux, Devices) {
    auto devices = taken({.linux = R"(, "devices": [
        {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 8630, "uid": 1, "gid": 2},
        {"path": "/dev/sda", "type": "b", "major": 8, "minor": 0}, {"path": "/pipe", "type": "p"},
        {"path": "/dev/u", "type": "u", "major": 4095, "minor": 1048575, "fileMode": 69206454}])"})
                       .devices;
    ASSERT_EQ(devices.size(), 4u);
    EXPECT_EQ(devices[0].target, "/dev/fuse");
    ASSERT_TRUE(devices[0].exact);
    EXPECT_EQ(devices[0].exact->type, 'c');
    EXPECT_EQ(devices[0].exact->major, 10u);
    EXPECT_EQ(devices[0].exact->minor, 229u);
    EXPECT_EQ(devices[0].exact->mode, 0666u);
    EXPECT_EQ(devices[0].exact->uid, 1u);
    EXPECT_EQ(devices[0].exact->gid, 2u);
    EXPECT_FALSE(devices[1].exact->mode);
    EXPECT_EQ(devices[2].exact->type, 'p');
    EXPECT_EQ(devices[3].exact->mode, 0666u);
}

TEST(OciLinux, NetDevices) {
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(
        taken(
            {.linux =
                 R"(, "netDevices": {"eth0": {"name": "in0"}, "eth1": {}, "e2": {"name": "x%d"}, "e3": {"name": "x%d"}})",
             .namespaces = R"(, {"type": "network"})"})
            .net_devices,
        (Pairs{{"eth0", "in0"}, {"eth1", "eth1"}, {"e2", "x%d"}, {"e3", "x%d"}}));
}

TEST(OciLinux, TheRest) {
    spec::MachineSpec spec =
        taken({.linux = R"(, "cgroupsPath": "user.slice:docker:abc", "mountLabel": "u:r:t",
        "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys", "/proc/bus"],
        "sysctl": {"net.ipv4.ip_forward": "1", "kernel.shmmax": "5"}, "personality": {"domain": "LINUX32", "flags": []},
        "intelRdt": {"closID": "gold", "l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=20", "schemata": ["L2:0=f"],
                     "enableMonitoring": true},
        "memoryPolicy": {"mode": "MPOL_INTERLEAVE", "nodes": "2,3", "flags": ["MPOL_F_STATIC_NODES"]})"});
    EXPECT_EQ(spec.resources.cgroup_path, "user.slice:docker:abc");
    EXPECT_EQ(spec.process.selinux_mount_label, "u:r:t");
    EXPECT_EQ(spec.security.masked_paths, std::vector<std::string>{"/proc/kcore"});
    EXPECT_EQ(spec.security.readonly_paths, (std::vector<std::string>{"/proc/sys", "/proc/bus"}));
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(spec.security.sysctls, (Pairs{{"net.ipv4.ip_forward", "1"}, {"kernel.shmmax", "5"}}));
    EXPECT_EQ(spec.process.personality, "LINUX32");
    EXPECT_TRUE(spec.resources.rdt);
    EXPECT_EQ(spec.resources.rdt_clos, "gold");
    EXPECT_EQ(spec.resources.rdt_l3, "L3:0=f");
    EXPECT_EQ(spec.resources.rdt_mb, "MB:0=20");
    EXPECT_EQ(spec.resources.rdt_schemata, std::vector<std::string>{"L2:0=f"});
    EXPECT_TRUE(spec.resources.rdt_monitoring);
    EXPECT_EQ(spec.resources.memory_policy, "MPOL_INTERLEAVE");
    EXPECT_EQ(spec.resources.memory_policy_nodes, "2-3");
    EXPECT_EQ(spec.resources.memory_policy_flags, std::vector<std::string>{"MPOL_F_STATIC_NODES"});
    EXPECT_TRUE(taken({.linux = R"(, "intelRdt": {"closID": "/"})"}).resources.rdt);
    EXPECT_FALSE(taken({}).resources.rdt);
    EXPECT_EQ(taken({.linux = R"(, "memoryPolicy": {"mode": "MPOL_PREFERRED"})"}).resources.memory_policy,
              "MPOL_PREFERRED");
}

TEST(OciLinux, Seccomp) {
    spec::MachineSpec spec =
        taken({.linux = R"(, "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86_64"], "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/run/s",
        "listenerMetadata": "m", "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["clone"], "action": "SCMP_ACT_NOTIFY",
         "args": [{"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]}]})"});
    EXPECT_FALSE(spec.security.seccomp_off);
    ASSERT_TRUE(spec.security.seccomp);
    EXPECT_EQ(spec.security.seccomp->default_errno, 38u);
    EXPECT_EQ(spec.security.seccomp->listener_metadata, "m");
    ASSERT_EQ(spec.security.seccomp->rules.size(), 2u);
    EXPECT_EQ(spec.security.seccomp->rules[1].args.at(0).value_two, 2u);
    // What Docker's and podman's files have beside is not runtime-spec's.
    EXPECT_EQ(
        warnings({.linux = R"(, "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "archMap": [], "syscalls": [
        {"names": ["a"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["CAP_X"]}, "errno": "EPERM"}]})"}),
        "$.linux.seccomp.archMap: is not known, and ignored; $.linux.seccomp.syscalls[0].includes: is not "
        "known, and "
        "ignored; $.linux.seccomp.syscalls[0].errno: is not known, and ignored");
}

TEST(OciLinux, WrongOnesSayWhere) {
    const std::string map = R"("uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}])";
    const Wrong table[] = {
        {{.linux = R"(, "namespaces": [])"}, "$.linux.namespaces: is given twice"},
        {{.namespaces = R"(, {"path": "/x"})"}, "$.linux.namespaces[1]: type is missing"},
        {{.namespaces = R"(, {"type": "net"})"},
         "$.linux.namespaces[1].type: 'net' is not known (cgroup, ipc, mount, network, pid, time, user, "
         "uts)"},
        {{.namespaces = R"(, {"type": "pid", "path": "proc"})"},
         "$.linux.namespaces[1].path: 'proc' is no absolute path"},
        {{.namespaces = R"(, {"type": "pid"}, {"type": "pid", "path": "/x"})"},
         "$.linux.namespaces[2]: is a second namespace of type pid"},
        {{.linux = ", " + map}, "$.linux.uidMappings: needs a user namespace in linux.namespaces"},
        {{.namespaces = R"(, {"type": "user"})"},
         "$.linux.namespaces: has a new user namespace, which needs uidMappings and gidMappings"},
        {{.linux = ", " + map, .namespaces = R"(, {"type": "user"})"},
         "$.linux.namespaces: has a new user namespace, which needs uidMappings and gidMappings"},
        {{.linux = R"(, "uidMappings": [{"containerID": 0, "hostID": 1}])"},
         "$.linux.uidMappings[0]: size is missing"},
        {{.linux = R"(, "uidMappings": [{"containerID": 0, "hostID": 1, "size": 0}])"},
         "$.linux.uidMappings[0].size: is 0"},
        {{.linux = R"(, "uidMappings": [{"containerID": 0, "hostID": 4294967295, "size": 1}])"},
         "$.linux.uidMappings[0]: has ids beyond 4294967294"},
        {{.linux =
              R"(, "uidMappings": [{"containerID": 0, "hostID": 1, "size": 2}, {"containerID": 5, "hostID": 2, "size": 2}])"},
         "$.linux.uidMappings[1]: has ids that an earlier line has too"},
        {{.linux = R"(, "timeOffsets": {"monotonic": {"secs": 1}})"},
         "$.linux.timeOffsets: needs a new time namespace in linux.namespaces"},
        {{.linux = R"(, "timeOffsets": {"monotonic": {"secs": 1}})",
          .namespaces = R"(, {"type": "time", "path": "/t"})"},
         "$.linux.timeOffsets: needs a new time namespace in linux.namespaces"},
        {{.linux = R"(, "timeOffsets": {"realtime": {"secs": 1}})"},
         "$.linux.timeOffsets.realtime: is no clock of a time namespace (monotonic, boottime)"},
        {{.linux = R"(, "timeOffsets": {"boottime": {"nanosecs": 1000000000}})"},
         "$.linux.timeOffsets.boottime.nanosecs: is no whole number from 0 to 999999999"},
        {{.linux = R"(, "timeOffsets": {"boottime": {"secs": 9223372036854775807}})"},
         "$.linux.timeOffsets.boottime.secs: is no whole number from -9223372035 to 9223372035"},
        {{.linux = R"(, "devices": [{"type": "c", "major": 1, "minor": 1}])"},
         "$.linux.devices[0]: path is missing"},
        {{.linux = R"(, "devices": [{"path": "dev/x", "type": "c", "major": 1, "minor": 1}])"},
         "$.linux.devices[0].path: 'dev/x' is no absolute path"},
        {{.linux = R"(, "devices": [{"path": "/x", "type": "d", "major": 1, "minor": 1}])"},
         "$.linux.devices[0].type: 'd' is not known (c, b, u, p)"},
        {{.linux = R"(, "devices": [{"path": "/x", "type": "c", "minor": 1}])"},
         "$.linux.devices[0]: major is missing"},
        {{.linux = R"(, "devices": [{"path": "/x", "type": "c", "major": 1}])"},
         "$.linux.devices[0]: minor is missing"},
        {{.linux = R"(, "devices": [{"path": "/x", "type": "c", "major": 4096, "minor": 1}])"},
         "$.linux.devices[0].major: is no whole number from 0 to 4095"},
        {{.linux = R"(, "netDevices": {"eth0": {}})"},
         "$.linux.netDevices: needs a network namespace in linux.namespaces"},
        {{.linux = R"(, "netDevices": {"a/b": {}})"},
         "$.linux.netDevices[\"a/b\"]: has no name of a network interface (at most 15 characters)"},
        {{.linux = R"(, "netDevices": {"eth0": {"name": "0123456789abcdef"}})"},
         "$.linux.netDevices.eth0.name: '0123456789abcdef' is no name of a network interface (at most 15 "
         "characters)"},
        {{.linux = R"(, "netDevices": {"eth0": {"name": "eth1"}, "eth1": {}})"},
         "$.linux.netDevices.eth1: would be a second 'eth1' in the container"},
        {{.linux = R"(, "cgroupsPath": "/a/../../b")"}, "$.linux.cgroupsPath: '/a/../../b' leads upwards"},
        {{.linux = R"(, "maskedPaths": ["proc/kcore"])"},
         "$.linux.maskedPaths[0]: 'proc/kcore' is no absolute path"},
        {{.linux = R"(, "readonlyPaths": ["/a", 1])"}, "$.linux.readonlyPaths[1]: is number, not a string"},
        {{.linux = R"(, "sysctl": {"a.b": 1})"}, "$.linux.sysctl[\"a.b\"]: is number, not a string"},
        {{.linux = R"(, "personality": {"domain": "LINUX64"})"},
         "$.linux.personality.domain: 'LINUX64' is not known (did you mean 'LINUX'?)"},
        {{.linux = R"(, "personality": {"domain": "LINUX", "flags": ["X"]})"},
         "$.linux.personality.flags[0]: is not known: there are no personality flags yet"},
        {{.linux = R"(, "intelRdt": {"closID": "../x"})"},
         "$.linux.intelRdt.closID: '../x' is no name of a directory, nor /"},
        {{.linux = R"(, "intelRdt": {"memBwSchema": "L3:0=f"})"},
         "$.linux.intelRdt.memBwSchema: does not start with MB:"},
        {{.linux = R"(, "intelRdt": {"schemata": ["a\nb"]})"},
         "$.linux.intelRdt.schemata[0]: holds a line break"},
        {{.linux = R"(, "memoryPolicy": {})"}, "$.linux.memoryPolicy: mode is missing"},
        {{.linux = R"(, "memoryPolicy": {"mode": "MPOL_BIND"})"},
         "$.linux.memoryPolicy: MPOL_BIND needs nodes"},
        {{.linux = R"(, "memoryPolicy": {"mode": "MPOL_LOCAL", "nodes": "0"})"},
         "$.linux.memoryPolicy: MPOL_LOCAL takes no nodes"},
        {{.linux = R"(, "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "x"})"},
         "$.linux.memoryPolicy.nodes: 'x' is no list of NUMA nodes (0-1; at most 8191)"},
        {{.linux = R"(, "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_X"]})"},
         "$.linux.memoryPolicy.flags[0]: 'MPOL_F_X' is not known (MPOL_F_NUMA_BALANCING, "
         "MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES)"},
        {{.linux = R"(, "seccomp": {})"}, "$.linux.seccomp: defaultAction is missing"},
        {{.linux =
              R"(, "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_LOG"}]})"},
         "$.linux.seccomp.syscalls[0]: names no system call"},
        {{.linux = R"(, "seccomp": {"defaultAction": "SCMP_ACT_ALOW"})"},
         "$.linux.seccomp.defaultAction: 'SCMP_ACT_ALOW' is not known (did you mean 'SCMP_ACT_ALLOW'?)"},
    };
    expect_wrong(table);
}

}  // namespace
}  // namespace croft::dialect
