#include "manager/rootless.h"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

namespace croft::manager {
namespace {

struct Range {
    uint64_t start = 0, count = 0;
};

// What the ids that are the user's are called in the namespace.
enum class Inner { from_zero, same };

// The user's own id and what belongs to it, as lines of a map. A range with the own id in it would be a second line for it.
std::vector<std::string> map_words(Inner inner, uint32_t own, const std::vector<Range>& ranges) {
    std::vector<std::string> out{cat(inner == Inner::same ? own : 0), cat(own), "1"};
    uint64_t next = 1;
    for (const Range& range : ranges) {
        if (own >= range.start && own - range.start < range.count) continue;
        out.insert(out.end(), {cat(inner == Inner::same ? range.start : next), cat(range.start), cat(range.count)});
        next += range.count;
    }
    return out;
}

// The caller's name, for files that give ranges by name: from the passwd file, because NSS cannot be in a
// static program.
std::string user_name(uint32_t uid) {
    auto passwd = read_file_at(AT_FDCWD, "/etc/passwd", 16 << 20);
    if (passwd)
        for (const std::string& line : split(*passwd, '\n')) {
            std::vector<std::string> fields = split(line, ':');
            if (fields.size() >= 3 && parse_uint(fields[2]) == uid) return fields[0];
        }
    const char* name = getenv("USER");
    return name ? name : "";
}

std::vector<Range> ranges_of(const char* path, uint32_t uid, const std::string& name) {
    std::vector<Range> out;
    auto text = read_file_at(AT_FDCWD, path);
    if (!text) return out;
    for (const std::string& line : split(*text, '\n')) {
        std::vector<std::string> fields = split(line, ':');
        if (fields.size() != 3 || (fields[0] != name && fields[0] != cat(uid))) continue;
        auto start = parse_uint(fields[1]), count = parse_uint(trim(fields[2]));
        if (start && count && *count > 0) out.push_back({*start, *count});
    }
    return out;
}

bool run_program(const std::vector<std::string>& argv) {
    pid_t child = fork();
    if (child == 0) {
        std::vector<char*> pointers;
        for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
        pointers.push_back(nullptr);
        execvp(pointers[0], pointers.data());
        _exit(127);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool map_by_helper(const char* program, pid_t target, const std::vector<std::string>& words) {
    std::vector<std::string> argv{program, cat(target)};
    argv.insert(argv.end(), words.begin(), words.end());
    return run_program(argv);
}

// Writes the maps of its parent, from outside the namespace, as soon as the parent is in it. Its exit status:
// 0 all, 1 not done.
[[noreturn]] void map_parent(Inner inner, int gate, uint32_t uid, uint32_t gid) {
    char byte;
    if (read(gate, &byte, 1) != 1) _exit(1);
    std::string name = user_name(uid);
    auto uids = ranges_of("/etc/subuid", uid, name), gids = ranges_of("/etc/subgid", uid, name);
    pid_t target = getppid();
    bool done = !uids.empty() && !gids.empty() && map_by_helper("newuidmap", target, map_words(inner, uid, uids)) &&
                map_by_helper("newgidmap", target, map_words(inner, gid, gids));
    _exit(done ? 0 : 1);
}

// One id is always allowed, if setgroups(2) is given up: a group that is denied something could be dropped
// with it.
Result<> map_own_id(Inner inner, uint32_t uid, uint32_t gid) {
    TRY(write_file_at(AT_FDCWD, "/proc/self/setgroups", "deny"));
    TRY(write_file_at(AT_FDCWD, "/proc/self/uid_map", join(map_words(inner, uid, {}), " ")));
    return write_file_at(AT_FDCWD, "/proc/self/gid_map", join(map_words(inner, gid, {}), " "));
}

Error no_namespace(int err) {
    return error(Errc::denied, cat("users may not make user namespaces on this host (", errno_text(err),
                                   "): run croft as root, or let them (sysctl user.max_user_namespaces, "
                                   "kernel.unprivileged_userns_clone, "
                                   "kernel.apparmor_restrict_unprivileged_userns)"));
}

// Whether the user has more than one id there.
Result<bool> enter_users(Inner inner) {
    uint32_t uid = geteuid(), gid = getegid();
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) < 0) return os_error(errno, "making a pipe");
    Fd read_end(gate[0]), write_end(gate[1]);
    pid_t helper = fork();
    if (helper < 0) return os_error(errno, "starting a process");
    if (helper == 0) {
        write_end.reset();
        map_parent(inner, read_end.get(), uid, gid);
    }
    int failed = unshare(CLONE_NEWUSER) < 0 ? errno : 0;
    if (!failed) (void)write_all(write_end.get(), "x");
    write_end.reset();
    int status = 0;
    waitpid(helper, &status, 0);
    if (failed) return no_namespace(failed);
    bool many = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!many) {
        debug("no range of ids in /etc/subuid, or no newuidmap: the machine has one user only");
        TRY(map_own_id(inner, uid, gid).within("mapping the user's id"));
    }
    return many;
}

// The host's mounts come in, what is mounted here does not go out.
Result<> enter_own_mounts() {
    if (unshare(CLONE_NEWNS) < 0) return no_namespace(errno);
    if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
        return os_error(errno, "making mounts private");
    return {};
}

}  // namespace

Result<> become_fake_root() {
    const bool many = TRY(enter_users(Inner::from_zero));
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return os_error(errno, "becoming root of the user namespace");
    if (many) setgroups(0, nullptr);
    return enter_own_mounts();
}

Result<> enter_own_users() {
    TRY(enter_users(Inner::same));
    return enter_own_mounts();
}

}  // namespace croft::manager
