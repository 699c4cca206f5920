#include "kernel/overlay.h"

#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/remove_tree.h"
#include "base/text.h"

namespace croft::kernel {
namespace {

long configure(int fs, unsigned command, const char* key, const char* value) {
    return syscall(SYS_fsconfig, fs, command, key, value, 0);
}

// A string of fsconfig(2), which paths of trees may exceed: so they are told as open files.
constexpr size_t longest_string = 255;

std::string path_of(const Fd& fd) {
    return cat("/proc/self/fd/", fd.get());
}

std::string in_one_string(const std::vector<Fd>& lowers) {
    std::string all;
    for (const Fd& each : lowers) all += cat(all.empty() ? "" : ":", path_of(each));
    return all;
}

// In one string as long as they fit; more of them one by one, which overlayfs has since Linux 6.5. (An older one takes this
// too, as long as nothing is made of it.)
Result<> set_lowers(int fs, const std::vector<Fd>& lowers) {
    std::string all = in_one_string(lowers);
    if (all.size() <= longest_string)
        return configure(fs, FSCONFIG_SET_STRING, "lowerdir", all.c_str()) == 0 ? Result<>() : os_error(errno, "giving overlayfs its layers");
    for (const Fd& lower : lowers)
        if (configure(fs, FSCONFIG_SET_STRING, "lowerdir+", path_of(lower).c_str()) < 0)
            return os_error(errno, "giving overlayfs a layer");
    return {};
}

Error not_made(const std::vector<Fd>& lowers) {
    if (errno != EINVAL || in_one_string(lowers).size() <= longest_string) return os_error(errno, "making an overlay of layers");
    return error(Errc::unsupported, cat("this kernel takes fewer than ", lowers.size(), " layers; Linux 6.5 takes 500"));
}

// A path that is too long for fsconfig(2) is told as an open file too.
Result<Fd> set_directory(int fs, const char* key, const std::string& path) {
    Fd directory = TRY(open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY));
    if (configure(fs, FSCONFIG_SET_STRING, key, path_of(directory).c_str()) < 0)
        return os_error(errno, cat("giving overlayfs ", path));
    return directory;
}

Result<Fd> make_overlay(const std::vector<Fd>& lowers, const std::string& upper, OverlayNotes notes, OverlaySync sync) {
    Fd fs(static_cast<int>(syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC)));
    if (!fs) return os_error(errno, "asking for an overlay (modprobe overlay)");
    (void)configure(fs.get(), FSCONFIG_SET_STRING, "source", "croft");
    if (notes == OverlayNotes::user) (void)configure(fs.get(), FSCONFIG_SET_FLAG, "userxattr", nullptr);
    TRY(set_lowers(fs.get(), lowers));
    Fd upper_fd, work_fd;
    if (!upper.empty()) {
        // Linux before 5.10 does not know it, and syncs.
        if (sync == OverlaySync::later) (void)configure(fs.get(), FSCONFIG_SET_FLAG, "volatile", nullptr);
        upper_fd = TRY(set_directory(fs.get(), "upperdir", upper + "/upper"));
        work_fd = TRY(set_directory(fs.get(), "workdir", upper + "/work"));
        // What is written is to be read from the upper alone.
        if (notes == OverlayNotes::trusted)
            for (const char* option : {"redirect_dir", "metacopy", "index"})
                (void)configure(fs.get(), FSCONFIG_SET_STRING, option, "off");
    }
    if (configure(fs.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr) < 0) return not_made(lowers);
    const unsigned read_only = upper.empty() ? MOUNT_ATTR_RDONLY : 0;
    Fd mount(static_cast<int>(syscall(SYS_fsmount, fs.get(), FSMOUNT_CLOEXEC, read_only | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)));
    if (!mount) return os_error(errno, "mounting an overlay of layers");
    return mount;
}

Result<std::vector<Fd>> open_trees(const std::vector<std::string>& trees) {
    std::vector<Fd> lowers;
    for (const std::string& tree : trees)
        lowers.push_back(TRY(open_at(AT_FDCWD, tree.c_str(), O_PATH | O_DIRECTORY).within("opening a layer")));
    if (lowers.empty()) return error(Errc::invalid, "there is no layer to read");
    return lowers;
}

}  // namespace

Result<Fd> read_layers(const std::vector<std::string>& trees, OverlayNotes notes) {
    std::vector<Fd> lowers = TRY(open_trees(trees));
    if (lowers.size() == 1) return std::move(lowers.front());
    return make_overlay(lowers, "", notes, OverlaySync::at_end);
}

Result<Fd> write_layers(const std::vector<std::string>& trees, const std::string& upper, OverlayNotes notes, OverlaySync sync) {
    return make_overlay(TRY(open_trees(trees)), upper, notes, sync);
}

Result<> clear_work(const std::string& upper) {
    Fd work = TRY(open_at(AT_FDCWD, cat(upper, "/work").c_str(), O_RDONLY | O_DIRECTORY));
    return remove_tree_at(work.get(), "work");
}

Result<> mount_layers(const std::vector<std::string>& trees, OverlayNotes notes, const std::string& directory) {
    Fd mount;
    if (trees.size() == 1) {
        mount = Fd(static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, trees[0].c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
        mount_attr attr = {};
        attr.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        if (!mount || syscall(SYS_mount_setattr, mount.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
            return os_error(errno, cat("taking the tree ", trees[0]));
    } else {
        mount = TRY(read_layers(trees, notes));
    }
    if (syscall(SYS_move_mount, mount.get(), "", AT_FDCWD, directory.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return os_error(errno, cat("mounting at ", quoted(directory)));
    return {};
}

}  // namespace croft::kernel
