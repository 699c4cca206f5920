#include "manager/find_tree.h"

#include <unistd.h>

#include <cerrno>
#include <climits>

#include "base/fd.h"
#include "base/names.h"
#include "base/text.h"

namespace croft::manager {

namespace {
constexpr std::string_view machines_directory = "/var/lib/machines/";

bool is_path(std::string_view text) {
    return text.find('/') != text.npos || text == "." || text == "..";
}
}  // namespace

std::string tree_path(std::string_view name) {
    return cat(machines_directory, name);
}

std::string default_tree(std::string_view name) {
    std::string directory = tree_path(name), image = directory + ".raw";
    bool is_image = !exists_at(AT_FDCWD, directory.c_str()) && exists_at(AT_FDCWD, image.c_str());
    return is_image ? image : directory;
}

Result<std::string> absolute_path(std::string_view path) {
    if (path.starts_with('/')) return std::string(path);
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here)) return os_error(errno, "the current directory");
    return path == "." ? std::string(here) : cat(here, "/", path);
}

Result<Tree> find_tree(std::string_view text) {
    if (text.empty())
        return error(Errc::usage, "TREE is empty: it is a directory, or a name in /var/lib/machines");
    constexpr std::string_view raw = "raw:";
    const bool image = text.starts_with(raw);
    if (image) text.remove_prefix(raw.size());
    if (image || is_path(text)) {
        std::string directory = TRY(absolute_path(text));
        std::string name = machine_name_from_path(directory);
        // "." and ".." have a name only once they are resolved.
        if (text.ends_with('.')) {
            char resolved[PATH_MAX];
            if (realpath(directory.c_str(), resolved)) name = machine_name_from_path(resolved);
        }
        return Tree{directory, name};
    }
    std::string directory = default_tree(text);
    if (exists_at(AT_FDCWD, directory.c_str())) return Tree{directory, machine_name_from_path(text)};
    std::string here(text);
    std::string hint = exists_at(AT_FDCWD, here.c_str())
                           ? cat("; for the one in this directory write ", quoted(cat("./", text)))
                           : std::string("; a path has a slash in it");
    return error(Errc::not_found, cat("there is no tree ", quoted(text), " in /var/lib/machines", hint));
}

}  // namespace croft::manager
