#include "host/tree.h"

#include <linux/magic.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <csignal>

#include "base/scope.h"
#include "base/text.h"
#include "kernel/overlay.h"

namespace croft::host {
namespace {

// systemd first: a tree that has it and another init wants systemd in a container (nspawn's order).
constexpr const char* init_candidates[] = {"/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init",
                                           "/etc/init", "/bin/init"};
constexpr const char* shells[] = {"/bin/bash", "/bin/sh"};

bool is_directory_in(int root, const char* path) {
    return bool(open_in_root(root, path, O_PATH | O_DIRECTORY));
}

// The first of the candidates that is there as an executable file.
template <size_t count>
std::string first_program(int root, const char* const (&candidates)[count]) {
    for (const char* path : candidates) {
        auto file = open_in_root(root, path, O_PATH);
        struct stat st = {};
        if (file && fstat(file->get(), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111)) return path;
    }
    return "";
}

bool is_writable_use(const spec::MachineSpec& spec) {
    return !spec.root.read_only && !spec.root.ephemeral && spec.root.volatile_mode == spec::Volatile::no;
}

// The host's own root: a machine that writes it would be the host without its fence.
Result<> refuse_host_root(const spec::MachineSpec& spec, const struct stat& st) {
    struct stat host_root = {};
    if (stat("/", &host_root) == 0 && host_root.st_dev == st.st_dev && host_root.st_ino == st.st_ino &&
        is_writable_use(spec))
        return error(Errc::invalid,
                     cat("the tree ", quoted(spec.root.directory),
                         " is this host's own root; run it on a throwaway copy with --ephemeral, or with "
                         "--read-only or --volatile"));
    return {};
}

Result<> refuse_world_writable(const std::string& directory, const struct stat& st) {
    if (!(st.st_mode & S_IWOTH)) return {};
    return error(Errc::denied, cat("the tree ", quoted(directory),
                                   " can be written by every user of this host; chmod o-w it, and make sure "
                                   "that nobody has put anything into it"));
}

bool is_machine_id(std::string_view text) {
    text = trim(text);
    return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == text.npos &&
           text.find_first_not_of('0') != text.npos;
}

// Each init is stopped and rebooted in its own way, and what /sbin/init is, the link's end tells.
spec::InitKind init_kind(int root, const std::string& init) {
    if (init.ends_with("/systemd")) return spec::InitKind::systemd;
    auto file = open_in_root(root, init.c_str(), O_PATH);
    char path[4096];
    ssize_t n = file ? readlink(cat("/proc/self/fd/", file->get()).c_str(), path, sizeof path) : -1;
    std::string_view real(path, n > 0 ? static_cast<size_t>(n) : 0);
    real.remove_prefix(std::min(real.rfind('/') + 1, real.size()));
    if (real == "systemd") return spec::InitKind::systemd;
    if (real.starts_with("busybox")) return spec::InitKind::busybox;
    if (real == "openrc-init") return spec::InitKind::openrc;
    // Debian's OpenRC boots by sysvinit's init, which is then the one to talk to.
    return open_in_root(root, "etc/inittab", O_PATH) ? spec::InitKind::sysvinit : spec::InitKind::other;
}

// Top-level links into /usr: with --volatile=yes only /usr comes from the tree, and they are made anew.
void find_usr_links(int root, spec::TreeFacts& facts) {
    for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
        char target[64];
        ssize_t n = readlinkat(root, name, target, sizeof target);
        std::string_view link(target, n > 0 ? static_cast<size_t>(n) : 0);
        if (link.starts_with('/')) link.remove_prefix(1);
        if (link.starts_with("usr/") && link.size() < sizeof target) facts.usr_links.emplace_back(name, link);
    }
}

Error not_an_os_tree(const spec::MachineSpec& spec) {
    return error(Errc::invalid,
                 cat(quoted(spec.root.directory),
                     " is no OS tree: it has no usr/, no bin/ and no os-release; give the top "
                     "directory of one (mmdebstrap makes them), or --force-tree if this is meant"));
}

Error no_init(const spec::MachineSpec& spec) {
    return error(Errc::no_command, cat("no init in ", quoted(spec.root.directory), ": none of ",
                                       join({std::begin(init_candidates), std::end(init_candidates)}, ", "),
                                       " is there; install one (Debian: systemd-sysv) or use `croft run`"));
}

}  // namespace

Result<std::string> read_in_tree(int root, const char* path, size_t limit) {
    // O_PATH first, so that a device node or FIFO that a hostile tree put there is never opened.
    Fd found = TRY(open_in_root(root, path, O_PATH));
    struct stat st = {};
    if (fstat(found.get(), &st) < 0) return os_error(errno, cat("looking at '", path, "' in the tree"));
    if (!S_ISREG(st.st_mode)) return error(Errc::invalid, cat("'", path, "' in the tree is no regular file"));
    Fd file = TRY(open_at(AT_FDCWD, cat("/proc/self/fd/", found.get()).c_str(), O_RDONLY | O_NOCTTY));
    return read_all(file.get(), limit).within(cat("'", path, "' in the tree"));
}

