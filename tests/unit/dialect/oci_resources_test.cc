// config.json: linux.resources, and what cgroup v1's numbers are in cgroup2.
#include "oci_sample.h"

namespace croft::dialect {
namespace {
using namespace samples;
using Pairs = std::vector<std::pair<std::string, std::string>>;

spec::Resources resources(const std::string& text) {
    auto out = parse_oci_resources(text);
    EXPECT_TRUE(out) << out.error().text;
    if (out) EXPECT_EQ(join(out->warnings, "; "), "");
    return out ? out->spec.resources : spec::Resources();
}
std::string why_not_alone(const std::string& text) {
    auto out = parse_oci_resources(text);
    return out ? "taken" : out.error().text;
}

TEST(OciResources, Memory) {
    spec::Resources r = resources(
        R"({"memory": {"limit": 1000, "reservation": 500, "swap": 1500, "checkBeforeUpdate": true}})");
    EXPECT_EQ(r.memory_max, 1000u);
    EXPECT_EQ(r.memory_low, 500u);
    EXPECT_EQ(r.swap_max, 500u);
    EXPECT_TRUE(r.memory_check_before_update);
    r = resources(R"({"memory": {"limit": 1000, "swap": 1000}})");
    EXPECT_EQ(r.swap_max, 0u);
    r = resources(R"({"memory": {"limit": 1000, "swap": -1, "reservation": -1}})");
    EXPECT_EQ(r.swap_max, UINT64_MAX);
    EXPECT_EQ(r.memory_low, UINT64_MAX);
    r = resources(R"({"memory": {"limit": -1}})");
    EXPECT_EQ(r.memory_max, UINT64_MAX);
    EXPECT_EQ(r.swap_max, UINT64_MAX);
    r = resources(R"({"memory": {"swap": -1}})");
    EXPECT_EQ(r.swap_max, UINT64_MAX);
    // What engines write when they mean nothing.
    r = resources(
        R"({"memory": {"limit": 0, "swap": 0, "reservation": 0, "kernel": 0, "kernelTCP": -1, "swappiness": null,
        "disableOOMKiller": false, "useHierarchy": true}})");
    EXPECT_FALSE(r.memory_max || r.memory_low || r.swap_max);
}

TEST(OciResources, CpuWeights) {
    auto weight = [](uint64_t shares) {
        return resources(cat(R"({"cpu": {"shares": )", shares, "}}")).cpu_weight.value_or(0);
    };
    EXPECT_EQ(weight(0), 0u);
    EXPECT_EQ(weight(1), 1u);
    EXPECT_EQ(weight(2), 1u);
    EXPECT_EQ(weight(1024), 100u);
    EXPECT_EQ(weight(262144), 10000u);
    EXPECT_EQ(weight(UINT64_MAX), 10000u);
    uint64_t last = 0;
    for (uint64_t shares = 2; shares <= 262144; shares = shares * 3 / 2 + 1) {
        EXPECT_GE(weight(shares), last) << shares;
        last = weight(shares);
    }
}

TEST(OciResources, Cpu) {
    spec::Resources r = resources(
        R"({"cpu": {"quota": 50000, "period": 100000, "burst": 10000, "cpus": "0-1,3", "mems": "0", "idle": 1}})");
    EXPECT_EQ(r.cpu_quota, 500000u);
    EXPECT_EQ(r.cpu_period, 100000u);
    EXPECT_EQ(r.cpu_burst, 10000u);
    EXPECT_EQ(r.cpuset_cpus, "0-1,3");
    EXPECT_EQ(r.cpuset_mems, "0");
    EXPECT_TRUE(r.cpu_idle);
    EXPECT_EQ(resources(R"({"cpu": {"quota": -1}})").cpu_quota, UINT64_MAX);
    r = resources(
        R"({"cpu": {"quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0, "cpus": "", "mems": ""}})");
    EXPECT_FALSE(r.cpu_quota || r.cpu_period || r.cpu_burst || r.cpu_idle);
    // The planner takes it times the period again: nothing may be lost on the way.
    for (uint64_t quota : {1000u, 1001u, 33333u, 99999u, 123457u, 4000003u})
        for (uint64_t period : {1000u, 7777u, 70000u, 100000u, 333333u, 1000000u}) {
            uint64_t per_second =
                *resources(cat(R"({"cpu": {"quota": )", quota, R"(, "period": )", period, "}}")).cpu_quota;
            EXPECT_EQ(per_second * period / 1'000'000, quota) << period;
        }
}

