#include "images/bootstrap.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace croft::images {
namespace {

class BootstrapTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/croft-bootstrap-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        etc = name;
        std::filesystem::create_directories(etc + "/apt/sources.list.d");
        std::filesystem::create_directories(etc + "/apk");
    }
    void TearDown() override { std::filesystem::remove_all(etc); }
    void write(const char* name, std::string_view text) { std::ofstream(etc + "/" + name) << text; }

    std::string command(const Bootstrap& wanted, std::vector<std::string> tools) {
        auto words = bootstrap_command(wanted, "/target", etc, [&](const char* tool) { return std::ranges::find(tools, tool) != tools.end(); });
        return words ? join(*words, " ") : words.error().text;
    }
    std::string mirror(std::string_view distribution, std::string_view release) {
        auto found = apt_mirror(etc, distribution, release);
        return found ? *found : found.error().text;
    }
    std::string etc;
};

TEST_F(BootstrapTest, DistributionsAreTwoWords) {
    EXPECT_EQ(*parse_distribution("debian:trixie"), std::pair(std::string("debian"), std::string("trixie")));
    EXPECT_EQ(parse_distribution("arch")->second, "rolling");
    for (const char* wrong : {"", ":", "debian", "debian:", ":trixie", "debian:--x", "debian:a b", "Debian:trixie", "debian:../x", "a:b:c"})
        EXPECT_FALSE(parse_distribution(wrong)) << wrong;
}

TEST_F(BootstrapTest, FindsTheMirrorInBothFormats) {
    EXPECT_NE(mirror("debian", "trixie").find("--mirror=URL"), std::string::npos);
    write("apt/sources.list",
          "# deb http://commented.example/debian trixie main\ndeb [arch=amd64 signed-by=/x] http://one.example/debian bookworm main\n"
          "deb-src http://source.example/debian trixie main\n");
    EXPECT_EQ(mirror("debian", "bookworm"), "http://one.example/debian");
    EXPECT_EQ(mirror("debian", "trixie"), "http://one.example/debian");
    EXPECT_NE(mirror("ubuntu", "noble").find("knows no mirror"), std::string::npos);
    write("apt/sources.list.d/a.sources",
          "Types: deb\nURIs: http://off.example/debian\nSuites: trixie\nEnabled: no\n\n"
          "# a comment\nTypes: deb deb-src\nURIs: http://two.example/debian/\nSuites: sid\n trixie\nComponents: main\n\n"
          "Types: deb\nURIs: http://security.example/debian-security\nSuites: trixie-security\n");
    write("apt/sources.list.d/b.sources.disabled", "Types: deb\nURIs: http://three.example/debian\nSuites: trixie\n");
    EXPECT_EQ(mirror("debian", "trixie"), "http://two.example/debian/");
    EXPECT_EQ(mirror("debian", "bookworm"), "http://one.example/debian");
}

TEST_F(BootstrapTest, DebianIsMadeByWhatIsThere) {
    Bootstrap wanted{.distribution = "debian", .release = "trixie", .name = "x", .mirror = "http://m.example/debian"};
    EXPECT_EQ(command(wanted, {"mmdebstrap", "debootstrap"}),
              "mmdebstrap --mode=root --format=directory --variant=minbase trixie /target http://m.example/debian");
    EXPECT_EQ(command(wanted, {"debootstrap"}), "debootstrap --variant=minbase trixie /target http://m.example/debian");
    wanted.variant = "standard", wanted.packages = {"systemd", "dbus"}, wanted.keyring = "/k";
    EXPECT_EQ(command(wanted, {"debootstrap"}), "debootstrap --keyring=/k --include=systemd,dbus trixie /target http://m.example/debian");
    EXPECT_NE(command(wanted, {}).find("mmdebstrap or debootstrap, and that is not installed"), std::string::npos);
    wanted.packages = {"--hook=x"};
    EXPECT_NE(command(wanted, {"mmdebstrap"}).find("no name of a package"), std::string::npos);
}

TEST_F(BootstrapTest, OthersAreMadeByTheirOwnTools) {
    Bootstrap fedora{.distribution = "fedora", .release = "42", .name = "x", .mirror = "http://m.example/f"};
    EXPECT_EQ(command(fedora, {"dnf"}),
              "dnf -y --installroot=/target --releasever=42 --setopt=install_weak_deps=False --repofrompath=croft,http://m.example/f "
              "--repo=croft install fedora-release systemd passwd dnf");
    EXPECT_EQ(command({.distribution = "arch", .release = "rolling", .name = "x"}, {"pacstrap"}), "pacstrap -c -K /target base");
    Bootstrap alpine{.distribution = "alpine", .release = "3.22", .name = "x"};
    EXPECT_NE(command(alpine, {"apk"}).find("say one with --mirror=URL"), std::string::npos);
    write("apk/repositories", "#http://no.example/v3.20/main\nhttp://m.example/alpine/v3.20/main\n");
    EXPECT_NE(command(alpine, {"apk"}).find("--repository http://m.example/alpine/v3.22/main add alpine-base"), std::string::npos)
        << command(alpine, {"apk"});
    alpine.variant = "minbase";
    EXPECT_NE(command(alpine, {"apk"}).find("has no variants"), std::string::npos);
    EXPECT_NE(command({.distribution = "plan9", .release = "4", .name = "x"}, {}).find("no distribution that is known"), std::string::npos);
}

}  // namespace
}  // namespace croft::images
