// rebuild, and what a machine has changed: both look at the machine's upper against the layers below it.
#include <dirent.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "manager/copy_tree.h"
#include "manager/image_root.h"
#include "manager/own_root.h"
#include "manager/root_copies.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/names.h"

namespace croft::manager {
namespace {

constexpr int deepest = 512;

// The image's volumes are data by its own word.
Result<std::vector<std::string>> kept_paths(const store::Store& store, const store::MachineRoot& root,
                                            std::vector<std::string> keep) {
    store::Image image = TRY(store::read_image(store, *root.manifest));
    for (const std::string& volume : image.config.process.volumes) keep.push_back(volume);
    for (std::string& path : keep) {
        while (path.size() > 1 && path.ends_with('/')) path.pop_back();
        bool up = path.find("/../") != path.npos || path.ends_with("/..");
        if (path.size() < 2 || path[0] != '/' || up)
            return error(Errc::invalid, cat("--keep: ", quoted(path), " is no absolute path inside the machine"));
    }
    std::ranges::sort(keep);
    // What lies below another one comes along with it.
    std::vector<std::string> out;
    for (std::string& path : keep)
        if (std::ranges::none_of(out, [&](const std::string& top) { return path == top || path.starts_with(top + "/"); }))
            out.push_back(std::move(path));
    return out;
}

// A directory of the old root, reached without any link: where the data really is.
Result<std::optional<Fd>> open_kept(int view, const std::string& path) {
    auto found = open_in_root(view, path.c_str(), O_RDONLY | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
    if (found) return std::optional<Fd>(std::move(*found));
    if (found.error().err == ENOENT) return std::optional<Fd>();
    if (found.error().err == ELOOP)
        return error(Errc::invalid, cat("--keep: ", quoted(path), " leads through a symbolic link; give the directory itself"));
    if (found.error().err == ENOTDIR) return error(Errc::invalid, cat("--keep: ", quoted(path), " is no directory"));
    return std::move(found).error();
}

Result<> take_attributes(int from, const std::string& to) {
    struct stat st = {};
    if (fstat(from, &st) < 0) return os_error(errno, "looking at a directory");
    if (chown(to.c_str(), st.st_uid, st.st_gid) < 0 || chmod(to.c_str(), st.st_mode & 07777) < 0)
        return os_error(errno, cat("making ", quoted(to)));
    return {};
}

// The directories above it, as they were.
Result<> make_parents(int view, const std::string& upper, const std::string& path) {
    for (size_t at = path.find('/', 1); at != path.npos; at = path.find('/', at + 1)) {
        std::string parent = path.substr(0, at), target = upper + parent;
        if (mkdir(target.c_str(), 0700) < 0) {
            if (errno == EEXIST) continue;
            return os_error(errno, cat("making ", quoted(target)));
        }
        Fd from = TRY(open_in_root(view, parent.c_str(), O_RDONLY | O_DIRECTORY));
        TRY(take_attributes(from.get(), target));
    }
    return {};
}

Result<> keep_path(int view, const std::string& upper, const std::string& path) {
    auto kept = TRY(open_kept(view, path));
    if (!kept) return {};
    TRY(make_parents(view, upper, path));
    std::string target = upper + path;
    TRY(copy_tree(cat("/proc/self/fd/", kept->get()), target).within(cat("keeping ", path)));
    // What the new image has there is not mixed into it.
    const char* name = overlay_notes() == kernel::OverlayNotes::trusted ? "trusted.overlay.opaque" : "user.overlay.opaque";
    if (setxattr(target.c_str(), name, "y", 1, 0) < 0) return os_error(errno, cat("keeping ", path));
    return {};
}

}  // namespace

Result<> rebuild_machine(const Paths& paths, const std::string& name, const std::string& image,
                         const std::vector<std::string>& keep) {
    OwnRoot own = TRY(OwnRoot::take(paths, name, "rebuild"));
    store::MachineRoot fresh = TRY(new_root(own.store(), image.empty() ? own.root().image : image, name));
    std::vector<std::string> kept = TRY(kept_paths(own.store(), fresh, keep));
    Fd view = TRY(own.view());
    auto keep_all = [&](const std::string& directory) -> Result<> {
        for (const std::string& path : kept) TRY(keep_path(view.get(), directory + "/upper", path));
        return {};
    };
    TRY(store::replace_machine_root(own.store(), fresh, keep_all));
    view.reset();
    own.store().empty_trash_later();
    return {};
}

namespace {

class UpperWalk {
  public:
    UpperWalk(int below, std::vector<ChangedPath>& out) : below_(below), out_(out) {}

    Result<> directory(int dir, const std::string& path, int depth) {
        if (depth > deepest) return error(Errc::failed, cat(quoted(path), " is nested too deeply"));
        DIR* stream = fdopendir(dup(dir));
        if (!stream) return os_error(errno, cat("reading ", quoted(path)));
        std::vector<std::string> names;
        while (dirent* entry = readdir(stream))
            if (std::string_view(entry->d_name) != "." && std::string_view(entry->d_name) != "..")
                names.emplace_back(entry->d_name);
        closedir(stream);
        std::ranges::sort(names);
        for (const std::string& name : names) TRY(entry(dir, name, cat(path, "/", name), depth));
        return {};
    }

  private:
    Result<> entry(int dir, const std::string& name, const std::string& path, int depth) {
        struct stat st = {};
        if (fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) return os_error(errno, cat("looking at ", quoted(path)));
        bool there = bool(open_in_root(below_, path.c_str(), O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
        // Overlayfs' mark of what was removed.
        if (S_ISCHR(st.st_mode) && st.st_rdev == 0) {
            if (there) out_.push_back({Change::removed, path});
            return {};
        }
        bool is_directory = S_ISDIR(st.st_mode);
        // A directory that is there below as well is as a rule only the way to what changed.
        if (!is_directory || !there) out_.push_back({there ? Change::changed : Change::added, path});
        if (!is_directory) return {};
        Fd inner = TRY(open_at(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        return directory(inner.get(), path, depth + 1);
    }
    int below_;
    std::vector<ChangedPath>& out_;
};

// The image's own layers: what was sealed is the machine's.
std::vector<std::string> image_layers(const store::MachineRoot& root) {
    std::vector<std::string> out;
    for (const std::string& id : root.layers)
        if (!store::is_sealed(id)) out.push_back(id);
    return out;
}

}  // namespace

Result<std::vector<ChangedPath>> changed_paths(const Paths& paths, const std::string& name) {
    OwnRoot own = TRY(OwnRoot::take(paths, name, "diff --files"));
    std::vector<std::string> image = image_layers(own.root());
    std::vector<std::string> lower = TRY(store::trees_above(own.store(), image));
    Fd below = TRY(kernel::read_layers(lower, overlay_notes()));
    std::vector<ChangedPath> out;
    UpperWalk walk(below.get(), out);
    std::vector<std::string> trees = TRY(store::trees_above(own.store(), own.root().layers));
    trees.resize(trees.size() - image.size());
    trees.insert(trees.begin(), cat(store::machine_directory(own.store(), name), "/upper"));
    for (const std::string& tree : trees) {
        Fd top = TRY(open_at(AT_FDCWD, tree.c_str(), O_RDONLY | O_DIRECTORY));
        TRY(walk.directory(top.get(), "", 0));
    }
    // The uppermost word counts where several layers speak of a path.
    std::ranges::stable_sort(out, {}, &ChangedPath::path);
    auto rest = std::ranges::unique(out, {}, &ChangedPath::path);
    out.erase(rest.begin(), rest.end());
    return out;
}

}  // namespace croft::manager
