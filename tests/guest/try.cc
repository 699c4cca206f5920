// Runs attempts, each in a child that may be killed by a filter or lose its way in a namespace.
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "attempts.h"
#include "line.h"

namespace guest {

std::string attempt_place;

namespace {

void make_place() {
    for (const char* parent : {"/tmp", "/dev/shm", "/run"}) {
        attempt_place = std::string(parent) + "/probe-XXXXXX";
        if (mkdtemp(attempt_place.data())) return;
    }
    attempt_place = "/nowhere-to-write";
}

void remove_place() {
    auto remove_one = [](const char* path, const struct stat*, int, FTW*) { return remove(path) * 0; };
    nftw(attempt_place.c_str(), remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void tell(const char* name, int status) {
    Line line("try");
    line.add("name", name);
    if (WIFSIGNALED(status)) {
        line.flag("done", false).add("error", "").add("signal", WTERMSIG(status));
        return;
    }
    int error = WEXITSTATUS(status);
    line.flag("done", error == 0).add("error", error_name(error)).add("signal", 0);
}

void attempt(const Attempt& one) {
    make_place();
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        int error = one.run();
        _exit(error > 255 ? 255 : error);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    remove_place();
    tell(one.name, status);
}

// Without names: all there are.
int try_them(Args names) {
    int unknown = 0;
    for (Args name = names; *name; ++name) {
        bool found = false;
        for (const Attempt* table : {call_attempts, file_attempts})
            for (const Attempt* row = table; row->name; ++row)
                if (strcmp(row->name, *name) == 0) attempt(*row), found = true;
        if (!found) fprintf(stderr, "probe: no attempt is called %s\n", *name), ++unknown;
    }
    if (!*names)
        for (const Attempt* table : {call_attempts, file_attempts})
            for (const Attempt* row = table; row->name; ++row) attempt(*row);
    return unknown ? 2 : 0;
}

int attempt_names(Args) {
    for (const Attempt* table : {call_attempts, file_attempts})
        for (const Attempt* row = table; row->name; ++row) puts(row->name);
    return 0;
}

// device TYPE MAJOR MINOR [DIRECTORY]: make a node and open it, telling each; the node is removed.
int device(Args args) {
    if (!args[0] || !args[1] || !args[2]) return 2;
    const char* directory = args[3] ? args[3] : "/dev";
    std::string path = std::string(directory) + "/probe-node";
    mode_t type = args[0][0] == 'b' ? S_IFBLK : S_IFCHR;
    bool made =
        mknod(path.c_str(), type | 0600, makedev(unsigned(atoi(args[1])), unsigned(atoi(args[2])))) == 0;
    Line("device").add("step", "mknod").flag("done", made).add("error", made ? "" : error_name(errno));
    if (!made) return 0;
    const struct {
        const char* name;
        int flags;
    } ways[] = {{"read", O_RDONLY}, {"write", O_WRONLY}};
    for (auto& way : ways) {
        int fd = open(path.c_str(), way.flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        Line("device")
            .add("step", way.name)
            .flag("done", fd >= 0)
            .add("error", fd >= 0 ? "" : error_name(errno));
        if (fd >= 0) close(fd);
    }
    unlink(path.c_str());
    return 0;
}

// escape DIRECTORY: out of a chroot the old way (a root below the working directory, then up), and what is
// there. Says where it arrived even when that is the machine's own root again.
int escape(Args args) {
    const char* below = args[0] ? args[0] : "/tmp";
    struct stat before, after;
    int error = stat("/", &before) < 0 || chroot(below) < 0 ? errno : 0;
    for (int i = 0; i < 64 && !error; ++i) error = chdir("..") < 0 ? errno : 0;
    if (!error) error = chroot(".") < 0 || stat("/", &after) < 0 ? errno : 0;
    bool elsewhere = !error && (before.st_dev != after.st_dev || before.st_ino != after.st_ino);
    Line("escape").add("error", error ? error_name(error) : "").flag("elsewhere", elsewhere);
    if (!error)
        nftw(
            "/",
            [](const char* path, const struct stat* st, int, FTW* at) {
                Line("outside")
                    .add("path", path)
                    .add("mode", st->st_mode)
                    .add("size", st->st_size)
                    .add("uid", st->st_uid);
                return at->level > 1 ? 1 : 0;
            },
            8, FTW_PHYS);
    return 0;
}

// open PATH…: the ways of opening that matter, without touching what is opened.
int open_paths(Args args) {
    for (; *args; ++args) {
        const struct {
            const char* name;
            int flags;
        } ways[] = {{"read", O_RDONLY}, {"write", O_WRONLY}, {"path", O_PATH}};
        for (auto& way : ways) {
            int fd = open(*args, way.flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
            Line("open")
                .add("path", *args)
                .add("way", way.name)
                .flag("done", fd >= 0)
                .add("error", fd >= 0 ? "" : error_name(errno));
            if (fd >= 0) close(fd);
        }
    }
    return 0;
}

// syscall NUMBER: with six zeros, in a child. Says how the filter answered an argument-less call.
int raw_syscall(Args args) {
    for (; *args; ++args) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(10);
            long r = syscall(atol(*args), 0, 0, 0, 0, 0, 0);
            _exit(r < 0 ? (errno > 255 ? 255 : errno) : 0);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        tell(*args, status);
    }
    return 0;
}

}  // namespace

const Command try_commands[] = {{"try", "[NAME…] attempts against the fences, all by default", try_them},
                                {"attempts", "names of the attempts", attempt_names},
                                {"device", "b|c MAJOR MINOR [DIRECTORY] make and open a node", device},
                                {"escape", "[DIRECTORY] out of a chroot, and what is there", escape},
                                {"open", "PATH… for reading, writing, as a path", open_paths},
                                {"syscall", "NUMBER… with zeros for arguments", raw_syscall},
                                {nullptr, nullptr, nullptr}};

}  // namespace guest
