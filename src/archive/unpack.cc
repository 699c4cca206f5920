// The outside of the sandbox: starts croft-unpack, feeds it, and reads its report.
#include "archive/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "archive/unpack_parts.h"
#include "archive/unpack_protocol.h"
#include "base/fd.h"
#include "base/scope.h"
#include "base/signals.h"
#include "base/text.h"

namespace croft::archive {

namespace {

constexpr size_t largest_report = 64 << 20, piece_size = 256 << 10;
constexpr int pipe_size = 1 << 20;

// Numbers that none of the fixed ones is among, so that putting each in its place overwrites no other.
Result<Fd> out_of_the_way(int fd) {
    constexpr int lowest = 16;
    Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, lowest));
    if (!copy) return os_error(errno, "copying a descriptor");
    return copy;
}

class Child {
  public:
    static Result<Child> start(int archive, int tree, int report, const UnpackOptions& options);
    Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
    ~Child() {
        if (pid_ < 0) return;
        kill(pid_, SIGKILL);
        (void)wait();
    }
    // The status as waitpid tells it.
    int wait() {
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }

  private:
    explicit Child(pid_t pid) : pid_(pid) {}
    pid_t pid_;
};

// A new program: nothing of what this one has in memory (passwords of registries) is where an archive is
// read.
Result<pid_t> spawn(const std::string& helper, const UnpackOptions& options,
                    const posix_spawn_file_actions_t& files) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<std::string> words = options_to_words(options);
    words.insert(words.begin(), "croft-unpack");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    char* environment[] = {nullptr};
    pid_t pid = -1;
    int failed = posix_spawn(&pid, helper.c_str(), &files, &attributes, argv.data(), environment);
    posix_spawnattr_destroy(&attributes);
    if (failed) return os_error(failed, cat("starting ", helper, ", which unpacks archives"));
    return pid;
}

Result<Child> Child::start(int archive, int tree, int report, const UnpackOptions& options) {
    struct Place {
        int from, to;
    };
    std::array<Place, 4> places = {
        {{archive, archive_fd}, {tree, tree_fd}, {report, report_fd}, {options.recipe, recipe_fd}}};
    std::array<Fd, places.size()> copies;
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    OnExit destroy([&] { posix_spawn_file_actions_destroy(&files); });
    for (size_t i = 0; i < places.size(); ++i) {
        if (places[i].from < 0) continue;
        copies[i] = TRY(out_of_the_way(places[i].from));
        posix_spawn_file_actions_adddup2(&files, copies[i].get(), places[i].to);
    }
    for (int output : {STDOUT_FILENO, STDERR_FILENO})
        posix_spawn_file_actions_addopen(&files, output, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, options.recipe < 0 ? recipe_fd : recipe_fd + 1);
    return Child(TRY(spawn(options.helper, options, files)));
}

// While it lives, a pipe that nobody reads any more is an error of write(2) and not a signal to this thread.
class NoPipeSignal {
  public:
    NoPipeSignal() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~NoPipeSignal() {
        timespec at_once = {};
        while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

  private:
    sigset_t pipe_, before_;
};

// The source to its end, or until croft-unpack reads no more: its report says why.
Result<> feed(Source& archive, int pipe) {
    NoPipeSignal quiet;
    std::vector<std::byte> piece(piece_size);
    while (size_t n = TRY(archive.read(piece))) {
        auto written = write_all(pipe, {reinterpret_cast<const char*>(piece.data()), n});
        if (!written && written.error().err == EPIPE) return {};
        TRY(std::move(written));
    }
    return {};
}

Error died(int status, const std::string& helper) {
    if (WIFSIGNALED(status))
        return error(Errc::failed,
                     cat(helper, " was killed by ", signal_name(WTERMSIG(status)),
                         WTERMSIG(status) == SIGKILL ? " (by the kernel, where memory is out)" : ""));
    return error(Errc::failed,
                 cat(helper, " ended with status ", WEXITSTATUS(status), " and without a report"));
}

Result<Unpacked> finish(Child child, int report, int tree, const UnpackOptions& options) {
    auto text = read_all(report, largest_report);
    int status = child.wait();
    if (!text) return std::move(text.error()).within("reading what croft-unpack reports");
    auto told = decode_report(*text);
    if (!told) return died(status, options.helper);
    if (told->result) TRY(mark_opaque(tree, told->opaque, options));
    return std::move(told->result);
}

std::string phrase(const UnpackOptions& options) {
    return cat("unpacking ", options.what.empty() ? "the archive" : options.what);
}

}  // namespace

Result<Unpacked> unpack(int archive, int tree, const UnpackOptions& options) {
    auto run = [&]() -> Result<Unpacked> {
        Pipe report = TRY(make_pipe());
        Child child = TRY(Child::start(archive, tree, report.write.get(), options));
        report.write.reset();
        return finish(std::move(child), report.read.get(), tree, options);
    };
    return run().within(phrase(options));
}

Result<Unpacked> unpack(Source& archive, int tree, const UnpackOptions& options) {
    auto run = [&]() -> Result<Unpacked> {
        Pipe input = TRY(make_pipe()), report = TRY(make_pipe());
        fcntl(input.write.get(), F_SETPIPE_SZ, pipe_size);
        Child child = TRY(Child::start(input.read.get(), tree, report.write.get(), options));
        input.read.reset();
        report.write.reset();
        TRY(feed(archive, input.write.get()));  // on an error the child is killed: half an archive is none
        input.write.reset();
        return finish(std::move(child), report.read.get(), tree, options);
    };
    return run().within(phrase(options));
}

}  // namespace croft::archive
