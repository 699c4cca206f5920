// Combinations that no single value can tell.
#include <gtest/gtest.h>

#include "spec/fields.h"

namespace croft::spec {
namespace {

using Values = std::vector<std::pair<const char*, const char*>>;

std::string why_not(const Values& values) {
    MachineSpec spec;
    spec.name = "web";
    spec.root.directory = "/srv/tree";
    for (const auto& [field, value] : values) {
        auto set = field_by_name(field)->set(spec, value);
        if (!set) return std::string(field) + ": " + set.error().text;
    }
    auto result = validate(spec);
    return result ? "" : result.error().text;
}

TEST(Validate, TakesWhatIsInOrder) {
    EXPECT_EQ(why_not({}), "");
    EXPECT_EQ(why_not({{"boot", "yes"}, {"private-users", "pick"}, {"network", "host"}}), "");
    EXPECT_EQ(why_not({{"directory", "/"}, {"ephemeral", "yes"}}), "");
    EXPECT_EQ(why_not({{"directory", "/"}, {"volatile", "yes"}}), "");
    EXPECT_EQ(why_not({{"sysctl", "net.ipv4.ip_forward=1"}, {"sysctl", "kernel.sem=1 2 3 4"}}), "");
    EXPECT_EQ(why_not({{"cpu-scheduling-policy", "rr"}, {"cpu-scheduling-priority", "1"}}), "");
}

TEST(Validate, RefusesByNameWhatIsNotThereYet) {
    const std::pair<const char*, const char*> later[] = {{"network-veth", "VirtualEthernet"},
                                                         {"network-veth-extra", "VirtualEthernetExtra"},
                                                         {"network-interface", "Interface"},
                                                         {"network-macvlan", "MACVLAN"},
                                                         {"network-ipvlan", "IPVLAN"},
                                                         {"network-bridge", "Bridge"},
                                                         {"network-zone", "Zone"},
                                                         {"port", "Port"}};
    for (const auto& [field, key] : later) {
        const char* value = std::string(field) == "network-veth" ? "yes"
                            : std::string(field) == "port"       ? "80"
                                                                 : "eth0";
        EXPECT_EQ(why_not({{field, value}}),
                  std::string(key) +
                      "= is not available yet: networks come later; use Private=yes (--network=none), or "
                      "Private=no (--network=host)");
    }
    EXPECT_EQ(why_not({{"bind-user", "alice"}}),
              "BindUser= is not available yet: use Bind= (--bind) with the home directory");
    EXPECT_EQ(why_not({{"private-users-ownership", "chown"}}),
              "PrivateUsersOwnership=chown (PrivateUsersChown=yes) is not available: croft never changes the "
              "owners of a tree; "
              "use map");
    EXPECT_EQ(why_not({{"private-users-chown", "yes"}}),
              "PrivateUsersOwnership=chown (PrivateUsersChown=yes) is not available: croft never changes the "
              "owners of a tree; "
              "use map");
}

TEST(Validate, RefusesTheRunningHost) {
    EXPECT_EQ(why_not({{"directory", "/"}}),
              "the tree '/' is the running host itself: use --ephemeral (a throwaway copy) or --volatile");
}

TEST(Validate, RefusesWhatExcludesEachOther) {
    const std::pair<Values, const char*> table[] = {
        {{{"boot", "yes"}, {"init", "yes"}},
         "Boot=yes and ProcessTwo=yes (--init) exclude each other: a booted machine has its own init"},
        {{{"boot", "yes"}, {"ambient-capability", "NET_ADMIN"}},
         "AmbientCapability= (--ambient-capability) is not for a booted machine: its init starts with all it "
         "may have"},
        {{{"pivot-root", "/a"}, {"volatile", "yes"}},
         "PivotRoot= (--pivot-root) and Volatile=yes (--volatile) exclude each other: the new root would be "
         "empty"},
        {{{"cpu-scheduling-policy", "fifo"}},
         "CPUSchedulingPolicy=fifo and rr need CPUSchedulingPriority= (1 to 99)"},
        {{{"cpu-scheduling-priority", "1"}},
         "CPUSchedulingPriority= is for CPUSchedulingPolicy=fifo or rr only"},
        {{{"syscall-filter", "~bpf"}, {"seccomp", "/p.json"}},
         "SystemCallFilter= (--syscall-filter) and SeccompProfile= (--seccomp) exclude each other: a profile "
         "is the whole "
         "filter"},
        {{{"restrict-address-families", "UNIX"}, {"seccomp", "off"}},
         "RestrictAddressFamilies= and SeccompProfile= (--seccomp) exclude each other: a profile is the "
         "whole filter"},
        {{{"suppress-sync", "yes"}, {"seccomp", "/p.json"}},
         "SuppressSync= and SeccompProfile= (--seccomp) exclude each other: a profile is the whole filter"},
        {{{"sysctl", "kernel.panic=1"}},
         "Sysctl= (--sysctl): 'kernel.panic' belongs to the whole host, not to a machine: set it on the "
         "host"},
        {{{"sysctl", "vm.swappiness=1"}},
         "Sysctl= (--sysctl): 'vm.swappiness' belongs to the whole host, not to a machine: set it on the "
         "host"},
        {{{"sysctl", "net.ipv4.ip_forward=1"}, {"network", "host"}},
         "Sysctl= (--sysctl): 'net.ipv4.ip_forward' would be the host's with --network=host: set it on the "
         "host"},
        {{{"sysctl", "fs.mqueue.msg_max=1"}, {"ipc", "host"}},
         "Sysctl= (--sysctl): 'fs.mqueue.msg_max' would be the host's with --ipc=host: set it on the host"},
        {{{"hostname", "web"}, {"uts", "host"}},
         "Hostname= (--hostname) and UTS=host (--uts=host) exclude each other: the host's name stays"},
    };
    for (const auto& [values, sentence] : table) EXPECT_EQ(why_not(values), sentence);
}

TEST(Validate, RefusesAWrongName) {
    MachineSpec spec;
    spec.name = "a_b";
    auto result = validate(spec);
    ASSERT_FALSE(result);
    EXPECT_EQ(
        result.error().text,
        "'a_b' is no machine name: '_' is not allowed (letters, digits, '-' and '.', at most 64 characters)");
}

}  // namespace
}  // namespace croft::spec
