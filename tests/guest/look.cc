// What a process sees around itself: mounts, nodes, files, processes, network.
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <vector>

#include "line.h"

namespace guest {
namespace {

std::vector<std::string> words(const std::string& text, char separator) {
    std::vector<std::string> out;
    for (size_t from = 0; from < text.size();) {
        size_t to = text.find(separator, from);
        if (to == text.npos) to = text.size();
        out.push_back(text.substr(from, to - from));
        from = to + 1;
    }
    return out;
}

// ID PARENT DEV ROOT TARGET OPTIONS [TAGS…] - TYPE SOURCE SUPER-OPTIONS (proc_pid_mountinfo(5))
int mounts(Args) {
    for (const std::string& text : words(read_text("/proc/self/mountinfo"), '\n')) {
        std::vector<std::string> field = words(text, ' ');
        size_t dash = 6;
        std::string tags;
        while (dash < field.size() && field[dash] != "-") tags += (tags.empty() ? "" : " ") + field[dash++];
        if (dash + 2 >= field.size()) continue;
        Line("mount")
            .add("id", atoll(field[0].c_str()))
            .add("parent", atoll(field[1].c_str()))
            .add("device", field[2])
            .add("root", field[3])
            .add("target", field[4])
            .add("options", field[5])
            .add("propagation", tags)
            .add("type", field[dash + 1])
            .add("source", field[dash + 2])
            .add("super", dash + 3 < field.size() ? field[dash + 3] : "");
    }
    return 0;
}

const char* type_name(mode_t mode) {
    return S_ISDIR(mode)    ? "directory"
           : S_ISREG(mode)  ? "file"
           : S_ISLNK(mode)  ? "link"
           : S_ISCHR(mode)  ? "character"
           : S_ISBLK(mode)  ? "block"
           : S_ISFIFO(mode) ? "pipe"
           : S_ISSOCK(mode) ? "socket"
                            : "other";
}

void tell_node(const char* path) {
    struct stat st;
    Line line("node");
    line.add("path", path);
    if (lstat(path, &st) < 0) {
        line.add("error", error_name(errno));
        return;
    }
    line.add("error", "").add("type", type_name(st.st_mode)).add("mode", st.st_mode & 07777);
    line.add("uid", st.st_uid)
        .add("gid", st.st_gid)
        .add("size", st.st_size)
        .add("links", (long long)st.st_nlink);
    line.add("device", (long long)st.st_dev).add("inode", (long long)st.st_ino);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        line.add("major", major(st.st_rdev)).add("minor", minor(st.st_rdev));
    char target[4096];
    ssize_t n = S_ISLNK(st.st_mode) ? readlink(path, target, sizeof target) : -1;
    if (n >= 0) line.add("target", std::string_view(target, size_t(n)));
}

int stat_paths(Args args) {
    for (; *args; ++args) tell_node(*args);
    return 0;
}

int list(Args args) {
    for (; *args; ++args) {
        DIR* dir = opendir(*args);
        if (!dir) {
            Line("list").add("path", *args).add("error", error_name(errno));
            continue;
        }
        while (dirent* entry = readdir(dir)) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
            tell_node((std::string(*args) + "/" + entry->d_name).c_str());
        }
        closedir(dir);
    }
    return 0;
}

// The first bytes: enough to see whether a mask gives nothing, and what a file says.
int read_paths(Args args) {
    for (; *args; ++args) {
        int fd = open(*args, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        char head[1024];
        ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
        const char* stage = fd < 0 ? "open" : n < 0 ? "read" : "";
        const char* error = n < 0 ? error_name(errno) : "";
        Line("read")
            .add("path", *args)
            .add("error", error)
            .add("stage", stage)
            .add("head", {head, n < 0 ? 0 : size_t(n)});
        if (fd >= 0) close(fd);
    }
    return 0;
}

int write_path(Args args) {
    if (!args[0] || !args[1]) return 2;
    int fd = open(args[0], O_WRONLY | O_CLOEXEC | O_CREAT | O_NONBLOCK, 0644);
    ssize_t n = fd < 0 ? -1 : write(fd, args[1], strlen(args[1]));
    const char* stage = fd < 0 ? "open" : n < 0 ? "write" : "";
    Line("write").add("path", args[0]).add("error", n < 0 ? error_name(errno) : "").add("stage", stage);
    if (fd >= 0) close(fd);
    return n < 0 ? 1 : 0;
}

int processes(Args) {
    DIR* dir = opendir("/proc");
    while (dirent* entry = dir ? readdir(dir) : nullptr) {
        if (!isdigit(static_cast<unsigned char>(entry->d_name[0]))) continue;
        std::string stat = read_text((std::string("/proc/") + entry->d_name + "/stat").c_str());
        size_t open = stat.find('('), close = stat.rfind(')');
        if (open == stat.npos || close == stat.npos || close + 4 > stat.size()) continue;
        Line("proc")
            .add("pid", atoll(entry->d_name))
            .add("name", stat.substr(open + 1, close - open - 1))
            .add("state", stat.substr(close + 2, 1))
            .add("ppid", atoll(stat.c_str() + close + 4));
    }
    if (dir) closedir(dir);
    return 0;
}

int network(Args) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct if_nameindex* all = if_nameindex();
    for (struct if_nameindex* one = all; one && one->if_index; ++one) {
        ifreq request{};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", one->if_name);
        ioctl(fd, SIOCGIFFLAGS, &request);
        Line("interface").add("name", one->if_name).flag("up", request.ifr_flags & IFF_UP);
    }
    if (all) if_freenameindex(all);
    if (fd >= 0) close(fd);
    return 0;
}

// The root by its identity and names: tells whose tree "/" is.
int root(Args) {
    tell_node("/");
    char* slash[] = {const_cast<char*>("/"), nullptr};
    return list(slash);
}

// keys DESCRIPTION: whether a key of that description is to be had from the keyrings that a process has at
// hand.
int keys(Args args) {
    const struct {
        const char* name;
        long id;  // KEY_SPEC_*
    } rings[] = {{"thread", -1}, {"process", -2}, {"session", -3}, {"user", -4}, {"user-session", -5}};
    for (auto& ring : rings) {
        long key = args[0] ? syscall(SYS_keyctl, 10 /* KEYCTL_SEARCH */, ring.id, "user", args[0], 0) : -1;
        Line("keys")
            .add("ring", ring.name)
            .flag("found", key >= 0)
            .add("error", key < 0 ? error_name(errno) : "");
    }
    return 0;
}

}  // namespace

const Command look_commands[] = {{"mounts", "mountinfo, one line a mount", mounts},
                                 {"stat", "PATH… type, mode, owner, device", stat_paths},
                                 {"list", "DIRECTORY… the same of all in it", list},
                                 {"root", "the root directory and what is in it", root},
                                 {"read", "PATH… first bytes or the error", read_paths},
                                 {"write", "PATH TEXT with one write", write_path},
                                 {"ps", "processes in /proc", processes},
                                 {"keys", "DESCRIPTION which keyrings have such a key", keys},
                                 {"net", "network interfaces", network},
                                 {nullptr, nullptr, nullptr}};

}  // namespace guest