TEST(OciResources, TheRest) {
    spec::Resources r =
        resources(R"({"pids": {"limit": 0}, "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304},
        {"pageSize": "64KB", "limit": 18446744073709551615}],
        "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}, "rxe3": {"hcaObjects": 0}},
        "network": {"classID": 0, "priorities": []},
        "unified": {"memory.high": "1000", "io.max": "8:0 rbps=1\n8:16 wbps=2", "new.thing": "x", "a.b": "", "c.d": "1\n"}})");
    EXPECT_EQ(r.tasks_max, 0u);
    EXPECT_EQ(r.hugetlb,
              (std::vector<std::pair<std::string, uint64_t>>{{"2MB", 4194304}, {"64KB", UINT64_MAX}}));
    EXPECT_EQ(r.rdma, (Pairs{{"mlx5_1", "hca_handle=3 hca_object=10000"}, {"rxe3", "hca_object=0"}}));
    EXPECT_EQ(r.unified, (Pairs{{"memory.high", "1000"},
                                {"io.max", "8:0 rbps=1"},
                                {"io.max", "8:16 wbps=2"},
                                {"new.thing", "x"},
                                {"a.b", ""},
                                {"c.d", "1"}}));
    EXPECT_EQ(resources(R"({"pids": {"limit": -1}})").tasks_max, UINT64_MAX);
    EXPECT_FALSE(resources(R"({"pids": {}})").tasks_max);
}

TEST(OciResources, BlockIo) {
    spec::Resources r =
        resources(R"({"blockIO": {"weight": 500, "weightDevice": [{"major": 8, "minor": 0, "weight": 10},
        {"major": 8, "minor": 16, "weight": 1000}], "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}],
        "throttleWriteBpsDevice": [{"major": 8, "minor": 0, "rate": 0}],
        "throttleReadIOPSDevice": [{"major": 8, "minor": 1, "rate": 5}],
        "throttleWriteIOPSDevice": [{"major": 8, "minor": 1, "rate": 6}]}})");
    EXPECT_EQ(r.io_weight, 4950u);
    EXPECT_EQ(r.unified, (Pairs{{"io.weight", "8:0 1"},
                                {"io.weight", "8:16 10000"},
                                {"io.max", "8:0 rbps=600"},
                                {"io.max", "8:0 wbps=max"},
                                {"io.max", "8:1 riops=5"},
                                {"io.max", "8:1 wiops=6"}}));
    EXPECT_FALSE(resources(R"({"blockIO": {"weight": 0, "leafWeight": 0}})").io_weight);
}

TEST(OciResources, DeviceRules) {
    auto rules = resources(R"({"devices": [{"allow": false, "access": "rwm"},
        {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"},
        {"allow": true, "type": "b", "major": -1, "minor": -1}, {"allow": true, "type": "a"}]})")
                     .device_rules;
    ASSERT_EQ(rules.size(), 4u);
    EXPECT_FALSE(rules[0].allow);
    EXPECT_EQ(rules[0].type, 'a');
    EXPECT_FALSE(rules[0].major || rules[0].minor);
    EXPECT_EQ(rules[0].access, "rwm");
    EXPECT_TRUE(rules[1].allow);
    EXPECT_EQ(rules[1].type, 'c');
    EXPECT_EQ(rules[1].major, 10);
    EXPECT_EQ(rules[1].minor, 229);
    EXPECT_EQ(rules[1].access, "rw");
    EXPECT_FALSE(rules[2].major || rules[2].minor);
    EXPECT_EQ(rules[3].access, "rwm");
}

TEST(OciResources, WhatIsOfOldKernels) {
    auto out = parse_oci_resources(R"({"memory": {"kernel": 1000, "useHierarchy": false}})");
    ASSERT_TRUE(out) << out.error().text;
    EXPECT_EQ(join(out->warnings, "; "),
              "$.memory.kernel: is ignored: kernels have no limit of kernel memory any more, it counts for "
              "the limit of "
              "all; $.memory.useHierarchy: is ignored: cgroup2 always accounts hierarchically");
}

