// The same work by croft-unpack, in its sandbox.
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <thread>

#include "archive/sandbox_filter.h"
#include "archive/unpack.h"
#include "archive/unpack_parts.h"
#include "archive/unpack_protocol.h"
#include "base/scope.h"
#include "tar_builder.h"
#include "tree.h"

namespace croft::archive {
namespace {

using testing::HasSubstr;

UnpackOptions sandboxed(UnpackOptions options = {}) {
    const char* helper = getenv("CROFT_UNPACK");
    options.helper = helper ? helper : "CROFT_UNPACK is not set";
    options.what = "a.tar";
    return options;
}

Result<Unpacked> unpack_in_sandbox(const std::string& archive, const Tree& tree, UnpackOptions options = {}) {
    auto source = read_text(archive);
    return unpack(*source, tree.fd(), sandboxed(options));
}

TEST(Sandbox, WritesEverythingThatATreeHas) {
    Tree tree;
    Tar tar;
    std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    tar.dir("d/", 0700).add({.name = "d/owned", .mode = 06755, .uid = 1234, .gid = 5678});
    tar.pax({"SCHILY.xattr.user.color=blue", "SCHILY.xattr.security.capability=" + capability})
        .file("f", std::string(3'000'000, 'x'));
    tar.symlink("l", "/etc")
        .hardlink("h", "f")
        .device("null", 1, 3)
        .file("d/.wh.x", "")
        .file("d/.wh..wh..opq", "")
        .add({.name = "p", .kind = '6'});
    auto result = unpack_in_sandbox(
        tar.finished(), tree, {.whiteouts = Whiteouts::overlay, .devices = DeviceNodes::make, .sync = true});
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(result->entries, 9u);
    EXPECT_EQ(tree.look("d/owned").st_uid, 1234u);
    EXPECT_EQ(tree.look("d/owned").st_mode, S_IFREG | 06755u);
    EXPECT_EQ(tree.attribute("f", "user.color"), "blue");
    EXPECT_EQ(tree.attribute("f", "security.capability"), capability);
    EXPECT_EQ(tree.look("null").st_rdev, 0x103u);
    EXPECT_EQ(tree.look("d/x").st_rdev, 0u);
    EXPECT_EQ(tree.attribute("d", "trusted.overlay.opaque"), "y");
    EXPECT_EQ(tree.look("d").st_mode, S_IFDIR | 0700u);
    EXPECT_EQ(tree.content("h").size(), 3'000'000u);
}

TEST(Sandbox, AFileIsReadFromWhereItStands) {
    Tree tree, other;
    std::ofstream(other.at("archive"), std::ios::binary) << "skipped" << Tar().file("a", "x").finished();
    Fd file(open(other.at("archive").c_str(), O_RDONLY | O_CLOEXEC));
    lseek(file.get(), 7, SEEK_SET);
    auto result = unpack(file.get(), tree.fd(), sandboxed());
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_EQ(tree.content("a"), "x");
}

TEST(Sandbox, ErrorsComeOut) {
    Tree tree;
    auto result = unpack_in_sandbox(Tar().symlink("l", "/").file("l/x", "x").finished(), tree);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::invalid);
    EXPECT_THAT(result.error().text, HasSubstr("unpacking a.tar: entry 'l/x': its path goes through 'l'"));
}

// Most of the archive has not been taken when the error comes: nobody may wait for the other, and no signal
// kills us.
TEST(Sandbox, AnErrorEndsALongStream) {
    Tree tree;
    std::string archive = Tar().file("../x", "").unfinished() + std::string(64 << 20, 'x');
    auto result = unpack_in_sandbox(archive, tree);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().text, HasSubstr("'..'"));
}

class Failing : public Source {
  public:
    Result<size_t> read(std::span<std::byte>) override {
        return error(Errc::timeout, "the registry stalled");
    }
};

TEST(Sandbox, TheSourcesErrorIsTheError) {
    Tree tree;
    Failing source;
    auto result = unpack(source, tree.fd(), sandboxed());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::timeout);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child was left";
}

