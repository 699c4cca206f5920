#include "oci/container.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "manager/leader.h"
#include "oci/command_line.h"
#include "run/gate.h"

namespace croft::oci {

namespace {
constexpr size_t longest_id = 1024;
constexpr int lock_tries = 1000;  // each 10 ms: longer than any verb but one that hangs in a hook
constexpr int patience = 200;     // of who deletes by force

Error not_there(std::string_view id) {
    return error(Errc::not_found, cat("container ", quoted(id), " does not exist"));
}

// The process that took this lock, as /proc/locks tells it: "7: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF". 0 when there
// is none, or it is not of our PID namespace.
pid_t lock_holder(const Container& c) {
    struct stat st = {};
    auto locks = read_file_at(AT_FDCWD, "/proc/locks", 16 << 20);
    if (!locks || fstat(c.directory.get(), &st) < 0) return 0;
    char file[64];
    snprintf(file, sizeof file, "%02x:%02x:%lu", major(st.st_dev), minor(st.st_dev), st.st_ino);
    for (const std::string& line : split(*locks, '\n')) {
        std::vector<std::string> words;
        for (std::string& word : split(line, ' '))
            if (!word.empty()) words.push_back(std::move(word));
        // Who waits for it has a "->" in front of its kind.
        if (words.size() < 6 || words[1] != "FLOCK" || words[5] != file) continue;
        return static_cast<pid_t>(parse_int(words[4]).value_or(0));
    }
    return 0;
}

// A hook is a child or a grandchild, in a process group of its own with all that it has started.
void kill_hooks(pid_t parent) {
    auto children = read_file_at(AT_FDCWD, cat("/proc/", parent, "/task/", parent, "/children").c_str());
    if (!children) return;
    for (const std::string& word : split(*children, ' ')) {
        auto child = static_cast<pid_t>(parse_int(trim(word)).value_or(0));
        if (child <= 1) continue;
        if (getpgid(child) == child)
            kill(-child, SIGKILL);
        else
            kill_hooks(child);
    }
}

// Without its hook the other croft-oci says that this one was killed, takes back what it has made, and ends. If it does
// not, it is killed itself; then what it had made is ended and found like that of any croft-oci that was killed.
void end_lock_holder(const Container& c, bool hooks_only) {
    const pid_t holder = lock_holder(c);
    if (holder <= 0) return;
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, holder, 0)));
    // If it holds the lock still, the pidfd is of nobody else.
    if (!pidfd || lock_holder(c) != holder) return;
    kill_hooks(holder);
    if (hooks_only) return;
    warn(cat("container ", quoted(c.id), " is in use by process ", holder, ", which does not come to its end and is killed"));
    (void)manager::send_signal(pidfd.get(), SIGKILL);
    manager::wait_gone(pidfd.get(), 10'000'000);
}

Result<> lock_directory(const Container& c, Lock how) {
    for (int i = 0; i < lock_tries; ++i) {
        if (flock(c.directory.get(), LOCK_EX | LOCK_NB) == 0) {
            struct stat st = {};
            if (fstat(c.directory.get(), &st) < 0 || st.st_nlink == 0) return not_there(c.id);
            return {};
        }
        if (errno != EWOULDBLOCK && errno != EINTR)
            return os_error(errno, cat("locking the directory of container ", quoted(c.id)));
        if (how == Lock::by_force && i >= patience && i % patience == 0) end_lock_holder(c, i == patience);
        timespec pause = {.tv_sec = 0, .tv_nsec = i < 10 ? 1'000'000 : 10'000'000};
        nanosleep(&pause, nullptr);
    }
    return error(Errc::busy, cat("container ", quoted(c.id), " is in use by another croft-oci, which does not come to its end: "
                                 "end that one first", how == Lock::by_force ? "" : ", or use delete --force"));
}
}  // namespace

// A user namespace of a user's engine has a root of its own, who is not the system's.
bool is_system() {
    if (geteuid() != 0) return false;
    const char* runtime = getenv("XDG_RUNTIME_DIR");
    if (!runtime || !*runtime) return true;
    auto map = read_file_at(AT_FDCWD, "/proc/self/uid_map", 4096);
    return !map || map->find("4294967295") != map->npos;
}

