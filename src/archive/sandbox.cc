#include "archive/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "archive/sandbox_filter.h"
#include "kernel/raw.h"

namespace croft::archive {

namespace {

// Of a call of the C library, which says -1 and sets errno.
Result<> check(long result, const char* doing) {
    return result >= 0 ? Result<>() : os_error(errno, doing);
}
// Of one of kernel/raw.h, which says -errno.
Result<> check_raw(long result, const char* doing) {
    return result >= 0 ? Result<>() : os_error(static_cast<int>(-result), doing);
}

constexpr uint64_t tree_attributes =
    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;

// The tree alone, as a mount that is stricter than the one it is on. Made before the mount namespace is left,
// because a mount can only be copied from where one is.
Result<Fd> tree_as_mount(const Fd& tree) {
    long copy = kernel::raw_open_tree(tree.get(), "", true, false);
    TRY(check_raw(copy, "making a mount of the tree"));
    Fd mount(static_cast<int>(copy));
    TRY(check_raw(kernel::raw_set_attr(mount.get(), tree_attributes, 0, 0, -1, false),
                  "restricting the tree's mount"));
    return mount;
}

Result<> enter_namespaces(const Fd& mount) {
    TRY(check(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS),
              "entering namespaces of its own"));
    TRY(check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "making mounts private"));
    Fd top = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    TRY(check_raw(kernel::raw_attach(mount.get(), top.get()), "mounting the tree"));
    TRY(check(fchdir(mount.get()), "entering the tree"));
    return check(chroot("."), "making the tree the root");
}

constexpr uint64_t capability(int number) {
    return uint64_t{1} << number;
}

// What writing files of others takes; also CAP_FSETID, or set-group-id bits would get lost.
Result<> keep_few_capabilities(MakesNodes nodes) {
    uint64_t keep = capability(CAP_CHOWN) | capability(CAP_DAC_OVERRIDE) | capability(CAP_FOWNER) |
                    capability(CAP_FSETID) | capability(CAP_SETFCAP);
    if (nodes == MakesNodes::yes) keep |= capability(CAP_MKNOD);
    for (int number = 0; number < 64; ++number)
        if (!(keep & capability(number)) && prctl(PR_CAPBSET_READ, number) == 1)
            TRY(check(prctl(PR_CAPBSET_DROP, number), "dropping capabilities"));
    TRY(check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "dropping capabilities"));
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    for (int half = 0; half < 2; ++half)
        data[half].effective = data[half].permitted = static_cast<uint32_t>(keep >> (32 * half));
    TRY(check(syscall(SYS_capset, &header, data), "dropping capabilities"));
    return check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "refusing new privileges");
}

}  // namespace

Result<Fd> enter_sandbox(Fd tree, MakesNodes nodes) {
    Fd mount = TRY(tree_as_mount(tree));
    TRY(enter_namespaces(mount));
    mount.reset();
    tree = TRY(open_at(AT_FDCWD, "/",
                       O_RDONLY | O_DIRECTORY));  // through the stricter mount; the way outside is closed
    TRY(keep_few_capabilities(nodes));
#ifndef __SANITIZE_ADDRESS__  // whose runtime uses system calls that no program needs
    TRY(install_sandbox_filter());
#endif
    return tree;
}

}  // namespace croft::archive