TEST(OciResources, WrongOnesSayWhere) {
    const std::pair<const char*, const char*> table[] = {
        {"[]", "$: is array, not an object"},
        {R"({"memory": {"limit": -2}})", "$.memory.limit: is no whole number from -1 to 9223372036854775807"},
        {R"({"memory": {"limit": "1G"}})",
         "$.memory.limit: is no whole number from -1 to 9223372036854775807"},
        {R"({"memory": {"swap": 1000}})",
         "$.memory.swap: is of memory and swap together, so it needs a limit of memory too"},
        {R"({"memory": {"limit": -1, "swap": 1000}})",
         "$.memory.swap: is of memory and swap together, so it needs a limit of memory too"},
        {R"({"memory": {"limit": 1000, "swap": 500}})",
         "$.memory.swap: is of memory and swap together, and below the memory's limit"},
        {R"({"memory": {"kernelTCP": 1}})",
         "$.memory.kernelTCP: cannot be limited by cgroup2: socket buffers count for the limit of all "
         "memory"},
        {R"({"memory": {"swappiness": 60}})",
         "$.memory.swappiness: cannot be set in cgroup2, where it is the host's (vm.swappiness)"},
        {R"({"memory": {"swappiness": 101}})", "$.memory.swappiness: is no whole number from 0 to 100"},
        {R"({"memory": {"disableOOMKiller": true}})",
         "$.memory.disableOOMKiller: cgroup2 has no groups without an OOM killer (use oomScoreAdj)"},
        {R"({"cpu": {"shares": -1}})", "$.cpu.shares: is no whole number from 0 to 18446744073709551615"},
        {R"({"cpu": {"quota": -2}})", "$.cpu.quota: is no whole number from -1 to 9223372036854"},
        {R"({"cpu": {"period": 999}})", "$.cpu.period: is below 1000 (a millisecond)"},
        {R"({"cpu": {"period": 1000001}})", "$.cpu.period: is no whole number from 0 to 1000000"},
        {R"({"cpu": {"quota": 5000, "burst": 5001}})", "$.cpu.burst: is above the quota"},
        {R"({"cpu": {"realtimeRuntime": 1}})", "$.cpu.realtimeRuntime: cannot be limited by cgroup2"},
        {R"({"cpu": {"realtimePeriod": 1}})", "$.cpu.realtimePeriod: cannot be limited by cgroup2"},
        {R"({"cpu": {"cpus": "x"}})", "$.cpu.cpus: 'x' is no list of CPU numbers (0-3,6; at most 8191)"},
        {R"({"cpu": {"idle": 2}})", "$.cpu.idle: is no whole number from 0 to 1"},
        {R"({"pids": {"limit": -2}})", "$.pids.limit: is no whole number from -1 to 9223372036854775807"},
        {R"({"hugepageLimits": [{"limit": 1}]})", "$.hugepageLimits[0]: pageSize is missing"},
        {R"({"hugepageLimits": [{"pageSize": "2M", "limit": 1}]})",
         "$.hugepageLimits[0].pageSize: '2M' is no size of pages (64KB, 2MB, 1GB)"},
        {R"({"hugepageLimits": [{"pageSize": "../2MB", "limit": 1}]})",
         "$.hugepageLimits[0].pageSize: '../2MB' is no size of pages (64KB, 2MB, 1GB)"},
        {R"({"hugepageLimits": [{"pageSize": "MB", "limit": 1}]})",
         "$.hugepageLimits[0].pageSize: 'MB' is no size of pages (64KB, 2MB, 1GB)"},
        {R"({"rdma": {"a": {}}})", "$.rdma.a: has neither hcaHandles nor hcaObjects"},
        {R"({"rdma": {"a b": {"hcaObjects": 1}}})", "$.rdma[\"a b\"]: is no name of a device"},
        {R"({"network": {"classID": 1}})",
         "$.network.classID: cannot be set in cgroup2 (mark packets by the group's path with nftables "
         "instead)"},
        {R"({"network": {"priorities": [{"name": "eth0", "priority": 1}]}})",
         "$.network.priorities: cannot be set in cgroup2"},
        {R"({"unified": {"../x.y": "1"}})", "$.unified[\"../x.y\"]: is no file of a group (CONTROLLER.NAME)"},
        {R"({"unified": {"memory": "1"}})", "$.unified.memory: is no file of a group (CONTROLLER.NAME)"},
        {R"({"unified": {"memory.max": 1}})", "$.unified[\"memory.max\"]: is number, not a string"},
        {R"({"unified": {"cgroup.procs": "1"}})",
         "$.unified[\"cgroup.procs\"]: is the runtime's own to write"},
        {R"({"blockIO": {"weight": 9}})", "$.blockIO.weight: is no weight from 10 to 1000"},
        {R"({"blockIO": {"weight": 1001}})", "$.blockIO.weight: is no whole number from 0 to 1000"},
        {R"({"blockIO": {"leafWeight": 100}})",
         "$.blockIO.leafWeight: cannot be set in cgroup2, where only leaves have processes"},
        {R"({"blockIO": {"weightDevice": [{"major": 8}]}})", "$.blockIO.weightDevice[0]: minor is missing"},
        {R"({"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0}]}})",
         "$.blockIO.throttleReadBpsDevice[0]: rate is missing"},
        {R"({"devices": [{"type": "c"}]})", "$.devices[0]: allow is missing"},
        {R"({"devices": [{"allow": true, "type": "p"}]})", "$.devices[0].type: 'p' is not known (a, c, b)"},
        {R"({"devices": [{"allow": true, "access": "rx"}]})",
         "$.devices[0].access: 'rx' is not made of r, w and m"},
        {R"({"devices": [{"allow": true, "major": -2}]})",
         "$.devices[0].major: is no whole number from -1 to 4095"},
    };
    for (const auto& [text, sentence] : table) EXPECT_EQ(why_not_alone(text), sentence) << text;
    EXPECT_EQ(why_not(Add{.linux = R"(, "resources": {"memory": {"limit": true}})"}),
              "$.linux.resources.memory.limit: is no whole number from -1 to 9223372036854775807");
}

}  // namespace
}  // namespace croft::dialect
