/* The floor: the same kernel work as `croft run`, `croft exec` and `croft boot`, with nothing around it. Static C,
 * no path checks, no messages beyond the failing line: what is left over it is what croft itself costs.
 *
 *   floor run  ROOT FILTER [-u BASE] [-b] CMD…   start to exit (-u: private users, -b: an init; says "ready GROUP" on
 *                                                its READY=1, and kills it when its standard input ends)
 *   floor exec PID FILTER CGROUP CMD…            into a running container
 * FILTER is a file of raw struct sock_filter, "-" for none. The cgroup is made below $FLOOR_CGROUP.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <sys/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(x)                                                            \
    do {                                                                    \
        if ((long)(x) < 0) {                                                \
            dprintf(2, "floor: line %d: %s: %s\n", __LINE__, #x, strerror(errno)); \
            _exit(125);                                                     \
        }                                                                   \
    } while (0)

#define NODEV_NOEXEC (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
static const uint64_t caps_app = 0xa80425fb; /* the OCI default set: 14 capabilities */
static const uint64_t caps_boot = 0xfdecbfff;
static struct sock_fprog filter;

static void read_filter(const char *path) {
    static struct sock_filter instructions[4096];
    if (!strcmp(path, "-")) return;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd);
    long n = read(fd, instructions, sizeof instructions);
    CHECK(n);
    filter.filter = instructions;
    filter.len = (unsigned short)(n / (long)sizeof *instructions);
    close(fd);
}

static int new_fs(const char *type, const char *const *options, unsigned attr) {
    int fs = (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);
    CHECK(fs);
    for (; options && options[0]; options += 2)
        CHECK(syscall(SYS_fsconfig, fs, 1 /* SET_STRING */, options[0], options[1], 0));
    CHECK(syscall(SYS_fsconfig, fs, 6 /* CMD_CREATE */, NULL, NULL, 0));
    int mount = (int)syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, attr);
    CHECK(mount);
    close(fs);
    return mount;
}

static void attach(int mount, const char *target) {
    CHECK(syscall(SYS_move_mount, mount, "", AT_FDCWD, target, 4 /* F_EMPTY_PATH */));
    close(mount);
}

static void mount_fs(const char *type, const char *const *options, unsigned attr, const char *target) {
    attach(new_fs(type, options, attr), target);
}

static void bind_self(const char *path, uint64_t set) {
    int mount = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (mount < 0 && errno == ENOENT) return;
    CHECK(mount);
    struct mount_attr attr = {.attr_set = set};
    CHECK(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attr, sizeof attr));
    attach(mount, path);
}

static void mask(int blank_dir, int blank_file, const char *path) {
    struct stat st;
    if (lstat(path, &st) < 0) return;
    int from = S_ISDIR(st.st_mode) ? blank_dir : blank_file;
    int mount = (int)syscall(SYS_open_tree, from, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    CHECK(mount);
    attach(mount, path);
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK(fd);
    CHECK(write(fd, text, strlen(text)));
    close(fd);
}

static int user_namespace(const char *map, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
    write_file(path, map);
    snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
    write_file(path, map);
    snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd);
    return fd;
}

