// Single decisions, each with its reason in the planner. Whole plans are in golden_test.cc.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>

#include "base/text.h"
#include "samples.h"

namespace croft::plan {
namespace {

using launch::Attach;
using launch::Mask;
using launch::OpenTree;
using samples::planned;
using samples::steps_of;
using UserMode = spec::UserNamespace::Mode;

bool has_env(const launch::LaunchPlan& plan, std::string_view entry) {
    return std::ranges::find(plan.process.env, entry) != plan.process.env.end();
}
bool warned(const Plans& plans, std::string_view words) {
    return std::ranges::any_of(plans.warnings, [&](const auto& w) { return w.find(words) != w.npos; });
}

TEST(Plan, IsPure) {
    auto a = planned(samples::boot(), samples::boot_host()),
         b = planned(samples::boot(), samples::boot_host());
    EXPECT_EQ(launch::to_json(a.launch), launch::to_json(b.launch));
}

TEST(Plan, TheTreeIsMappedNeverChanged) {
    auto plans = planned(samples::app(), samples::host());
    auto trees = steps_of<OpenTree>(plans.launch.host);
    ASSERT_FALSE(trees.empty());
    EXPECT_EQ(trees[0].path, "/srv/web");
    EXPECT_NE(trees[0].idmap, launch::no_slot);
    EXPECT_FALSE(trees[0].recursive);
    EXPECT_EQ(plans.launch.uid_maps, (std::vector<launch::IdMap>{{0, 1048576, 65536}}));
    EXPECT_TRUE(plans.launch.new_namespaces & CLONE_NEWUSER);
}

TEST(Plan, AShiftedTreeIsTakenAsItIs) {
    auto facts = samples::host();
    facts.tree.owner_uid = facts.tree.owner_gid = 1048576;
    facts.tree.idmap_supported = false;
    auto plans = planned(samples::app(), facts);
    EXPECT_EQ(steps_of<OpenTree>(plans.launch.host)[0].idmap, launch::no_slot);
}

// The payload's mount namespace is a copy of the launcher's only with a user namespace; then all of it is
// locked.
TEST(Plan, WithoutPrivateUsersTheStageIsEmptied) {
    auto spec = samples::app();
    auto with = planned(spec, samples::host());
    EXPECT_TRUE(steps_of<launch::DropStageApi>(with.launch.stage).empty());
    spec.users.mode = UserMode::no;
    auto without = planned(spec, samples::host());
    EXPECT_EQ(steps_of<launch::DropStageApi>(without.launch.stage).size(), 1u);
    EXPECT_FALSE(without.launch.new_namespaces & (CLONE_NEWNS | CLONE_NEWUSER));
    EXPECT_TRUE(warned(without, "root of the host"));
}

TEST(Plan, UsersMountsAreInTheStageAndInOrder) {
    auto spec = samples::app();
    auto facts = samples::host();
    facts.path_is_directory = {{"/a", true}, {"/b", false}};
    for (auto [source, target] : {std::pair{"/a", "/mnt"}, {"/b", "/mnt/b"}}) {
        spec::Mount mount;
        mount.source = source, mount.target = target;
        spec.mounts.push_back(mount);
    }
    auto plans = planned(spec, facts);
    auto attached = steps_of<Attach>(plans.launch.stage);
    ASSERT_GE(attached.size(), 2u);
    EXPECT_EQ(attached[attached.size() - 2].target, "/mnt");
    EXPECT_EQ(attached.back().target, "/mnt/b");
    EXPECT_EQ(attached.back().uid, 1048576u);
    for (const Attach& inside : steps_of<Attach>(plans.launch.inside))
        EXPECT_TRUE(inside.no_symlinks) << inside.target;
}

TEST(Plan, SysIsNeverWritable) {
    for (bool users : {true, false})
        for (auto mode : {spec::Network::Mode::none, spec::Network::Mode::host})
            for (bool boot : {true, false}) {
                auto spec = boot ? samples::boot() : samples::app();
                spec.users.mode = users ? UserMode::automatic : UserMode::no;
                spec.network.mode = mode;
                auto plans = planned(spec, boot ? samples::boot_host() : samples::host());
                int found = 0;
                for (const auto& fs : steps_of<launch::MakeFs>(plans.launch.inside))
                    if (fs.type == "sysfs") {
                        ++found;
                        EXPECT_TRUE(fs.attr & MOUNT_ATTR_RDONLY);
                    }
                for (const auto& tree : steps_of<OpenTree>(plans.launch.host))
                    if (tree.path == "/sys") {
                        ++found;
                        EXPECT_TRUE(tree.attr.set & MOUNT_ATTR_RDONLY);
                    }
                EXPECT_EQ(found, 1);
            }
}

TEST(Plan, BootFulfilsTheContainerInterface) {
    auto plans = planned(samples::boot(), samples::boot_host());
    const launch::LaunchPlan& plan = plans.launch;
    EXPECT_EQ(plan.process.argv, (std::vector<std::string>{"/usr/lib/systemd/systemd"}));
    for (const char* entry :
         {"container=croft", "container_uuid=01234567-89ab-cdef-0123-456789abcdef",
          "container_host_id=debian", "NOTIFY_SOCKET=/run/host/notify", "TERM=dumb", "HOME=/root"})
        EXPECT_TRUE(has_env(plan, entry)) << entry;
    EXPECT_TRUE(plan.wait_ready);
    EXPECT_NE(plan.notify, launch::no_slot);
    EXPECT_EQ(plan.stop_signal, 37u);  // SIGRTMIN+3
    EXPECT_EQ(plan.cgroup.payload, "payload");
    EXPECT_TRUE(plan.cgroup.delegate);
    EXPECT_EQ(plan.cgroup.owner_uid, 1048576u);
    EXPECT_TRUE(plan.process.terminal);
    EXPECT_EQ(plan.process.cap_bounding, 0xfdecbfffu);  // nspawn's set with a private network
    auto shared = steps_of<launch::SetAttr>(plan.inside);
    ASSERT_EQ(shared.size(), 1u);
    EXPECT_EQ(shared[0].attr.propagation, uint64_t{MS_SHARED});
}

TEST(Plan, EachInitHasItsStopSignal) {
    auto signal_of = [](spec::InitKind kind) {
        auto facts = samples::boot_host();
        facts.tree.init_kind = kind, facts.tree.systemd_init = kind == spec::InitKind::systemd;
        return planned(samples::boot(), facts).launch.stop_signal;
    };
    EXPECT_EQ(signal_of(spec::InitKind::systemd), 37u);
    EXPECT_EQ(signal_of(spec::InitKind::busybox), 12u);
    EXPECT_EQ(signal_of(spec::InitKind::sysvinit), 30u);
    EXPECT_EQ(signal_of(spec::InitKind::openrc), 15u);
    EXPECT_EQ(planned(samples::app(), samples::host()).launch.stop_signal, 15u);
}

TEST(Plan, AppsDoNotGetWhatOnlyAnInitNeeds) {
    auto plans = planned(samples::app(), samples::host());
    for (const Attach& attach : steps_of<Attach>(plans.launch.stage))
        EXPECT_TRUE(attach.target.starts_with("/dev")) << attach.target;
    EXPECT_EQ(plans.launch.notify, launch::no_slot);
    EXPECT_FALSE(plans.launch.process.terminal);
    EXPECT_EQ(plans.launch.cgroup.payload, "");
    EXPECT_EQ(plans.launch.process.cap_bounding, 0xa80425fbu);
    EXPECT_TRUE(has_env(plans.launch, "LANG=C.UTF-8"));
    EXPECT_FALSE(
        std::ranges::any_of(plans.launch.process.env, [](const auto& e) { return e.starts_with("TERM="); }));
}

TEST(Plan, AUserHoldsNothingButAmbient) {
    auto spec = samples::app();
    auto facts = samples::host();
    facts.tree.uid = facts.tree.gid = 1000;
    auto plans = planned(spec, facts);
    EXPECT_EQ(plans.launch.process.cap_effective, 0u);
    EXPECT_EQ(plans.launch.process.cap_bounding, 0xa80425fbu);
    EXPECT_TRUE(plans.launch.process.no_new_privileges);
    spec.security.cap_ambient = {"CAP_NET_RAW"};
    spec.security.no_new_privileges = false;
    plans = planned(spec, facts);
    EXPECT_EQ(plans.launch.process.cap_effective, 1u << 13);
    EXPECT_EQ(plans.launch.process.cap_inheritable, 1u << 13);
    EXPECT_FALSE(plans.launch.process.no_new_privileges);
}

TEST(Plan, CapabilitiesAllAndExceptions) {
    auto spec = samples::app();
    spec.security.cap_drop = {"all"}, spec.security.cap_add = {"CAP_CHOWN"};
    EXPECT_EQ(planned(spec, samples::host()).launch.process.cap_bounding, 1u);
    spec.security.cap_add = {"all"}, spec.security.cap_drop = {"CAP_CHOWN"};
    EXPECT_EQ(planned(spec, samples::host()).launch.process.cap_bounding, 0x1fffffffffeu);
}

// CAP_SYS_TIME of the host cannot be given by who lacks it; inside a new user namespace everybody has it.
TEST(Plan, CapabilitiesThatCroftLacks) {
    auto spec = samples::app();
    auto facts = samples::host();
    facts.capability_bounding = 0x1;
    spec.security.cap_add = {"CAP_SYS_TIME"};
    EXPECT_TRUE(planned(spec, facts).warnings.empty());
    spec.users.mode = UserMode::no;
    auto plans = planned(spec, facts);
    EXPECT_TRUE(warned(plans, "CAP_SYS_TIME"));
    EXPECT_EQ(plans.launch.process.cap_bounding, 0x1u);
}

TEST(Plan, WithoutADevicePolicyThereIsNoMknod) {
    auto spec = samples::app();
    auto facts = samples::host();
    spec.users.mode = UserMode::no;
    EXPECT_TRUE(planned(spec, facts).launch.process.cap_bounding >> 27 & 1);
    facts.has_device_bpf = false;
    auto plans = planned(spec, facts);
    EXPECT_FALSE(plans.launch.process.cap_bounding >> 27 & 1);
    EXPECT_FALSE(plans.launch.cgroup.device_policy);
    EXPECT_TRUE(steps_of<OpenTree>(plans.launch.host)[0].attr.set & MOUNT_ATTR_NODEV);
}

TEST(Plan, TheDevicePolicyAllowsNoDisk) {
    auto plans = planned(samples::boot(), samples::boot_host());
    EXPECT_TRUE(plans.launch.cgroup.device_policy);
    for (const launch::DeviceAccess& rule : plans.launch.cgroup.devices) {
        EXPECT_EQ(rule.type, 'c');
        EXPECT_GE(rule.major, 0);
        bool standard = rule.major == 1 || rule.major == 5;
        EXPECT_TRUE(standard || rule.access == "rw") << rule.major;
    }
}

TEST(Plan, ADefaultLimitIsLeftOutWhereItCannotBe) {
    auto facts = samples::boot_host();
    facts.cgroup_controllers.clear();
    auto plans = planned(samples::boot(), facts);
    EXPECT_TRUE(plans.launch.cgroup.settings.empty());
    EXPECT_TRUE(plans.launch.cgroup.controllers.empty());
    auto with = planned(samples::boot(), samples::boot_host());
    ASSERT_EQ(with.launch.cgroup.settings.size(), 1u);
    EXPECT_EQ(with.launch.cgroup.settings[0].file, "pids.max");
}

TEST(Plan, WhatOnlySystemdCanDoIsSaid) {
    auto spec = samples::app();
    spec.resources.unit_properties = {{"MemoryMax", "50%"}, {"IPAddressDeny", "any"}, {"CPUQuota", "20%"}};
    auto plans = planned(spec, samples::host());
    ASSERT_EQ(plans.warnings.size(), 1u);
    EXPECT_EQ(plans.warnings[0],
              "MemoryMax=, IPAddressDeny= takes effect only where the machine is a unit of systemd");
}

TEST(Plan, AJournalThatCannotBeLinkedIsSaid) {
    auto spec = samples::app();
    EXPECT_FALSE(warned(planned(spec, samples::host()), "LinkJournal="));
    for (const char* mode : {"auto", "try-host", "try-guest"}) {
        spec.integration.link_journal = mode;
        EXPECT_TRUE(warned(planned(spec, samples::host()), cat("LinkJournal=", mode))) << mode;
    }
}

TEST(Plan, ShellsAndTerminals) {
    auto spec = samples::app();
    auto facts = samples::host();
    spec.process.command.clear();
    EXPECT_EQ(planned(spec, facts).launch.process.argv, (std::vector<std::string>{"/bin/bash"}));
    EXPECT_FALSE(planned(spec, facts).launch.process.terminal);
    facts.stdin_is_terminal = facts.stdout_is_terminal = true;
    auto plans = planned(spec, facts);
    EXPECT_TRUE(plans.launch.process.terminal);
    EXPECT_TRUE(has_env(plans.launch, "TERM=xterm-256color"));
    spec.process.user.name = "me", facts.tree.uid = 1000, facts.tree.home = "/home/me",
    facts.tree.user_shell = "/bin/sh";
    plans = planned(spec, facts);
    EXPECT_EQ(plans.launch.process.argv, (std::vector<std::string>{"/bin/sh"}));
    EXPECT_EQ(plans.launch.process.directory, "/home/me");
    spec.process.command = {"true"};
    EXPECT_FALSE(planned(spec, facts).launch.process.terminal);
    EXPECT_EQ(planned(spec, facts).launch.process.directory, "/");
}

TEST(Plan, ResolvConfByModeAndTree) {
    auto steps = [](const char* mode, bool read_only, bool host_network) {
        auto spec = samples::app();
        spec.integration.resolv_conf = mode;
        spec.root.read_only = read_only;
        if (host_network) spec.network.mode = spec::Network::Mode::host;
        auto plan = planned(spec, samples::host()).launch;
        std::string out;
        for (const auto& copy : steps_of<launch::CopyFile>(plan.stage)) out += cat("copy ", copy.from, ";");
        for (const auto& remove : steps_of<launch::Remove>(plan.stage))
            out += cat("remove ", remove.path, ";");
        for (const auto& tree : steps_of<OpenTree>(plan.host))
            if (tree.path.ends_with("resolv.conf")) out += cat("bind ", tree.path, ";");
        return out;
    };
    EXPECT_EQ(steps("auto", false, false), "");
    EXPECT_EQ(steps("auto", false, true), "copy /etc/resolv.conf;");
    EXPECT_EQ(steps("auto", true, true), "bind /etc/resolv.conf;");
    EXPECT_EQ(steps("off", false, true), "");
    EXPECT_EQ(steps("delete", false, false), "remove etc/resolv.conf;");
    EXPECT_EQ(steps("replace-static", false, false),
              "copy /usr/lib/systemd/resolv.conf;remove etc/resolv.conf;");
    EXPECT_EQ(steps("copy-stub", false, false), "copy /run/systemd/resolve/stub-resolv.conf;");
    EXPECT_EQ(steps("copy-stub", true, false), "");
    EXPECT_EQ(steps("bind-uplink", true, false), "bind /run/systemd/resolve/resolv.conf;");
}

TEST(Plan, RlimitsOfPid1NeedThePowerToSetThem) {
    auto facts = samples::host();
    EXPECT_EQ(planned(samples::app(), facts).launch.process.rlimits.size(), 2u);
    facts.capability_bounding &= ~(uint64_t{1} << 24);
    EXPECT_TRUE(planned(samples::app(), facts).launch.process.rlimits.empty());
}

TEST(Plan, CleanupNamesWhatIsThrownAway) {
    auto spec = samples::app();
    EXPECT_TRUE(planned(spec, samples::host()).launch.cleanup.remove_trees.empty());
    spec.root.ephemeral = true;
    EXPECT_EQ(planned(spec, samples::host()).launch.cleanup.remove_trees,
              (std::vector<std::string>{"/var/lib/croft/scratch/web"}));
}

TEST(Plan, SlotsAreFilledBeforeTheyAreUsed) {
    auto spec = samples::boot();
    spec.root.ephemeral = true;
    spec.integration.credentials = {{"a", "b", ""}};
    auto plan = planned(spec, samples::boot_host()).launch;
    std::vector<bool> filled(plan.slots);
    auto fill = [&](launch::Slot slot) {
        ASSERT_LT(slot, plan.slots);
        filled[slot] = true;
    };
    auto use = [&](launch::Slot slot) {
        if (slot == launch::no_slot) return;
        ASSERT_LT(slot, plan.slots);
        EXPECT_TRUE(filled[slot]) << slot;
    };
    for (const auto* list : {&plan.host, &plan.stage, &plan.inside})
        for (const launch::Step& step : *list)
            std::visit(
                [&](const auto& s) {
                    using T = std::decay_t<decltype(s)>;
                    if constexpr (requires { s.base; }) use(s.base);
                    if constexpr (requires { s.idmap; }) use(s.idmap);
                    if constexpr (requires { s.instead; }) use(s.instead);
                    if constexpr (requires { s.lowers; }) {
                        for (launch::Slot lower : s.lowers) use(lower);
                        use(s.upper);
                    }
                    if constexpr (std::is_same_v<T, Attach> || std::is_same_v<T, launch::AttachRoot> ||
                                  std::is_same_v<T, launch::SetAttr>)
                        use(s.slot);
                    else if constexpr (requires { s.slot; })
                        fill(s.slot);
                },
                step);
}

// As a unit the machine has its limits from systemd, which knows these properties and would undo the files.
TEST(Plan, WhatSystemdLimitsIsNoFileOfAUnitsGroup) {
    auto spec = samples::app();
    auto facts = samples::host();
    facts.devices["/dev/sda"] = {'b', 8, 0, 0660, 0, 6};
    spec::Resources& r = spec.resources;
    r.memory_max = r.memory_high = r.memory_low = r.memory_min = r.swap_max = 1 << 20;
    r.cpu_quota = 1500000, r.cpu_weight = 50, r.cpu_idle = true, r.cpu_burst = 1000;
    r.cpuset_cpus = "0-3", r.cpuset_mems = "0";
    r.tasks_max = 10, r.io_weight = 200;
    r.io_max = {{"/dev/sda", "rbps=1048576"}};
    r.unified = {{"memory.oom.group", "1"}};
    auto files = [&] {
        std::vector<std::string> out;
        for (const auto& setting : planned(spec, facts).launch.cgroup.settings) out.push_back(setting.file);
        return out;
    };
    EXPECT_EQ(files().size(), 15u);
    facts.unit = "croft-web.service", facts.unit_notify = "/run/systemd/notify";
    EXPECT_EQ(files(), (std::vector<std::string>{"cpu.max.burst", "memory.oom.group"}));
}

TEST(Plan, WhichPropertiesCroftSetsItself) {
    for (const char* property : {"MemoryMax", "MemorySwapMax", "CPUQuotaPeriodSec", "CPUWeight", "AllowedCPUs", "TasksMax", "IOWeight"})
        EXPECT_TRUE(is_group_limit(property, "1")) << property;
    EXPECT_TRUE(is_group_limit("CPUQuota", "50%"));
    EXPECT_FALSE(is_group_limit("MemoryMax", "50%")) << "a share is of what systemd knows";
    for (const char* property : {"IOReadBandwidthMax", "IPAddressDeny", "Slice", "memory.max", ""})
        EXPECT_FALSE(is_group_limit(property, "1")) << property;
}

}  // namespace
}  // namespace croft::plan