TEST(Sandbox, AHelperThatDiesIsAnError) {
    Tree tree;
    UnpackOptions options = sandboxed();
    options.helper = "/bin/false";
    auto source = read_text(Tar().file("a", "x").finished());
    auto result = unpack(*source, tree.fd(), options);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().text, HasSubstr("/bin/false ended with status 1 and without a report"));
    options.helper = "/nowhere/croft-unpack";
    result = unpack(*source, tree.fd(), options);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().text, HasSubstr("starting /nowhere/croft-unpack"));
}

// A sanitized croft-unpack has no filter: the sanitizer's own system calls would not pass it.
#ifdef __SANITIZE_ADDRESS__
constexpr const char* prepared = "NoNewPrivs:\t1";
#else
constexpr const char* prepared = "Seccomp:\t2";
#endif

// What the processes's own files say while it waits for input: no network, no capability too many, a filter.
TEST(Sandbox, IsOne) {
    Tree tree;
    auto pipe = make_pipe();
    ASSERT_TRUE(pipe);
    Result<Unpacked> result = error(Errc::failed, "not run");
    std::thread thread([&] { result = unpack(pipe->read.get(), tree.fd(), sandboxed()); });
    OnExit end([&] {  // however far the test comes
        pipe->write.reset();
        if (thread.joinable()) thread.join();
    });
    std::string self = cat("/proc/", getpid(), "/task/");
    std::string pid, status;
    // Until the child is there and has its filter; the archive is not given before.
    for (int tries = 0; tries < 6000 && status.find(prepared) == status.npos; ++tries) {
        for (const auto& task : std::filesystem::directory_iterator(self))
            std::ifstream(task.path() / "children") >> pid;
        std::ifstream file(cat("/proc/", pid, "/status"));
        status.assign(std::istreambuf_iterator<char>(file), {});
        usleep(10'000);
    }
    EXPECT_THAT(status, HasSubstr(prepared));
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(status, HasSubstr("CapEff:\t000000008000001b"));
    EXPECT_THAT(status, HasSubstr("CapBnd:\t000000008000001b"));
    for (const char* name : {"net", "mnt", "ipc", "uts"})
        EXPECT_NE(std::filesystem::read_symlink(cat("/proc/", pid, "/ns/", name)),
                  std::filesystem::read_symlink(cat("/proc/self/ns/", name)));
    struct stat inside, outside;
    ASSERT_EQ(stat(cat("/proc/", pid, "/root/.").c_str(), &inside), 0);
    ASSERT_EQ(fstat(tree.fd(), &outside), 0);
    EXPECT_EQ(inside.st_ino, outside.st_ino);
    ASSERT_TRUE(write_all(pipe->write.get(), Tar().file("a", "x").finished()));
    pipe->write.reset();
    thread.join();
    ASSERT_TRUE(result) << result.error().text;
}

// What somebody would try who has taken over croft-unpack: 0 when nothing of it works, else which did.
int misuse_descriptors() {
    timespec times[2] = {};
    if (fchmod(archive_fd, 04755) == 0) return 1;
    if (fchown(archive_fd, 1, 1) == 0) return 2;
    if (fchownat(archive_fd, "", 1, 1, AT_EMPTY_PATH) == 0) return 3;
    if (futimens(archive_fd, times) == 0) return 4;
    if (fsetxattr(archive_fd, "user.color", "red", 3, 0) == 0) return 5;
    if (dup(archive_fd) >= 0 || fcntl(archive_fd, F_DUPFD, 10) >= 0) return 6;
    if (fcntl(archive_fd, F_SETOWN, getppid()) == 0 || fcntl(archive_fd, F_SETSIG, SIGKILL) == 0) return 7;
    if (kill(getppid(), 0) == 0) return 8;
    return 0;
}

TEST(Sandbox, ItsDescriptorsLeadNowhere) {
    Tree tree;
    std::ofstream(tree.at("archive")) << "x";
    std::ofstream(tree.at("other")) << "x";
    pid_t child = fork();
    if (child == 0) {
        Fd file(open(tree.at("archive").c_str(), O_RDONLY)), other(open(tree.at("other").c_str(), O_RDONLY));
        dup2(file.get(), archive_fd);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (!install_sandbox_filter()) _exit(100);
        int result = fchmod(other.get(), 0600) != 0 || fchown(other.get(), 1, 1) != 0 || fcntl(archive_fd, F_GETFL) < 0
                         ? 101
                         : misuse_descriptors();
        // Not _exit(): before it a sanitizer makes calls that the filter refuses.
        syscall(SYS_exit_group, result);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Who has taken over the sandbox can report what he likes: the marks are set outside of it.
TEST(Sandbox, ReportedPathsLeadNowhere) {
    Tree outer;
    ASSERT_EQ(mkdirat(outer.fd(), "tree", 0755), 0);
    Fd tree(openat(outer.fd(), "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    UnpackOptions options{.whiteouts = Whiteouts::overlay_user};
    std::string longer_than_the_kernel_takes = ".";
    for (int i = 0; i < 3000; ++i) longer_than_the_kernel_takes += "/.";
    for (const std::string& path : {std::string(".."), std::string("/"), longer_than_the_kernel_takes + "/..",
                                    std::string(1 << 20, '/') + "x", cat("a", std::string(1, 0), "/..")}) {
        auto marked = mark_opaque(tree.get(), {path}, options);
        ASSERT_FALSE(marked);
        EXPECT_THAT(marked.error().text, HasSubstr("which no entry can have"));
    }
    EXPECT_EQ(outer.attribute("", "user.overlay.opaque"), "none");
    ASSERT_TRUE(mark_opaque(tree.get(), {""}, options));
    EXPECT_EQ(outer.attribute("tree", "user.overlay.opaque"), "y");
}

TEST(Protocol, OptionsThereAndBack) {
    UnpackOptions options{.compression = Compression::xz,
                          .whiteouts = Whiteouts::overlay_user,
                          .devices = DeviceNodes::make,
                          .limits = {.bytes = 1, .entries = 2, .name_length = 3, .depth = 4, .ratio = 5},
                          .ownership = false,
                          .sync = true,
                          .threads = 6,
                          .recipe = 9};
    auto words = options_to_words(options);
    auto back = options_from_words({words.begin(), words.end()});
    ASSERT_TRUE(back);
    EXPECT_EQ(options_to_words(*back), words);
    EXPECT_EQ(back->recipe, recipe_fd);
    EXPECT_FALSE(options_from_words({"verbose=1"}));
    EXPECT_FALSE(options_from_words({"bytes=x"}));
}

TEST(Protocol, ReportsThereAndBack) {
    Report report;
    report.result->diff_id = report.result->digest = "sha256:" + std::string(64, 'a');
    report.result->entries = 7;
    report.opaque = {"a\nb 3", ""};
    std::string text = encode_report(report);
    auto back = decode_report(text);
    ASSERT_TRUE(back && back->result);
    EXPECT_EQ(back->result->entries, 7u);
    EXPECT_EQ(back->opaque, report.opaque);
    EXPECT_EQ(encode_report(*back), text);
    for (size_t cut = 0; cut < text.size(); ++cut) EXPECT_FALSE(decode_report(text.substr(0, cut))) << cut;
    report.result = os_error(ENOSPC, "writing");
    back = decode_report(encode_report(report));
    ASSERT_TRUE(back && !back->result);
    EXPECT_EQ(back->result.error().code, Errc::no_space);
    EXPECT_EQ(back->result.error().text, report.result.error().text);
    for (const char* wrong :
         {"end 0\n", "code 2\n99end 0\n", "diff-id 3\nabcend 0\n", "entries 1\nxend 0\n", "other 0\nend 0\n"})
        EXPECT_FALSE(decode_report(wrong)) << wrong;
}

}  // namespace
}  // namespace croft::archive
