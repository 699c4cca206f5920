#include "images/new_machine_tree.h"

#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "base/names.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "manager/find_tree.h"
#include "manager/install_mark.h"

namespace croft::images {
namespace {

std::string directory_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

}  // namespace

Result<NewMachineTree> NewMachineTree::begin(const manager::Paths& paths, const std::string& name, const char* suffix) {
    TRY(check_machine_name(name));
    NewMachineTree out;
    out.paths_ = paths, out.name_ = name;
    out.target_ = cat(manager::tree_path(name), suffix);
    for (const char* other : {"", ".raw"})
        if (std::string there = cat(manager::tree_path(name), other); exists_at(AT_FDCWD, there.c_str()))
            return error(Errc::exists, cat("there is ", quoted(there), " already; choose another name, or remove it first"));
    std::string directory = directory_of(out.target_);
    TRY(make_dirs_at(AT_FDCWD, directory).within(cat("making ", quoted(directory))));
    out.partial_ = cat(directory, "/.#", name, suffix, ".croft-copy");
    out.mark_ = TRY(manager::mark_incomplete(paths, name, out.partial_));
    TRY(remove_tree_at(AT_FDCWD, out.partial_.c_str()).within(cat("removing ", quoted(out.partial_))));
    return out;
}

NewMachineTree::~NewMachineTree() {
    if (!mark_) return;
    if (Result<> removed = remove_tree_at(AT_FDCWD, partial_.c_str()); !removed) warn(removed.error().text);
    manager::clear_incomplete(paths_, name_);
}

Result<> NewMachineTree::finish() {
    Fd whole = TRY(open_at(AT_FDCWD, partial_.c_str(), O_RDONLY | O_NOFOLLOW));
    // Before the name: so after a power cut what has it is whole.
    if (syncfs(whole.get()) < 0) return os_error(errno, cat("writing ", quoted(partial_), " to the disk"));
    if (renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) < 0)
        return os_error(errno, cat("naming it ", quoted(target_)));
    Fd directory = TRY(open_at(AT_FDCWD, directory_of(target_).c_str(), O_RDONLY | O_DIRECTORY));
    if (fsync(directory.get()) < 0) return os_error(errno, cat("writing the directory of ", quoted(target_), " to the disk"));
    manager::clear_incomplete(paths_, name_);
    mark_.reset();
    return {};
}

}  // namespace croft::images