Result<Places> find_places(const Global& global) {
    Places out;
    // croft's own places are then those of the user, too: what is below /run and /var cannot be written.
    if (!is_system()) setenv("CROFT_SCOPE", "user", 1);
    out.paths = TRY(manager::find_paths());
    out.root = global.flags.text("--root", manager::default_oci_root(out.paths));
    if (out.root.empty()) return error(Errc::usage, "--root needs a directory");
    if (out.root[0] != '/') {
        char* here = getcwd(nullptr, 0);
        if (!here) return os_error(errno, "finding the working directory");
        out.root = cat(here, "/", out.root);
        free(here);
    }
    while (out.root.size() > 1 && out.root.back() == '/') out.root.pop_back();
    return out;
}

Result<> check_id(std::string_view id) {
    bool good = !id.empty() && id.size() <= longest_id && id != "." && id != "..";
    for (char c : id)
        good = good && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                        c == '+' || c == '-' || c == '.');
    if (good) return {};
    return error(Errc::invalid, cat("invalid container ID format: ", quoted(id),
                                    " (letters, digits and _ + - . are allowed, and not . or .. alone)"));
}

Result<launch::LaunchPlan> Container::plan() const {
    std::string bytes = TRY(read_file_at(directory.get(), manager::oci_plan_name, 64 << 20)
                                .within(cat("reading the plan of container ", quoted(id))));
    return launch::decode(bytes).within(cat("the plan of container ", quoted(id)));
}

Result<Fd> Container::open_init() const {
    auto pidfd = manager::open_process(record.init);
    if (!pidfd || !alive()) return error(Errc::wrong_state, cat("container not running: ", quoted(id)));
    return pidfd;
}

void Container::unlock() const { flock(directory.get(), LOCK_UN); }

Result<Container> open_container(const Places& places, std::string_view id, Lock lock, Broken broken) {
    TRY(check_id(id));
    Container out;
    out.id = id;
    out.path = cat(places.root, "/", id);
    auto directory = open_at(AT_FDCWD, out.path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!directory && directory.error().err == ENOENT) return not_there(id);
    out.directory = TRY(std::move(directory).within(cat("container ", quoted(id))));
    if (lock != Lock::no) TRY(lock_directory(out, lock));
    auto record = manager::read_oci_container(out.directory.get(), id);
    if (!record && broken == Broken::accept) return out;
    out.record = TRY(std::move(record));
    return out;
}

Result<Container> claim_container(const Places& places, std::string_view id) {
    Container out;
    out.id = id;
    out.path = cat(places.root, "/", id);
    int made = mkdir(out.path.c_str(), 0700);
    if (made < 0 && errno == ENOENT) {
        TRY(make_dirs_at(AT_FDCWD, places.root, 0711).within(cat("making ", quoted(places.root), " (--root)")));
        made = mkdir(out.path.c_str(), 0700);
    }
    if (made < 0 && errno == EEXIST)
        return error(Errc::exists, cat("container with given ID already exists: ", quoted(id)));
    if (made < 0) return os_error(errno, cat("making ", quoted(out.path)));
    auto directory = open_at(AT_FDCWD, out.path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!directory || flock(directory->get(), LOCK_EX | LOCK_NB) < 0)
        return error(Errc::busy, cat("container ", quoted(id), " was deleted while it was being created"));
    out.directory = std::move(*directory);
    return out;
}

void remove_container_files(const Places& places, const Container& c) {
    run::remove_gate(c.directory.get());
    for (const char* name : {manager::oci_record_name, manager::oci_plan_name})
        unlinkat(c.directory.get(), name, 0);
    // What a write that was interrupted has left there has a name of its own.
    if (rmdir(c.path.c_str()) == 0 || errno == ENOENT) return;
    if (auto root = open_at(AT_FDCWD, places.root.c_str(), O_RDONLY | O_DIRECTORY)) 
        (void)remove_tree_at(root->get(), c.id.c_str());
}

}  // namespace croft::oci
