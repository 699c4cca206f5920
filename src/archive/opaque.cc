#include "archive/unpack_parts.h"

#include <errno.h>
#include <sys/xattr.h>

#include "archive/names.h"
#include "archive/tree_files.h"
#include "base/text.h"

namespace croft::archive {

// Documentation/filesystems/overlayfs.rst: "user." with the mount option userxattr, else "trusted.", which
// takes CAP_SYS_ADMIN of the host: so it is not set inside the sandbox, and that has no such power.
Result<> mark_opaque(int tree, const std::vector<std::string>& paths, const UnpackOptions& options) {
    const char* attribute =
        options.whiteouts == Whiteouts::overlay_user ? "user.overlay.opaque" : "trusted.overlay.opaque";
    for (const std::string& path : paths) {
        auto safe = tree_path(path, options.limits.name_length, options.limits.depth);
        if (!safe || *safe != path)
            return error(Errc::failed, cat("croft-unpack reports the path ", shown(path), ", which no entry can have"));
        auto directory = open_directory(tree, path);
        // It was opaque, and then another entry took its place.
        if (!directory && (directory.error().err == ENOENT || directory.error().err == ENOTDIR ||
                           directory.error().err == ELOOP))
            continue;
        if (!directory) return std::move(directory.error());
        if (fsetxattr(directory->get(), attribute, "y", 1, 0) != 0)
            return os_error(errno, cat("marking ", shown(path), " opaque with ", attribute));
    }
    return {};
}

}  // namespace croft::archive