static void make_dev(int dev) {
    static const struct { const char *name; int major, minor; } nodes[] = {
        {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
    umask(0);
    for (unsigned i = 0; i < 6; ++i) {
        char path[32];
        snprintf(path, sizeof path, "%s", nodes[i].name);
        CHECK(mknodat(dev, path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
    }
    umask(022);
    CHECK(mkdirat(dev, "pts", 0755));
    CHECK(mkdirat(dev, "shm", 0755));
    CHECK(mkdirat(dev, "mqueue", 0755));
    CHECK(symlinkat("/proc/self/fd", dev, "fd"));
    CHECK(symlinkat("pts/ptmx", dev, "ptmx"));
}

static void become(uint64_t caps, char **argv) {
    for (int cap = 0; cap <= 40; ++cap)
        if (!(caps >> cap & 1)) CHECK(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{(uint32_t)caps, (uint32_t)caps, 0}, {(uint32_t)(caps >> 32), (uint32_t)(caps >> 32), 0}};
    struct __user_cap_data_struct now[2];
    CHECK(syscall(SYS_capget, &header, now));
    for (int i = 0; i < 2; ++i) data[i].permitted &= now[i].permitted, data[i].effective &= now[i].permitted;
    if (filter.len) CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
    CHECK(syscall(SYS_capset, &header, data));
    execve(argv[0], argv, (char *[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=floor", "NOTIFY_SOCKET=/run/notify", NULL});
    CHECK(-1);
}

/* Bound by the child, read by its parent: both have the same socket. */
static void bind_notify(int notify) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "run/notify"};
    CHECK(bind(notify, (struct sockaddr *)&address, sizeof address));
}

/* A console for the init, in its own devpts; its master goes to the parent, who reads it. */
static void make_console(int to) {
    int master = open("dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0, number = 0;
    CHECK(master);
    CHECK(ioctl(master, TIOCSPTLCK, &unlock));
    CHECK(ioctl(master, TIOCGPTN, &number));
    char path[32];
    snprintf(path, sizeof path, "dev/pts/%d", number);
    int slave = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    CHECK(slave);
    CHECK(mknod("dev/console", S_IFREG | 0600, 0));
    attach(slave, "dev/console");
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {.align = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    memcpy(CMSG_DATA(&control.align), &master, sizeof master);
    struct iovec byte = {"c", 1};
    struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    CHECK(sendmsg(to, &message, 0));
}

static int receive_console(int from) {
    char byte;
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    int master = -1;
    CHECK(recvmsg(from, &message, MSG_CMSG_CLOEXEC) == 1 ? 0 : -1);
    memcpy(&master, CMSG_DATA(&control.align), sizeof master);
    /* With its other end open here it never looks hung up between two sessions inside. */
    CHECK(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    return master;
}

static void wait_ready(int notify, int pidfd, int console, const char *cgroup) {
    char text[4096], byte;
    for (;;) {
        struct pollfd watched[] = {{notify, POLLIN, 0}, {pidfd, POLLIN, 0}, {console, POLLIN, 0}};
        poll(watched, 3, -1);
        if (watched[1].revents) return;
        if (watched[2].revents & POLLIN) CHECK(read(console, text, sizeof text));
        if (!watched[0].revents) continue;
        long n = recv(notify, text, sizeof text - 1, 0);
        CHECK(n);
        text[n] = 0;
        if (strstr(text, "READY=1")) break;
    }
    dprintf(1, "ready %s\n", cgroup);
    while (read(0, &byte, 1) > 0) {
    }
    syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

static void give_cgroup(int group, const char *uid) {
    uid_t id = (uid_t)strtoul(uid, NULL, 10);
    CHECK(fchown(group, id, id));
    static const char *const files[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
    for (int i = 0; i < 3; ++i) CHECK(fchownat(group, files[i], id, id, 0));
}

static void child(const char *root, int tree, int dev, int notify, int parent, char **argv) {
    int boot = notify >= 0;
    static const char *const shm[] = {"mode", "1777", "size", "64m", NULL};
    static const char *const pts[] = {"ptmxmode", "0666", "mode", "0620", NULL};
    static const char *const run[] = {"mode", "0755", NULL};
    CHECK(setsid());
    CHECK(unshare(CLONE_NEWCGROUP)); /* here, so that its root is the new group */
    CHECK(syscall(SYS_move_mount, tree, "", AT_FDCWD, root, 4));
    CHECK(fchdir(tree));
    attach(dev, "dev");
    mount_fs("proc", NULL, NODEV_NOEXEC, "proc");
    mount_fs("devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "dev/pts");
    mount_fs("tmpfs", shm, NODEV_NOEXEC, "dev/shm");
    mount_fs("mqueue", NULL, NODEV_NOEXEC, "dev/mqueue");
    mount_fs("sysfs", NULL, NODEV_NOEXEC | MOUNT_ATTR_RDONLY, "sys");
    mount_fs("cgroup2", NULL, NODEV_NOEXEC | (boot ? 0 : MOUNT_ATTR_RDONLY), "sys/fs/cgroup");
    if (boot) {
        mount_fs("tmpfs", run, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, "run");
        mount_fs("tmpfs", shm, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, "tmp");
        bind_notify(notify);
        make_console(parent);
    }
    CHECK(syscall(SYS_pivot_root, ".", "."));
    CHECK(umount2(".", MNT_DETACH));
    CHECK(chdir("/"));
    static const char *const empty[] = {"mode", "0", "size", "4k", NULL};
    int blank = new_fs("tmpfs", empty, NODEV_NOEXEC | MOUNT_ATTR_RDONLY);
    attach(blank, "/sys/firmware");
    int dir = open("/sys/firmware", O_PATH | O_CLOEXEC), file = open("/dev/null", O_PATH | O_CLOEXEC);
    static const char *const masked[] = {"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                                         "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi"};
    static const char *const readonly[] = {"/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    static const char *const more[] = {"/proc/kallsyms", "/proc/kmsg", "/proc/sys/kernel/random/boot_id"};
    for (unsigned i = 0; i < 8; ++i) mask(dir, file, masked[i]);
    for (int i = 0; i < 3 && boot; ++i) mask(dir, file, more[i]);
    /* The init's own: it applies its network settings, which is a service more. */
    int net_settings = boot ? (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/sys/net", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) : -1;
    for (unsigned i = 0; i < 6; ++i) bind_self(readonly[i], MOUNT_ATTR_RDONLY);
    if (boot) attach(net_settings, "/proc/sys/net");
    CHECK(sethostname("floor", 5));
    int net = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    CHECK(ioctl(net, SIOCSIFFLAGS, &lo));
    become(boot ? caps_boot : caps_app, argv);
}

static int wait_for(int pidfd) {
    siginfo_t info;
    CHECK(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

static int run(int argc, char **argv) {
    const char *root = argv[2];
    read_filter(argv[3]);
    int at = 4, boot = 0;
    char map[64] = "";
    for (; at < argc && argv[at][0] == '-'; ++at) {
        if (!strcmp(argv[at], "-b")) boot = 1;
        if (!strcmp(argv[at], "-u")) snprintf(map, sizeof map, "0 %s 65536\n", argv[++at]);
    }
    char cgroup[256];
    snprintf(cgroup, sizeof cgroup, "%s/floor-%d", getenv("FLOOR_CGROUP"), getpid());
    CHECK(mkdir(cgroup, 0755));
    int group = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(group);
    CHECK(unshare(CLONE_NEWNS));
    struct mount_attr slave = {.propagation = 1 << 18 /* MS_PRIVATE */};
    CHECK(syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &slave, sizeof slave));
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    CHECK(tree);
    if (map[0]) { /* an idmapped root needs a user namespace before the payload's own */
        struct clone_args holder = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
        pid_t pid = (pid_t)syscall(SYS_clone3, &holder, sizeof holder);
        CHECK(pid);
        if (!pid) for (;;) pause();
        struct mount_attr idmap = {.attr_set = 0x100000 /* IDMAP */, .userns_fd = (uint64_t)user_namespace(map, pid)};
        CHECK(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &idmap, sizeof idmap));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    char uid[24] = "0";
    if (map[0]) sscanf(map, "0 %23s", uid);
    const char *const options[] = {"mode", "0755", "size", "64k", "uid", uid, "gid", uid, NULL};
    int dev = new_fs("tmpfs", options, MOUNT_ATTR_NOSUID);
    make_dev(dev);
    int go[2], pidfd = -1, notify = -1;
    if (boot) {
        CHECK(notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        give_cgroup(group, uid);
    }
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, go));
    struct clone_args args = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
                                       CLONE_PIDFD | CLONE_INTO_CGROUP | (map[0] ? CLONE_NEWUSER : 0),
                              .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD, .cgroup = (uint64_t)group};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    CHECK(pid);
    if (!pid) {
        char byte;
        if (map[0]) {
            CHECK(read(go[1], &byte, 1));
            CHECK(setresgid(0, 0, 0));
            CHECK(setresuid(0, 0, 0));
        }
        child(root, tree, dev, notify, go[1], argv + at);
    }
    close(go[1]);
    if (map[0]) {
        close(user_namespace(map, pid));
        CHECK(write(go[0], "g", 1));
    }
    if (boot) wait_ready(notify, pidfd, receive_console(go[0]), cgroup);
    int status = wait_for(pidfd);
    for (int tries = 0; rmdir(cgroup) < 0 && errno == EBUSY && tries < 1000 && !boot; ++tries) usleep(100);
    return status;
}

static int exec_into(char **argv) {
    read_filter(argv[3]);
    int target = (int)syscall(SYS_pidfd_open, atoi(argv[2]), 0);
    CHECK(target);
    int group = open(argv[4], O_PATH | O_DIRECTORY | O_CLOEXEC), pidfd = -1;
    CHECK(group);
    CHECK(setns(target, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP |
                            (getenv("FLOOR_USERNS") ? CLONE_NEWUSER : 0)));
    struct clone_args args = {.flags = CLONE_PIDFD | CLONE_INTO_CGROUP, .pidfd = (uint64_t)(uintptr_t)&pidfd,
                              .exit_signal = SIGCHLD, .cgroup = (uint64_t)group};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    CHECK(pid);
    if (!pid) become(caps_app, argv + 5);
    return wait_for(pidfd);
}

int main(int argc, char **argv) {
    if (argc > 4 && !strcmp(argv[1], "run")) return run(argc, argv);
    if (argc > 5 && !strcmp(argv[1], "exec")) return exec_into(argv);
    dprintf(2, "usage: floor run ROOT FILTER [-u BASE] [-b] CMD… | floor exec PID FILTER CGROUP CMD…\n");
    return 2;
}
