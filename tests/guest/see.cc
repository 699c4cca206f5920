// What a process sees of itself.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>

#include <vector>

#include "line.h"

extern char** environ;

namespace guest {
namespace {

std::string link_text(const char* path) {
    char buffer[4096];
    ssize_t n = readlink(path, buffer, sizeof buffer);
    return n < 0 ? "" : std::string(buffer, static_cast<size_t>(n));
}

void add_word(std::string& list, const std::string& word) {
    if (!list.empty()) list += ' ';
    list += word;
}

// The value of "Key:\t…" in /proc/self/status.
std::string status_value(const std::string& status, const char* key) {
    size_t at = status.find(std::string("\n") + key + ":");
    if (at == status.npos) return "";
    at = status.find_first_not_of(" \t", status.find(':', at) + 1);
    return status.substr(at, status.find('\n', at) - at);
}

int caps(Args) {
    std::string status = read_text("/proc/self/status");
    Line line("caps");
    const char* const rows[][2] = {{"inheritable", "CapInh"},
                                   {"permitted", "CapPrm"},
                                   {"effective", "CapEff"},
                                   {"bounding", "CapBnd"},
                                   {"ambient", "CapAmb"}};
    for (auto& [name, key] : rows) line.add(name, status_value(status, key));
    line.add("no_new_privileges", atoll(status_value(status, "NoNewPrivs").c_str()));
    line.add("seccomp", atoll(status_value(status, "Seccomp").c_str()));
    line.add("seccomp_filters", atoll(status_value(status, "Seccomp_filters").c_str()));
    return 0;
}

int ids(Args) {
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;
    getresuid(&ruid, &euid, &suid);
    getresgid(&rgid, &egid, &sgid);
    std::string groups;
    gid_t list[256];
    for (int i = 0, n = getgroups(256, list); i < n; ++i) add_word(groups, std::to_string(list[i]));
    Line("ids")
        .add("uid", ruid)
        .add("euid", euid)
        .add("suid", suid)
        .add("gid", rgid)
        .add("egid", egid)
        .add("sgid", sgid)
        .add("groups", groups)
        .add("uid_map", read_text("/proc/self/uid_map"))
        .add("gid_map", read_text("/proc/self/gid_map"))
        .add("setgroups", read_text("/proc/self/setgroups"))
        .add("loginuid", read_text("/proc/self/loginuid"));
    return 0;
}

int namespaces(Args) {
    Line line("namespaces");
    for (const char* name : {"mnt", "pid", "net", "ipc", "uts", "cgroup", "user", "time"})
        line.add(name, link_text((std::string("/proc/self/ns/") + name).c_str()));
    return 0;
}

// Descriptors by asking each number, not by /proc, which may be masked or somebody else's.
int fds(Args) {
    for (int fd = 0; fd < 4096; ++fd) {
        struct stat st;
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fstat(fd, &st) < 0) continue;
        std::string link = link_text(("/proc/self/fd/" + std::to_string(fd)).c_str());
        const char* type = S_ISDIR(st.st_mode)    ? "directory"
                           : S_ISREG(st.st_mode)  ? "file"
                           : S_ISCHR(st.st_mode)  ? "character"
                           : S_ISFIFO(st.st_mode) ? "pipe"
                           : S_ISSOCK(st.st_mode) ? "socket"
                                                  : "other";
        Line("fd")
            .add("fd", fd)
            .add("type", type)
            .add("link", link)
            .add("flags", flags)
            .add("device", (long long)st.st_dev);
    }
    return 0;
}

int process(Args) {
    char* cwd = getcwd(nullptr, 0);
    utsname names{};
    uname(&names);
    mode_t mask = umask(0);
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    sched_getaffinity(0, sizeof cpus, &cpus);
    std::string affinity;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &cpus)) add_word(affinity, std::to_string(cpu));
    Line("process")
        .add("pid", getpid())
        .add("ppid", getppid())
        .add("sid", getsid(0))
        .add("pgid", getpgrp())
        .add("cwd", cwd ? cwd : "")
        .add("umask", mask)
        .add("hostname", names.nodename)
        .add("domainname", names.domainname)
        .add("machine", names.machine)
        .add("personality", personality(0xffffffff))
        .add("affinity", affinity)
        .add("nice", getpriority(PRIO_PROCESS, 0))
        .add("scheduler", sched_getscheduler(0))
        .add("cgroup", read_text("/proc/self/cgroup"))
        .add("oom_score_adj", read_text("/proc/self/oom_score_adj"))
        .add("executable", link_text("/proc/self/exe"));
    free(cwd);
    return 0;
}

int arguments(Args args) {
    for (; *args; ++args) Line("argument").add("value", *args);
    return 0;
}

int environment(Args) {
    for (char** entry = environ; *entry; ++entry) {
        const char* equals = strchr(*entry, '=');
        if (!equals) continue;
        Line("env").add("name", std::string_view(*entry, size_t(equals - *entry))).add("value", equals + 1);
    }
    return 0;
}

int rlimits(Args) {
    const char* const names[] = {"CPU",      "FSIZE",  "DATA",    "STACK", "CORE",  "RSS",
                                 "NPROC",    "NOFILE", "MEMLOCK", "AS",    "LOCKS", "SIGPENDING",
                                 "MSGQUEUE", "NICE",   "RTPRIO",  "RTTIME"};
    for (int i = 0; i < 16; ++i) {
        rlimit limit{};
        if (getrlimit(static_cast<__rlimit_resource>(i), &limit) < 0) continue;
        auto text = [](rlim_t value) { return value == RLIM_INFINITY ? "infinity" : std::to_string(value); };
        Line("rlimit")
            .add("name", names[i])
            .add("soft", text(limit.rlim_cur))
            .add("hard", text(limit.rlim_max));
    }
    return 0;
}

int tty(Args) {
    for (int fd = 0; fd < 3; ++fd) {
        winsize size{};
        bool sized = ioctl(fd, TIOCGWINSZ, &size) == 0;
        termios modes{};
        bool terminal = tcgetattr(fd, &modes) == 0;
        char name[256] = "";
        if (terminal) ttyname_r(fd, name, sizeof name);
        Line line("tty");
        line.add("fd", fd).flag("terminal", terminal).add("name", name).add("foreground", tcgetpgrp(fd));
        if (sized) line.add("rows", size.ws_row).add("columns", size.ws_col);
    }
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    Line("controlling-tty").flag("there", fd >= 0).add("error", fd < 0 ? error_name(errno) : "");
    if (fd >= 0) close(fd);
    return 0;
}

}  // namespace

const Command see_commands[] = {{"caps", "capability sets, no_new_privs, seccomp mode", caps},
                                {"ids", "user and group ids, id maps", ids},
                                {"namespaces", "identity of each namespace", namespaces},
                                {"fds", "open file descriptors", fds},
                                {"process", "pid, cwd, umask, hostname, cgroup, …", process},
                                {"args", "its arguments", arguments},
                                {"env", "its environment", environment},
                                {"rlimits", "resource limits", rlimits},
                                {"tty", "the three streams as terminals", tty},
                                {nullptr, nullptr, nullptr}};

}  // namespace guest
