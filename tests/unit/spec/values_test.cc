// Codecs and name tables, at their edges.
#include "spec/values.h"

#include <gtest/gtest.h>

#include "spec/mount_values.h"

namespace croft::spec {
namespace {

TEST(Values, SizesAreExact) {
    EXPECT_EQ(size_text(0), "0");
    EXPECT_EQ(size_text(1), "1");
    EXPECT_EQ(size_text(1024), "1K");
    EXPECT_EQ(size_text(1025), "1025");
    EXPECT_EQ(size_text(uint64_t{1536} << 20), "1536M");
    EXPECT_EQ(size_text(uint64_t{1} << 60), "1E");
    EXPECT_EQ(size_text(UINT64_MAX), "infinity");
    for (uint64_t bytes : {uint64_t{1}, uint64_t{4097}, uint64_t{3} << 40, UINT64_MAX - 1, UINT64_MAX})
        EXPECT_EQ(parse_size_value(size_text(bytes)).value(), bytes);
}

TEST(Values, DurationsAreExact) {
    EXPECT_EQ(duration_text(0), "0s");
    EXPECT_EQ(duration_text(1), "1us");
    EXPECT_EQ(duration_text(90'000'000), "1min 30s");
    EXPECT_EQ(duration_text(86'400'000'001), "1d 1us");
    for (uint64_t us : {uint64_t{0}, uint64_t{999}, uint64_t{61'001'001}, UINT64_MAX - 1, UINT64_MAX})
        EXPECT_EQ(parse_duration_value(duration_text(us)).value(), us);
}

TEST(Values, Decimals) {
    EXPECT_EQ(decimal_text(1'500'000), "1.5");
    EXPECT_EQ(decimal_text(10'000), "0.01");
    EXPECT_EQ(decimal_text(3'000'000), "3");
    EXPECT_EQ(parse_decimal("1.5"), 1'500'000u);
    EXPECT_EQ(parse_decimal("0.000001"), 1u);
    for (const char* wrong : {"", ".", "1.", ".5", "1.0000001", "-1", "1e3", "1.5x", "99999999999"})
        EXPECT_FALSE(parse_decimal(wrong)) << wrong;
}

TEST(Values, EscapesRoundTripEveryByte) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    EXPECT_EQ(unescape_c(escape_c(all)).value(), all);
    EXPECT_EQ(unescape_c("\\x41\\101\\n\\s\\\\").value(), "AA\n \\");
    for (const char* wrong : {"\\", "\\x4", "\\xzz", "\\8", "\\q", "\\400", "\\1"})
        EXPECT_FALSE(unescape_c(wrong)) << wrong;
}

TEST(Values, EscapedSplitsRoundTrip) {
    for (const char* path : {"/a", "/a:b", "/a\\b", "/:\\:", "/\\"}) {
        std::vector<std::string> parts = split_escaped(escape_colons(path), ':');
        ASSERT_EQ(parts.size(), 1u) << path;
        EXPECT_EQ(parts[0], path);
    }
    EXPECT_EQ(split_escaped("a::b", ':'), (std::vector<std::string>{"a", "", "b"}));
    EXPECT_EQ(split_escaped("a\\", ':'), std::vector<std::string>{"a\\"});
}

TEST(Values, PathsAreMadePlain) {
    EXPECT_EQ(parse_host_path("//a/./b//").value(), "/a/b");
    EXPECT_EQ(parse_host_path("/").value(), "/");
    EXPECT_EQ(parse_host_path("/a/../b").value(),
              "/a/../b");  // only the kernel knows what '..' is behind a symlink
    EXPECT_FALSE(parse_inside_path("/a/.."));
    EXPECT_FALSE(parse_host_path("/a\nb"));
    EXPECT_FALSE(parse_host_path(std::string(5000, '/')));
    EXPECT_TRUE(parse_inside_path("/..a/b.."));
}

TEST(Values, CpuLists) {
    EXPECT_EQ(parse_cpu_list("0").value(), "0");
    EXPECT_EQ(parse_cpu_list("3,1,2,0,8191").value(), "0-3,8191");
    EXPECT_EQ(parse_cpu_list("0-8191").value(), "0-8191");
    for (const char* wrong : {"", ",", "-1", "1-", "0-8192", "a", "1-2-3", "18446744073709551615"})
        EXPECT_FALSE(parse_cpu_list(wrong)) << wrong;
}

TEST(Names, CapabilitiesHaveTheirNumbers) {
    EXPECT_EQ(capability_number("CAP_CHOWN"), 0u);
    EXPECT_EQ(capability_number("CAP_NET_ADMIN"), 12u);
    EXPECT_EQ(capability_number("CAP_SYS_ADMIN"), 21u);
    EXPECT_EQ(capability_number("CAP_CHECKPOINT_RESTORE"), 40u);
    EXPECT_FALSE(capability_number("NET_ADMIN"));
    EXPECT_FALSE(capability_number("CAP_"));
    EXPECT_FALSE(capability_number("all"));
}

TEST(Names, SignalsHaveOneName) {
    EXPECT_EQ(signal_name("1").value(), "SIGHUP");
    EXPECT_EQ(signal_name("31").value(), "SIGSYS");
    EXPECT_EQ(signal_name("34").value(), "SIGRTMIN+0");
    EXPECT_EQ(signal_name("64").value(), "SIGRTMIN+30");
    EXPECT_EQ(signal_name("RTMAX").value(), "SIGRTMIN+30");
    for (const char* wrong : {"0", "32", "33", "65", "", "SIG", "SIGRTMIN-1", "SIGRTMAX+1", "RTMIN+"})
        EXPECT_FALSE(signal_name(wrong)) << wrong;
}

TEST(Names, LimitsAreInTheKernelsOrder) {
    ASSERT_EQ(rlimit_names().size(), 16u);
    EXPECT_EQ(rlimit_names()[7], "NOFILE");
    EXPECT_EQ(rlimit_names()[15], "RTTIME");
}

TEST(Mounts, FreshAndTreeSources) {
    Mount mount = parse_bind(":/a", Writable::yes).value();
    EXPECT_EQ(mount.source, "");
    EXPECT_EQ(mount.target, "/a");
    mount = parse_bind("+/x/y", Writable::no).value();
    EXPECT_EQ(mount.source, "+/x/y");
    EXPECT_EQ(mount.target, "/x/y");
    EXPECT_FALSE(mount.writable);
}

TEST(Mounts, BindOptions) {
    Mount mount = parse_bind("/a:/b:norbind,owneridmap,slave,nosuid,noexec", Writable::yes).value();
    EXPECT_FALSE(mount.recursive);
    EXPECT_EQ(mount.ids, BindIds::owner_idmap);
    EXPECT_EQ(mount.propagation, Propagation::slave);
    EXPECT_EQ(mount.options, (std::vector<std::string>{"nosuid", "noexec"}));
}

TEST(Mounts, OverlayLayers) {
    Mount mount = parse_overlay("/low:/mid::/dst", Writable::yes).value();
    EXPECT_EQ(mount.layers, (std::vector<std::string>{"/low", "/mid", ""}));
    EXPECT_EQ(mount.target, "/dst");
    mount = parse_overlay("/low:/up", Writable::yes).value();
    EXPECT_EQ(mount.layers, (std::vector<std::string>{"/low", "/up"}));
    EXPECT_EQ(mount.target, "/up");
}

}  // namespace
}  // namespace croft::spec
