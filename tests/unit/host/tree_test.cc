#include "host/tree.h"

#include <elf.h>
#include <sys/utsname.h>

#include <cstring>

#include "host/facts.h"
#include "tree_fixture.h"

namespace croft::host {
namespace {

class Tree : public TreeTest {
  protected:
    spec::MachineSpec machine(spec::Mode mode = spec::Mode::app) {
        spec::MachineSpec spec;
        spec.mode = mode;
        spec.root.directory = top_;
        return spec;
    }
    // The start of an ELF file for a machine.
    static std::string elf(uint16_t e_machine, bool big_endian = false) {
        std::string head(64, '\0');
        memcpy(head.data(), ELFMAG, SELFMAG);
        head[EI_CLASS] = ELFCLASS64;
        head[EI_DATA] = big_endian ? ELFDATA2MSB : ELFDATA2LSB;
        head[big_endian ? 19 : 18] = static_cast<char>(e_machine & 0xff);
        head[big_endian ? 18 : 19] = static_cast<char>(e_machine >> 8);
        return head;
    }
    void expect_refused(const spec::MachineSpec& spec, Errc code, const char* word) {
        auto facts = gather(spec, {});
        ASSERT_FALSE(facts);
        EXPECT_EQ(facts.error().code, code) << facts.error().text;
        EXPECT_NE(facts.error().text.find(word), std::string::npos) << facts.error().text;
    }
};

TEST_F(Tree, Missing) {
    spec::MachineSpec spec = machine();
    spec.root.directory = "/nonexistent/tree";
    expect_refused(spec, Errc::not_found, "there is no tree '/nonexistent/tree'");
}

TEST_F(Tree, IsAFile) {
    file("image.raw", "x");
    spec::MachineSpec spec = machine();
    spec.root.directory = top_ + "/image.raw";
    expect_refused(spec, Errc::invalid, "is neither a directory nor a disk image");
}

TEST_F(Tree, NotAnOsTree) {
    file("readme", "x");
    expect_refused(machine(), Errc::invalid, "--force-tree");
    spec::MachineSpec forced = machine();
    forced.root.os_check = spec::OsCheck::skip;
    EXPECT_TRUE(gather(forced, {}));
}

TEST_F(Tree, TheHostsOwnRoot) {
    spec::MachineSpec spec = machine();
    for (const char* path : {"/", "/../", "/proc/self/root/"}) {
        spec.root.directory = path;
        expect_refused(spec, Errc::invalid, "own root");
    }
    spec.root.read_only = true;
    EXPECT_TRUE(gather(spec, {}));
}

TEST_F(Tree, WorldWritable) {
    directory("usr");
    ASSERT_EQ(chmod(top_.c_str(), 0777), 0);
    expect_refused(machine(), Errc::denied, "chmod o-w");
    ASSERT_EQ(chmod(top_.c_str(), 01777), 0);
    expect_refused(machine(), Errc::denied, "chmod o-w");
    ASSERT_EQ(chmod(top_.c_str(), 0755), 0);
}

TEST_F(Tree, NoInit) {
    directory("usr");
    expect_refused(machine(spec::Mode::boot), Errc::no_command, "no init");
}

TEST_F(Tree, FindsWhatIsThere) {
    directory("usr/bin");
    link("bin", "usr/bin");
    file("usr/bin/sh", "#!", 0755);
    file("usr/lib/os-release", "ID=test\n");
    link("etc/os-release", "../usr/lib/os-release");
    file("usr/sbin/init", "#!/bin/sh\n", 0755);
    link("sbin", "usr/sbin");
    file("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    auto facts = gather(machine(spec::Mode::boot), {});
    ASSERT_TRUE(facts) << facts.error().text;
    EXPECT_EQ(facts->tree.directory, top_);
    EXPECT_TRUE(facts->tree.has_os_release);
    EXPECT_TRUE(facts->tree.usr_merged);
    EXPECT_EQ(facts->tree.init, "/sbin/init");
    EXPECT_EQ(facts->tree.shell, "/bin/sh");
    EXPECT_FALSE(facts->tree.systemd_init);
    EXPECT_TRUE(facts->tree.machine_id_set);
}

TEST_F(Tree, SymlinkOfTheTreeIsResolvedOnTheHost) {
    directory("real/usr");
    link("alias", "real");
    spec::MachineSpec spec = machine();
    spec.root.directory = top_ + "/alias";
    auto facts = gather(spec, {});
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->tree.directory, top_ + "/real");
}

TEST_F(Tree, KindsOfInit) {
    directory("usr");
    file("bin/busybox", "x", 0755);
    link("sbin/init", "/bin/busybox");
    auto facts = gather(machine(spec::Mode::boot), {});
    ASSERT_TRUE(facts) << facts.error().text;
    EXPECT_EQ(facts->tree.init_kind, spec::InitKind::busybox);
    unlink((top_ + "/sbin/init").c_str());
    file("sbin/init", "x", 0755);
    EXPECT_EQ(gather(machine(spec::Mode::boot), {})->tree.init_kind, spec::InitKind::other);
    file("etc/inittab", "id:2:initdefault:\n");
    EXPECT_EQ(gather(machine(spec::Mode::boot), {})->tree.init_kind, spec::InitKind::sysvinit);
    file("usr/lib/systemd/systemd", "x", 0755);
    EXPECT_EQ(gather(machine(spec::Mode::boot), {})->tree.init_kind, spec::InitKind::systemd);
}

TEST_F(Tree, AnotherArchitecture) {
    utsname host = {};
    uname(&host);
    bool x86 = std::string_view(host.machine) == "x86_64";
    directory("usr");
    file("bin/foreign", elf(x86 ? EM_AARCH64 : EM_X86_64), 0755);
    file("bin/swapped", elf(EM_S390, true), 0755);
    file("bin/native", elf(x86 ? EM_X86_64 : EM_AARCH64), 0755);
    file("bin/script", "#!/bin/sh\n", 0755);
    file("bin/plain", elf(EM_X86_64), 0644);
    spec::MachineSpec spec = machine();
    if (access("/proc/sys/fs/binfmt_misc/register", F_OK) == 0)
        GTEST_SKIP() << "binfmt_misc may execute foreign programs here";
    spec.process.command = {"/bin/foreign"};
    expect_refused(spec, Errc::not_executable, x86 ? "made for aarch64" : "made for x86_64");
    spec.process.command = {"foreign"};
    expect_refused(spec, Errc::not_executable, "made for");
    spec.process.command = {"/bin/swapped"};
    expect_refused(spec, Errc::not_executable, "made for s390x");
    spec.process.command = {"/bin/plain"};
    expect_refused(spec, Errc::not_executable, "chmod +x");
    spec.process.command = {"/bin"};
    expect_refused(spec, Errc::not_executable, "is a directory");
    for (const char* fine : {"/bin/native", "/bin/script", "/bin/not-there", "./relative"}) {
        spec.process.command = {fine};
        EXPECT_TRUE(gather(spec, {})) << fine;
    }
}

TEST_F(Tree, MountsMayBringTheProgram) {
    directory("usr");
    file("opt/foreign", elf(EM_S390, true), 0755);
    spec::MachineSpec spec = machine();
    spec.process.command = {"/opt/foreign"};
    spec.mounts.emplace_back().target = "/opt";
    EXPECT_TRUE(gather(spec, {}));
}

TEST_F(Tree, NothingIsOpenedThatHasSideEffects) {
    ASSERT_EQ(mkfifo((top_ + "/fifo").c_str(), 0666), 0);
    EXPECT_FALSE(read_in_tree(root_.get(), "fifo"));
    link("out", "/etc/passwd");
    EXPECT_FALSE(read_in_tree(root_.get(), "out"));
    link("up", "../../../../etc/passwd");
    EXPECT_FALSE(read_in_tree(root_.get(), "up"));
    file("big", std::string(100, 'x'));
    EXPECT_FALSE(read_in_tree(root_.get(), "big", 10));
}

}  // namespace
}  // namespace croft::host
