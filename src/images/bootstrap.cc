#include "images/bootstrap.h"

#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <deque>

#include "base/fd.h"
#include "base/text.h"
#include "images/new_machine_tree.h"

namespace croft::images {
namespace {

constexpr size_t kept_lines = 20, longest_line = 4096;
constexpr int look_every = 200;  // ms, whether it shall stop

bool is_installed(const char* program) {
    const char* path = getenv("PATH");
    for (const std::string& directory : split(path ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':'))
        if (access(cat(directory, "/", program).c_str(), X_OK) == 0) return true;
    return false;
}

// Only what may be done between fork and exec with one thread; what fails here is said on standard error.
[[noreturn]] void execute(std::vector<std::string> words, int output, pid_t maker) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != maker) _exit(125);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, 0), dup2(output, 1), dup2(output, 2);
    // What it mounts is seen by nobody else, and gone with it.
    if (unshare(CLONE_NEWNS) < 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) {
        dprintf(2, "making a mount namespace: %s\n", errno_text(errno).c_str());
        _exit(125);
    }
    umask(0022);
    setenv("DEBIAN_FRONTEND", "noninteractive", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    dprintf(2, "executing %s: %s\n", argv[0], errno_text(errno).c_str());
    _exit(127);
}

// The tool's words, line by line. The last ones are kept: they say why it failed.
class Listener {
  public:
    Listener(int output, const std::function<bool(std::string_view)>& progress) : output_(output), progress_(progress) {}

    // Until its end; false: it shall stop.
    Result<bool> listen() {
        for (;;) {
            pollfd watched = {output_, POLLIN, 0};
            int n = poll(&watched, 1, look_every);
            if (n < 0 && errno != EINTR) return os_error(errno, "listening to the tool");
            if (progress_ && !progress_(n > 0 ? "" : last())) return false;
            if (n <= 0) continue;
            char buffer[8192];
            ssize_t size = read(output_, buffer, sizeof buffer);
            if (size < 0 && errno != EINTR) return os_error(errno, "listening to the tool");
            if (size == 0) return true;
            for (ssize_t i = 0; i < size; ++i) take(buffer[i]);
            if (progress_ && !progress_(last())) return false;
        }
    }
    std::string said() const { return join({lines_.begin(), lines_.end()}, "\n"); }

  private:
    std::string_view last() const { return lines_.empty() ? std::string_view() : lines_.back(); }
    void take(char c) {
        if (c != '\n' && c != '\r') {
            if (line_.size() < longest_line) line_ += c;
            return;
        }
        if (!trim(line_).empty()) lines_.push_back(line_);
        if (lines_.size() > kept_lines) lines_.pop_front();
        line_.clear();
    }

    const int output_;
    const std::function<bool(std::string_view)>& progress_;
    std::deque<std::string> lines_;
    std::string line_;
};

int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<> run_tool(const std::vector<std::string>& command, const Bootstrap& wanted) {
    Pipe pipe = TRY(make_pipe());
    pid_t maker = getpid();
    pid_t child = fork();
    if (child < 0) return os_error(errno, cat("starting ", command[0]));
    if (child == 0) execute(command, pipe.write.get(), maker);
    setpgid(child, child);  // whoever is first
    pipe.write.reset();
    Listener listener(pipe.read.get(), wanted.progress);
    auto ended = listener.listen();
    bool stopped = !ended || !*ended;
    if (stopped) kill(-child, SIGTERM);
    // Its children too: they would go on writing into what is about to be removed.
    pipe.read.reset();
    int status = wait_for(child);
    kill(-child, SIGKILL);
    if (!ended) return std::move(ended).error();
    if (stopped) return error(Errc::failed, "interrupted, and nothing is left of it");
    if (status == 0) return {};
    return error(Errc::failed, cat(command[0], " failed (status ", status, ") and said at last:\n", listener.said()));
}

// A machine makes its own at its first boot.
void forget_identity(const std::string& tree) {
    auto root = open_at(AT_FDCWD, tree.c_str(), O_PATH | O_DIRECTORY);
    if (!root) return;
    auto id = open_in_root(root->get(), "etc/machine-id", O_WRONLY | O_NOFOLLOW);
    if (id) (void)!ftruncate(id->get(), 0);
}

}  // namespace

Result<std::string> bootstrap(const manager::Paths& paths, const Bootstrap& wanted) {
    if (geteuid() != 0) return error(Errc::denied, "a distribution's packages are unpacked by root alone: owners and device nodes are theirs");
    // What is wrong is told before anything is made.
    (void)TRY(bootstrap_command(wanted, "", "/etc", is_installed));
    NewMachineTree tree = TRY(NewMachineTree::begin(paths, wanted.name, ""));
    std::vector<std::string> command = TRY(bootstrap_command(wanted, tree.partial(), "/etc", is_installed));
    if (mkdir(tree.partial().c_str(), 0755) < 0) return os_error(errno, cat("making ", quoted(tree.partial())));
    TRY(run_tool(command, wanted).within(cat("bootstrapping ", wanted.distribution, ":", wanted.release)));
    forget_identity(tree.partial());
    TRY(tree.finish());
    return tree.target();
}

}  // namespace croft::images
