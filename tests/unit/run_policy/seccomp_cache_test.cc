// Kept filters with the real croft-seccomp (its path is in the environment) and real files.
#include "run/seccomp_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/fd.h"
#include "base/text.h"
#include "launch/seccomp_file.h"

namespace croft::run {
namespace {

const std::string request = "croft-seccomp 1\ndefault\ncaps 0\n";

class SeccompCache : public testing::Test {
  protected:
    void SetUp() override {
        const char* path = getenv("CROFT_SECCOMP");
        ASSERT_TRUE(path) << "CROFT_SECCOMP must name the built croft-seccomp";
        helper_ = path;
        char name[] = "/tmp/croft-filters-XXXXXX";
        ASSERT_TRUE(mkdtemp(name));
        dir_ = name;
    }
    void TearDown() override { (void)!system(cat("rm -rf ", dir_).c_str()); }

    std::string load(const std::string& text = request) {
        auto program = load_seccomp(text, dir_, helper_);
        EXPECT_TRUE(program) << program.error().text;
        if (!program) return {};
        auto code = program->filter();
        return {reinterpret_cast<const char*>(code.data()), code.size_bytes()};
    }
    std::string kept_path() const { return cat(dir_, '/', seccomp_file_name(request)); }
    std::string kept() const {
        auto bytes = read_file_at(AT_FDCWD, kept_path().c_str());
        return bytes ? *bytes : std::string();
    }
    // A kept file that differs in its last instruction, so that one can see whether it was used.
    std::string marked() const {
        std::string bytes = kept();
        bytes[bytes.size() - 1] ^= 0x40;
        return bytes;
    }
    void put(const std::string& bytes) {
        unlink(kept_path().c_str());
        Fd file(open(kept_path().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        ASSERT_TRUE(write_all(file.get(), bytes));
    }

    std::string helper_, dir_;
};

TEST_F(SeccompCache, KeepsWhatWasCompiledAndUsesIt) {
    std::string first = load();
    ASSERT_GT(first.size(), 800u);
    ASSERT_FALSE(kept().empty());
    EXPECT_EQ(load(), first);
    std::string mark = marked();
    put(mark);
    EXPECT_EQ(load(), mark.substr(mark.size() - first.size()));
}

TEST_F(SeccompCache, IgnoresAndReplacesWhatOthersCouldHaveWritten) {
    std::string good = load();
    std::string mark = marked();
    put(mark);
    chmod(kept_path().c_str(), 0664);
    EXPECT_EQ(load(), good);
    EXPECT_EQ(load(), good);  // and the replacement is kept
    if (geteuid() == 0) {
        put(mark);
        ASSERT_EQ(chown(kept_path().c_str(), 1234, 1234), 0);
        EXPECT_EQ(load(), good);
    }
    put(mark);
    std::string elsewhere = kept_path() + "x";
    ASSERT_EQ(rename(kept_path().c_str(), elsewhere.c_str()), 0);
    ASSERT_EQ(symlink(elsewhere.c_str(), kept_path().c_str()), 0);
    EXPECT_EQ(load(), good);
    ASSERT_EQ(unlink(kept_path().c_str()), 0);
    ASSERT_EQ(mkfifo(kept_path().c_str(), 0600), 0);
    EXPECT_EQ(load(), good);  // nor does it hang
}

TEST_F(SeccompCache, IgnoresADirectoryThatOthersMayWrite) {
    std::string good = load();
    put(marked());
    chmod(dir_.c_str(), 0777);
    EXPECT_EQ(load(), good);
    chmod(dir_.c_str(), 0700);
    EXPECT_NE(load(), good);
    if (geteuid() != 0) return;
    ASSERT_EQ(chown(dir_.c_str(), 1234, 1234), 0);
    EXPECT_EQ(load(), good);
}

TEST_F(SeccompCache, ComparesTheWholeFile) {
    std::string good = load();
    std::string mark = marked();
    auto expect_ignored = [&](auto change) {
        std::string bytes = mark;
        change(bytes);
        put(bytes);
        EXPECT_EQ(load(), good);
    };
    using launch::SeccompFileHeader;
    expect_ignored(
        [](std::string& b) { b[sizeof(SeccompFileHeader) + 30] ^= 1; });  // the request's last digit
    expect_ignored([](std::string& b) { b[0] ^= 1; });
    for (size_t at : {offsetof(SeccompFileHeader, version), offsetof(SeccompFileHeader, audit_arch),
                      offsetof(SeccompFileHeader, request_length), offsetof(SeccompFileHeader, instructions),
                      offsetof(SeccompFileHeader, helper_inode), offsetof(SeccompFileHeader, helper_size),
                      offsetof(SeccompFileHeader, helper_mtime_ns)})
        expect_ignored([&](std::string& b) { b[at] ^= 1; });
    expect_ignored([](std::string& b) { b.resize(b.size() - 8); });
    expect_ignored([](std::string& b) { b.resize(20); });
    expect_ignored([](std::string& b) { b.clear(); });
}

// A new croft-seccomp may decide differently: what the old one made is not used.
TEST_F(SeccompCache, ForgetsWhenTheCompilerIsReplaced) {
    std::string copy = dir_ + "/helper";
    ASSERT_EQ(system(cat("cp ", helper_, " ", copy).c_str()), 0);
    helper_ = copy;
    std::string good = load();
    put(marked());
    EXPECT_NE(load(), good);
    timespec times[2] = {{1, 0}, {1, 0}};
    utimensat(AT_FDCWD, copy.c_str(), times, 0);
    EXPECT_EQ(load(), good);
}

TEST_F(SeccompCache, WorksWithoutAPlaceToKeep) {
    std::string good = load();
    std::string real = dir_;
    dir_ = "";
    EXPECT_EQ(load(), good);
    dir_ = "/proc/no/such/place";
    EXPECT_EQ(load(), good);
    dir_ = real + "/made/for/it";
    EXPECT_EQ(load(), good);
    EXPECT_FALSE(kept().empty());
    dir_ = real;
}

TEST_F(SeccompCache, PassesOnTheCompilersSentence) {
    auto program = load_seccomp("croft-seccomp 1\ndefault\ncaps 0\ndeny mont\n", dir_, helper_);
    ASSERT_FALSE(program);
    EXPECT_EQ(program.error().text,
              "system call filter: 'mont' is no system call that croft or its libseccomp knows");
    EXPECT_EQ(program.error().code, Errc::invalid);
    auto missing = load_seccomp(request, dir_, "/no/croft-seccomp");
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().text.find("/no/croft-seccomp"), std::string::npos);
    auto mute = load_seccomp(request, dir_, "/bin/false");
    ASSERT_FALSE(mute);
    EXPECT_NE(mute.error().text.find("without a word"), std::string::npos) << mute.error().text;
    auto other = load_seccomp(request, dir_, "/bin/true");
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().text.find("reinstall"), std::string::npos) << other.error().text;
}

TEST_F(SeccompCache, ManyAtOnceAgree) {
    std::vector<pid_t> children;
    for (int i = 0; i < 12; ++i) {
        pid_t pid = fork();
        if (pid == 0) _exit(load().size() > 800 ? 0 : 1);
        children.push_back(pid);
    }
    for (pid_t pid : children) {
        int status = -1;
        waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(system(cat("test $(ls -A ", dir_, " | wc -l) = 1").c_str()), 0) << "temporary files were left";
}

TEST_F(SeccompCache, LoadsIntoTheKernel) {
    load();
    auto program = load_seccomp(request, dir_, helper_);
    ASSERT_TRUE(program);
    SeccompProgram moved = std::move(*program);
    pid_t pid = fork();
    if (pid == 0) {
        sock_fprog filter = moved.fprog();
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, moved.flags(), &filter) != 0) _exit(1);
        _exit(syscall(SYS_kexec_load, 0, 0, 0, 0) == -1 && errno == EPERM ? 0 : 2);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST_F(SeccompCache, IsFastWhenKept) {
    load();
    std::vector<long> microseconds;
    for (int i = 0; i < 201; ++i) {
        timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        auto program = load_seccomp(request, dir_, helper_);
        clock_gettime(CLOCK_MONOTONIC, &b);
        ASSERT_TRUE(program);
        microseconds.push_back((b.tv_sec - a.tv_sec) * 1'000'000 + (b.tv_nsec - a.tv_nsec) / 1000);
    }
    std::ranges::nth_element(microseconds, microseconds.begin() + 100);
    RecordProperty("median_microseconds", int(microseconds[100]));
    EXPECT_LE(microseconds[100], 300) << "30 is the aim on an idle machine; ten times that is a mistake";
}

}  // namespace
}  // namespace croft::run