Result<Fd> open_tree_root(const spec::MachineSpec& spec, spec::TreeFacts& facts) {
    const std::string& wanted = spec.root.directory;
    if (wanted.empty()) return error(Errc::invalid, "no tree was given");
    int fd = open(wanted.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error(Errc::not_found, cat("there is no tree ", quoted(wanted),
                                          "; give the directory of an OS tree (mmdebstrap makes them)"));
    if (fd < 0 && errno == ENOTDIR)
        return error(Errc::invalid,
                     cat("the tree ", quoted(wanted),
                         " is neither a directory nor a disk image"));
    if (fd < 0) return os_error(errno, cat("opening the tree ", quoted(wanted)));
    Fd root(fd);
    struct stat st = {};
    if (fstat(fd, &st) < 0) return os_error(errno, cat("looking at the tree ", quoted(wanted)));
    TRY(refuse_host_root(spec, st));
    TRY(refuse_world_writable(wanted, st));
    char resolved[4096];
    ssize_t n = readlink(cat("/proc/self/fd/", fd).c_str(), resolved, sizeof resolved);
    if (n <= 0 || resolved[0] != '/')
        return error(Errc::failed,
                     cat("the path of the tree ", quoted(wanted), " cannot be found; is /proc mounted?"));
    facts.directory.assign(resolved, static_cast<size_t>(n));
    facts.owner_uid = st.st_uid, facts.owner_gid = st.st_gid;
    struct statfs fs = {};
    facts.read_only_fs = fstatfs(fd, &fs) == 0 && (fs.f_flags & ST_RDONLY);
    std::string beside = facts.directory + ".nspawn";
    if (access(beside.c_str(), F_OK) == 0) facts.machine_file = std::move(beside);
    return root;
}

Result<Fd> open_layers(const spec::MachineSpec& spec, spec::TreeFacts& facts, bool privileged) {
    const spec::Root& root = spec.root;
    std::vector<std::string> trees(root.layers.rbegin(), root.layers.rend());
    facts.directory = trees.front();
    std::string own = root.upper + "/upper";
    // A preview may come before the machine's first start.
    if (!root.upper.empty()) {
        facts.directory = own;
        if (exists_at(AT_FDCWD, own.c_str())) trees.insert(trees.begin(), own);
    }
    using kernel::OverlayNotes;
    auto seen = kernel::read_layers(trees, privileged ? OverlayNotes::trusted : OverlayNotes::user);
    if (seen || seen.error().err != EPERM) return std::move(seen).within(cat("the layers of image ", quoted(root.image)));
    return open_at(AT_FDCWD, root.layers.front().c_str(), O_PATH | O_DIRECTORY);
}

Result<Fd> open_disk_root(const spec::MachineSpec& spec, int disk_root, spec::TreeFacts& facts) {
    const std::string& wanted = spec.root.directory;
    struct stat st = {};
    if (stat(wanted.c_str(), &st) < 0) return os_error(errno, cat("looking at the disk image ", quoted(wanted)));
    TRY(refuse_world_writable(wanted, st));
    char resolved[PATH_MAX];
    if (!realpath(wanted.c_str(), resolved)) return os_error(errno, cat("the path of the disk image ", quoted(wanted)));
    facts.directory = resolved;
    Fd root(fcntl(disk_root, F_DUPFD_CLOEXEC, 3));
    if (!root || fstat(root.get(), &st) < 0) return os_error(errno, cat("looking into the disk image ", quoted(wanted)));
    TRY(refuse_world_writable(wanted, st));
    facts.owner_uid = st.st_uid, facts.owner_gid = st.st_gid;
    return root;
}

Result<> look_inside(int root, const spec::MachineSpec& spec, spec::TreeFacts& facts) {
    bool boot = spec.mode == spec::Mode::boot;
    bool has_usr = is_directory_in(root, "usr");
    facts.has_os_release = bool(open_in_root(root, "etc/os-release", O_PATH)) ||
                           bool(open_in_root(root, "usr/lib/os-release", O_PATH));
    facts.is_os_tree = has_usr || facts.has_os_release || is_directory_in(root, "bin");
    if (!facts.is_os_tree && spec.root.os_check == spec::OsCheck::require && spec.root.pivot_new.empty())
        return not_an_os_tree(spec);
    char link[16];
    facts.usr_merged = has_usr && readlinkat(root, "bin", link, sizeof link) > 0;
    if (spec.root.volatile_mode == spec::Volatile::yes) find_usr_links(root, facts);
    if (spec.process.command.empty() || boot) facts.shell = first_program(root, shells);
    if (!boot) return {};
    facts.init = first_program(root, init_candidates);
    if (facts.init.empty() && spec.root.pivot_new.empty()) return no_init(spec);
    facts.init_kind = init_kind(root, facts.init);
    facts.systemd_init = facts.init_kind == spec::InitKind::systemd;
    auto machine_id = read_in_tree(root, "etc/machine-id", 4096);
    facts.machine_id_set = machine_id && is_machine_id(*machine_id);
    return {};
}

// A user namespace is needed to ask: the kernel refuses an idmap from the initial one. A child makes it and
// waits.
bool idmap_works(int root) {
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) < 0) return false;
    Fd read_end(gate[0]), write_end(gate[1]);
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        char byte;
        syscall(SYS_close, gate[1]);
        syscall(SYS_read, gate[0], &byte, 1);  // ends when the parent closes its end, or dies
        syscall(SYS_exit_group, 0);
    }
    if (child < 0) return false;
    OnExit reap([&] {
        write_end.reset();
        waitpid(static_cast<pid_t>(child), nullptr, 0);
    });
    for (const char* map : {"uid_map", "gid_map"})
        if (!write_file_at(AT_FDCWD, cat("/proc/", child, "/", map).c_str(), "0 524288 65536\n"))
            return false;
    auto userns = open_at(AT_FDCWD, cat("/proc/", child, "/ns/user").c_str(), O_RDONLY);
    if (!userns) return false;
    Fd clone(static_cast<int>(
        syscall(SYS_open_tree, root, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
    if (!clone) return false;
    mount_attr attr = {};
    attr.attr_set = MOUNT_ATTR_IDMAP;
    attr.userns_fd = static_cast<uint64_t>(userns->get());
    return syscall(SYS_mount_setattr, clone.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) == 0;
}

}  // namespace croft::host
