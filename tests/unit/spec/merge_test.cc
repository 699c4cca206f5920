// Patches become a spec: order, lists, resets, origins, and what an untrusted file may not do.
#include <gtest/gtest.h>

#include "spec/fields.h"
#include "spec/spec_patch.h"

namespace croft::spec {
namespace {

class Merge : public testing::Test {
  protected:
    void add(const char* field, const char* value, bool trusted = true) {
        patch.add(*field_by_name(field), value, {std::string("web.nspawn:1: ") + field, trusted});
    }
    void reset(const char* field, bool trusted = true) {
        patch.reset(*field_by_name(field), {std::string("web.nspawn:1: ") + field, trusted});
    }
    Result<> go() { return apply(patch, spec, warnings); }
    std::string get(const char* field) { return value_text(*field_by_name(field), spec); }

    SpecPatch patch;
    MachineSpec spec;
    std::vector<Warning> warnings;
};

TEST_F(Merge, TheLastScalarWins) {
    add("memory", "1G");
    add("memory", "512M");
    ASSERT_TRUE(go());
    EXPECT_EQ(get("memory"), "512M");
    EXPECT_EQ(spec.resources.memory_max, 512u << 20);
    EXPECT_EQ(spec.resources.unit_properties.size(), 1u);
}

TEST_F(Merge, ListsAddUp) {
    add("bind", "/b");
    add("bind", "/a");
    add("bind-ro", "/c");
    ASSERT_TRUE(go());
    EXPECT_EQ(get("bind"), "/a, /b");
    EXPECT_EQ(get("bind-ro"), "/c");
}

TEST_F(Merge, AnEmptyAssignmentResetsWhatCameBefore) {
    add("bind", "/a");
    reset("bind");
    add("bind", "/b");
    ASSERT_TRUE(go());
    EXPECT_EQ(get("bind"), "/b");
}

TEST_F(Merge, AWrongValueNamesItsOrigin) {
    patch.add(*field_by_name("memory"), "12X", {"--memory"});
    auto result = go();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().text, "--memory: '12X' is no size (512M, 2G, infinity, …)");
    EXPECT_EQ(result.error().code, Errc::invalid);
}

TEST_F(Merge, TheSamePlaceIsMountedOnce) {
    add("bind", "/a:/srv");
    add("tmpfs", "/srv");
    ASSERT_TRUE(go());
    EXPECT_EQ(get("bind"), "");
    EXPECT_EQ(get("tmpfs"), "/srv");
}

TEST_F(Merge, MountsAreSortedSoThatNoneHidesAnother) {
    add("bind", "/x:/srv/a/b");
    add("tmpfs", "/srv-more");
    add("bind", "/y:/srv/a");
    add("tmpfs", "/srv");
    ASSERT_TRUE(go());
    std::vector<std::string> order;
    for (const Mount& mount : spec.mounts) order.push_back(mount.target);
    EXPECT_EQ(order, (std::vector<std::string>{"/srv", "/srv/a", "/srv/a/b", "/srv-more"}));
}

TEST_F(Merge, ACapabilityIsEitherAddedOrDropped) {
    add("cap-add", "NET_ADMIN,SYS_TIME");
    add("cap-drop", "SYS_TIME");
    add("cap-drop", "CHOWN");
    add("cap-add", "CHOWN");
    ASSERT_TRUE(go());
    EXPECT_EQ(get("cap-add"), "CAP_NET_ADMIN, CAP_CHOWN");
    EXPECT_EQ(get("cap-drop"), "CAP_SYS_TIME");
}

TEST_F(Merge, ADeniedSystemCallStaysDenied) {
    add("syscall-filter", "mount bpf");
    add("syscall-filter", "~mount");
    add("syscall-filter", "mount");
    ASSERT_TRUE(go());
    EXPECT_EQ(spec.security.syscalls_allow, std::vector<std::string>{"bpf"});
    EXPECT_EQ(spec.security.syscalls_deny, std::vector<std::string>{"mount"});
}

TEST_F(Merge, AddressFamiliesOfOneKindAddUp) {
    add("restrict-address-families", "UNIX");
    add("restrict-address-families", "INET");
    ASSERT_TRUE(go());
    EXPECT_EQ(get("restrict-address-families"), "AF_UNIX AF_INET");
    patch = {};
    add("restrict-address-families", "~NETLINK");
    ASSERT_TRUE(go());
    EXPECT_EQ(get("restrict-address-families"), "~AF_NETLINK");
    patch = {};
    add("restrict-address-families", "none");
    ASSERT_TRUE(go());
    EXPECT_EQ(get("restrict-address-families"), "none");
}

TEST_F(Merge, PropertiesReachTheirOwnRows) {
    add("property", "MemoryMax=1G");
    add("property", "CPUQuota=50%");
    add("property", "IOReadBandwidthMax=/dev/sda 1M");
    add("property", "IOReadBandwidthMax=/dev/sdb 1M");
    add("property", "DevicePolicy=closed");
    add("property", "DevicePolicy=strict");
    ASSERT_TRUE(go());
    EXPECT_EQ(spec.resources.memory_max, 1u << 30);
    EXPECT_EQ(spec.resources.cpu_quota, 500000u);
    EXPECT_EQ(get("property"),
              "IOReadBandwidthMax=/dev/sda 1M, IOReadBandwidthMax=/dev/sdb 1M, DevicePolicy=strict");
    EXPECT_EQ(get("cpus"), "0.5");
    patch = {};
    add("property", "MemoryMax=");
    ASSERT_TRUE(go());
    EXPECT_FALSE(spec.resources.memory_max);
    EXPECT_EQ(get("memory"), "");
}

TEST_F(Merge, UnitSettingsKeepTheirOrderAndTheirResets) {
    add("unit", "After=a.target");
    add("service", "Restart=always");
    add("unit", "After=");
    add("unit", "After=b.target");
    ASSERT_TRUE(go());
    using Pair = std::pair<std::string, std::string>;
    EXPECT_EQ(spec.unit_settings, (std::vector<Pair>{{"Unit.After", "a.target"},
                                                     {"Service.Restart", "always"},
                                                     {"Unit.After", ""},
                                                     {"Unit.After", "b.target"}}));
}

TEST_F(Merge, WhatCameWithTheTreeMayNotReachOut) {
    add("bind", "/etc:/etc", false);
    ASSERT_TRUE(go());
    EXPECT_TRUE(spec.mounts.empty());
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(
        warnings[0].text,
        "web.nspawn:1: bind: ignored, because this file came with the tree and is not trusted; copy it to "
        "/etc/systemd/nspawn to honour it");
}

TEST_F(Merge, WhatCameWithTheTreeMayNotUndoEither) {
    add("cap-drop", "all");
    add("syscall-filter", "~bpf");
    reset("syscall-filter", false);
    add("memory", "1G");
    reset("memory", false);
    ASSERT_TRUE(go());
    EXPECT_EQ(get("syscall-filter"), "~bpf");
    EXPECT_EQ(get("memory"), "1G");
    EXPECT_EQ(warnings.size(), 2u);
}

TEST_F(Merge, AnUntrustedDenyListIsHonoured) {
    add("syscall-filter", "~bpf", false);
    add("syscall-filter", "bpf", false);
    ASSERT_TRUE(go());
    EXPECT_EQ(get("syscall-filter"), "~bpf");
    EXPECT_EQ(warnings.size(), 1u);
}

TEST_F(Merge, NoUntrustedRowIsHostOnlyByOversight) {
    // Whatever is new and not nspawn's own is the administrator's.
    for (const Field& field : fields())
        if (field.key_of == KeyOf::croft) EXPECT_EQ(field.trust, Trust::host_only) << field.name;
}

}  // namespace
}  // namespace croft::spec
