// What a layer says about the layers below it: as overlayfs' marks, or applied where they are all in one
// tree.
#include <sys/stat.h>

#include "archive/names.h"
#include "archive/tree_files.h"
#include "archive/tree_writer.h"
#include "base/remove_tree.h"
#include "base/text.h"

namespace croft::archive {

Result<> TreeWriter::add_whiteout(const std::string& path) {
    DirectoryRef parent = TRY(directories_.open(std::string(parent_of(path))));
    if (options_.whiteouts == Whiteouts::apply) {
        TRY(shards_.barrier());
        return remove_lower(TRY(open_directory(tree_, parent->path)), path);
    }
    if (directories_.knows(path)) {
        std::lock_guard lock(state_.mutex);
        state_.opaque.push_back(path);
        return {};
    }
    Task task;
    task.kind = Task::Kind::whiteout;
    task.directory = std::move(parent);
    task.name = last_of(path);
    return push(std::move(task));
}

Result<> TreeWriter::make_opaque(const std::string& path) {
    DirectoryRef directory = TRY(directories_.open(path));
    if (options_.whiteouts != Whiteouts::apply) {
        std::lock_guard lock(state_.mutex);
        state_.opaque.push_back(path);
        return {};
    }
    TRY(shards_.barrier());
    auto names = TRY(list_directory(directory->fd.get()));
    for (const std::string& name : names) {
        Fd parent = TRY(open_directory(tree_, path));
        TRY(remove_lower(std::move(parent), cat(path, path.empty() ? "" : "/", name)));
    }
    return {};
}

// Removes what lower layers have there; what this archive made stays, and of its directories what is not its
// own goes. `directory` is the one that has the name.
Result<> TreeWriter::remove_lower(Fd directory, const std::string& path) {
    std::string name(last_of(path));
    bool made = made_.contains(std::hash<std::string>()(path));
    auto inner = open_directory_in(directory.get(), name);
    if (!inner) return made ? Result<>() : remove_tree_at(directory.get(), name.c_str());
    if (!made) return directories_.remove(path);
    auto names = TRY(list_directory(inner->get()));
    for (const std::string& below : names) {
        Fd again = TRY(open_directory_in(directory.get(), name));
        TRY(remove_lower(std::move(again), cat(path, "/", below)));
    }
    return {};
}

}  // namespace croft::archive
