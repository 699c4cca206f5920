// What only the payload's own process can do: in its namespaces, as its root.
#include <linux/if.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>

#include "run/step_kinds.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using kernel::raw_attach;
using kernel::raw_close;
using kernel::raw_open_in_root;
using kernel::raw_open_tree;
using namespace launch;

long do_step(const Sysctl& s, Context&) {
    Path<512> path;
    path.add("/proc/sys/").add(s.path.c_str());
    if (path.cut) return -ENAMETOOLONG;
    long fd = raw_open_in_root(AT_FDCWD, path.text, O_WRONLY, 0, RESOLVE_NO_SYMLINKS);
    if (fd < 0) return fd;
    // Only a real proc is written to, never a file that the tree has put there (CVE-2025-52881).
    struct statfs fs;
    long error = raw(SYS_fstatfs, fd, arg(&fs));
    if (error >= 0 && fs.f_type != PROC_SUPER_MAGIC) error = -EXDEV;
    long n = error < 0 ? error : raw(SYS_write, fd, arg(s.value.data()), static_cast<long>(s.value.size()));
    raw_close(fd);
    return n < 0 ? n : 0;
}

long do_step(const SetHostname& s, Context&) {
    long error = raw(SYS_sethostname, arg(s.hostname.data()), static_cast<long>(s.hostname.size()));
    if (error < 0 || s.domainname.empty()) return error;
    return raw(SYS_setdomainname, arg(s.domainname.data()), static_cast<long>(s.domainname.size()));
}

long do_step(const LoopbackUp&, Context&) {
    long fd = raw(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return fd;
    ifreq request = {};
    request.ifr_name[0] = 'l', request.ifr_name[1] = 'o';
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    long error = raw(SYS_ioctl, fd, SIOCSIFFLAGS, arg(&request));
    raw_close(fd);
    return error;
}

namespace {

// The master of a new terminal in the machine's own devpts, whatever else may lie at that path.
long open_master() {
    long master =
        raw_open_in_root(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0, RESOLVE_NO_SYMLINKS);
    if (master < 0) return master;
    struct statfs fs;
    int unlock = 0;
    long error = raw(SYS_fstatfs, master, arg(&fs));
    if (error >= 0 && fs.f_type != DEVPTS_SUPER_MAGIC) error = -ENODEV;
    if (error >= 0) error = raw(SYS_ioctl, master, TIOCSPTLCK, arg(&unlock));
    if (error >= 0) error = raw(SYS_fcntl, master, F_SETFL, O_RDWR);
    if (error < 0) raw_close(master);
    return error < 0 ? error : master;
}

// The slave itself is bound, by its descriptor: no path that a tree could have bent is walked to it
// (CVE-2025-52565).
long bind_console(long slave) {
    long mount = raw_open_tree(slave, "", true, false);
    long target = mount < 0 ? mount : make_mount_point(AT_FDCWD, "/dev/console", false, RESOLVE_NO_SYMLINKS);
    long error = target < 0 ? target : raw_attach(mount, target);
    raw_close(mount);
    raw_close(target);
    return error;
}

}  // namespace

long do_step(const OpenConsole& s, Context& c) {
    long master = open_master();
    if (master < 0) return master;
    // TIOCGPTPEER opens the slave by the master, not by a path.
    long slave = raw(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    long error = slave;
    winsize size = {.ws_row = s.rows, .ws_col = s.columns, .ws_xpixel = 0, .ws_ypixel = 0};
    const Process& p = c.plan->process;
    if (error >= 0 && s.rows) error = raw(SYS_ioctl, slave, TIOCSWINSZ, arg(&size));
    if (error >= 0 && p.uid) error = raw(SYS_fchown, slave, p.uid, static_cast<long>(p.gid));
    if (error >= 0 && s.console) error = bind_console(slave);
    if (error >= 0) error = send_message(c.sync, "c", 1, static_cast<int>(master));
    raw_close(master);
    c.terminal = static_cast<int>(slave);
    return error < 0 ? error : 0;
}

long do_step(const ContainerHooks&, Context& c) {
    // The launcher needs a place for the host's tree that the machine cannot see.
    long error = send_message(c.sync, "h", 1, c.stage);
    return error < 0 ? error : ask_launcher(c.sync, nullptr, 0);
}

long do_step(const Fail& s, Context&) {
    return s.error > 0 ? -s.error : -EIO;
}

}  // namespace croft::run
