// The same work by croft-unpack, in its sandbox.
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <thread>

#include "archive/unpack.h"
#include "archive/unpack_protocol.h"
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
