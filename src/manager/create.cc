#include "manager/create.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/names.h"
#include "base/scope.h"
#include "base/text.h"
#include "dialect/print.h"
#include "manager/config_changed.h"
#include "manager/config_file.h"
#include "manager/copy_tree.h"
#include "manager/declared.h"
#include "manager/image_root.h"
#include "manager/install_mark.h"
#include "base/remove_tree.h"
#include "manager/request.h"
#include "manager/states.h"
#include "manager/tree_lock.h"
#include "spec/fields.h"

namespace croft::manager {
namespace {

std::string file_of(const Paths& paths, std::string_view name) {
    return cat(paths.config, "/", name, ".machine");
}

// What a file cannot say is found by reading it back.
Error cannot_be_kept(const spec::Field& field) {
    return error(Errc::invalid,
                 cat(*field.option ? field.option : field.name, ": a machine file cannot hold this ",
                     *field.section ? "value" : "setting", "; leave it out"));
}

Result<> check_absent(const Paths& paths, const std::string& name) {
    TRY(check_machine_name(name));
    for (const std::string& path : dialect::machine_file_paths(places(paths), name))
        if (exists_at(AT_FDCWD, path.c_str()))
            return error(Errc::exists, cat("machine ", quoted(name), " is declared already, by ", path,
                                           "; `croft set` and `croft edit` change it"));
    return {};
}

// A copy grows beside its place under another name, so that a tree of this name is always a whole one.
std::string partial_path(const std::string& tree) {
    size_t slash = tree.rfind('/');
    return cat(tree.substr(0, slash), "/.#", tree.substr(slash + 1), ".croft-copy");
}

}  // namespace

Result<> copy_whole_tree(const Paths& paths, const std::string& from, const std::string& tree, const TreeWatch& watch) {
    std::string partial = partial_path(tree);
    TRY(make_dirs_at(AT_FDCWD, tree.substr(0, tree.rfind('/'))).within("making the tree's directory"));
    TRY(remove_tree_at(AT_FDCWD, partial.c_str()).within(cat("removing ", quoted(partial))));
    Fd root = TRY(open_at(AT_FDCWD, from.c_str(), O_PATH | O_DIRECTORY));
    TRY(open_machines(paths));  // the run directory, where locks are
    // Nobody may write it meanwhile, or the copy would be of two moments.
    TreeLock lock = TRY(lock_tree(paths, from, root.get(), LockKind::shared));
    OnExit unlock([&] { unlock_tree(std::move(lock)); });
    Result<> copied = copy_tree(from, partial, watch);
    if (copied && renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, tree.c_str(), RENAME_NOREPLACE) < 0)
        copied = os_error(errno, cat("naming it ", quoted(tree)));
    if (!copied) (void)remove_tree_at(AT_FDCWD, partial.c_str());
    return copied;
}

namespace {

Result<> check_copy(const NewMachine& machine) {
    const std::string& tree = machine.spec.root.directory;
    if (exists_at(AT_FDCWD, tree.c_str()))
        return error(Errc::exists,
                     cat("the tree ", quoted(tree), " is there already; without --from it is used as it is"));
    if (tree == machine.from || tree.starts_with(machine.from + "/"))
        return error(Errc::invalid, cat("the tree ", quoted(machine.from), " cannot be copied into itself"));
    return {};
}

Result<> fill_tree(const Paths& paths, const NewMachine& machine, Fd mark) {
    const std::string& name = machine.spec.name;
    Result<> copied = copy_whole_tree(paths, machine.from, machine.spec.root.directory, machine.watch)
                          .within(cat("copying ", quoted(machine.from)));
    if (!copied) unlink(file_of(paths, name).c_str());
    clear_incomplete(paths, name);
    mark.reset();
    return copied;
}

// A root on an image's layers. One that is there is taken as it is, as a tree would be.
Result<> make_own_root(const Paths& paths, const std::string& name, const std::string& file) {
    Result<> made;
    if (auto loaded = load_declared(paths, name); !loaded) {
        made = std::move(loaded).error();
    } else {
        auto hold = hold_layers(paths, loaded->spec);
        made = hold ? prepare_root(paths, loaded->spec) : Result<>(std::move(hold).error());
    }
    if (!made) unlink(file.c_str());
    return made;
}

}  // namespace

Result<std::string> machine_file_text(const spec::MachineSpec& spec) {
    std::string text = cat("# Machine ", spec.name, ": see `croft explain` for what can be said here.\n\n",
                           dialect::print_machine_file(spec));
    spec::MachineSpec back;
    std::vector<spec::Warning> none;
    spec::SpecPatch patch = TRY(dialect::parse_machine_file(text, "the machine file", {}));
    TRY(spec::apply(patch, back, none));
    back.name = spec.name;
    for (const spec::Field& field : spec::fields())
        if (field.get(back) != field.get(spec)) return cannot_be_kept(field);
    return text;
}

Result<std::string> create(const Paths& paths, const NewMachine& machine) {
    const std::string& name = machine.spec.name;
    std::string text = TRY(machine_file_text(machine.spec)), path = file_of(paths, name);
    Fd directory = TRY(lock_config(paths));
    TRY(check_absent(paths, name));
    if (!machine.from.empty()) TRY(check_copy(machine));
    dialect::Draft draft{path, text};
    TRY(load_declared(paths, name, &draft));
    Fd mark;
    if (!machine.from.empty())
        mark = TRY(mark_incomplete(paths, name, partial_path(machine.spec.root.directory)));
    Result<> written = write_config(directory.get(), name + ".machine", text, Existing::refuse);
    if (!written) {
        if (mark) clear_incomplete(paths, name);
        return std::move(written).error().within(
            cat("declaring machine ", quoted(name), " in ", paths.config));
    }
    // A long copy keeps nobody else from changing another machine.
    directory.reset();
    if (mark) TRY(fill_tree(paths, machine, std::move(mark)));
    if (!machine.spec.root.image.empty()) TRY(make_own_root(paths, name, path));
    config_changed(paths, name, "created");
    return path;
}

namespace {

// The tree is removed only when it is this machine's alone and nobody uses it.
Result<> remove_own_tree(const Paths& paths, const std::string& name, const std::string& tree) {
    struct stat st = {};
    if (lstat(tree.c_str(), &st) < 0 && errno == ENOENT) return {};
    if (tree.find('/', 1) == tree.npos || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
        return error(Errc::invalid, cat("the tree ", quoted(tree),
                                        " is not removed: it is a directory of the host's "
                                        "own, or none; remove it by hand if you mean it"));
    for (const Declared& other : TRY(declared(paths)))
        if (other.name != name && (other.tree == tree || other.tree.starts_with(tree + "/")))
            return error(Errc::busy,
                         cat("the tree ", quoted(tree), " is also machine ", quoted(other.name), "'s"));
    Fd root = TRY(open_at(AT_FDCWD, tree.c_str(), O_PATH | O_NOFOLLOW));
    TreeLock lock = TRY(lock_tree(paths, tree, root.get(), LockKind::exclusive));
    Result<> removed = remove_tree_at(AT_FDCWD, tree.c_str()).within(cat("removing ", quoted(tree)));
    unlock_tree(std::move(lock));
    return removed;
}

Result<> own_file(const Paths& paths, const std::string& file, const std::string& name) {
    if (file == file_of(paths, name)) return {};
    return error(Errc::denied,
                 cat(file,
                     " is not ours to change (a package's, or only until the next boot); to hide it: ln -s "
                     "/dev/null ",
                     file_of(paths, name)));
}

}  // namespace

Result<RemovedDeclaration> remove_declared(const Paths& paths, const std::string& name, WithTree with_tree) {
    Machine machine = TRY(find_any(paths, name));
    if (machine.file.empty()) return not_declared(paths, name);
    TRY(check_state(machine, "rm --config"));
    RemovedDeclaration out{machine.file, "", ""};
    if (is_marked_incomplete(paths, name)) {
        std::string partial = TRY(interrupted_copy(paths, name));
        if (partial.ends_with(".croft-copy")) TRY(remove_tree_at(AT_FDCWD, partial.c_str()));
    }
    Fd directory = TRY(lock_config(paths));
    TRY(own_file(paths, machine.file, name));
    if (!machine.only_declared()) TRY(clear(paths, machine));
    Declared declared = TRY(find_declared(paths, name));
    if (with_tree == WithTree::yes) {
        TRY(declared.image.empty() ? remove_own_tree(paths, name, declared.tree) : remove_own_root(paths, name));
        out.tree = declared.tree;
    }
    // With its file the machine is gone; what may stay behind when we are killed here does nothing.
    if (unlinkat(directory.get(), (name + ".machine").c_str(), 0) < 0)
        return os_error(errno, cat("removing ", machine.file));
    clear_incomplete(paths, name);
    TRY(remove_tree_at(directory.get(), (name + ".machine.d").c_str()));
    config_changed(paths, name, "removed");
    if (auto rest = find_declared(paths, name)) out.uncovered = rest->file;
    return out;
}

namespace {

// Its tree shall stay the same one, also where only its name had said which.
Result<std::string> with_directory(const std::string& text, const std::string& path,
                                   const std::string& tree) {
    spec::SpecPatch patch = TRY(dialect::parse_machine_file(text, path, {}));
    for (const spec::Assignment& assignment : patch.assignments)
        if (std::string_view(assignment.field->name) == "directory" &&
            assignment.assign == spec::Assign::value)
            return text;
    return cat(text, text.empty() || text.ends_with('\n') ? "" : "\n", "\n[Machine]\nDirectory=", tree, "\n");
}

Result<> move_drop_ins(int directory, const std::string& from, const std::string& to) {
    std::string old_name = from + ".machine.d", new_name = to + ".machine.d";
    if (renameat2(directory, old_name.c_str(), directory, new_name.c_str(), RENAME_NOREPLACE) == 0 ||
        errno == ENOENT)
        return {};
    return os_error(errno, cat("renaming ", old_name));
}

}  // namespace

Result<> rename(const Paths& paths, const std::string& from, const std::string& to) {
    Machine machine = TRY(find_any(paths, from));
    if (machine.file.empty()) return not_declared(paths, from);
    TRY(check_state(machine, "rename"));
    if (!machine.mistake.empty()) return error(Errc::invalid, machine.mistake);
    Fd directory = TRY(lock_config(paths));
    TRY(own_file(paths, machine.file, from));
    TRY(check_absent(paths, to));
    std::string text = TRY(read_file_at(directory.get(), (from + ".machine").c_str()));
    Declared declared = TRY(find_declared(paths, from));
    if (declared.image.empty()) text = TRY(with_directory(text, machine.file, declared.tree));
    TRY(move_drop_ins(directory.get(), from, to));
    Result<> renamed = write_config(directory.get(), to + ".machine", text, Existing::refuse);
    const bool written = bool(renamed);
    // Killed here, it is still whole under its old name.
    if (written && !declared.image.empty()) renamed = rename_own_root(paths, from, to);
    if (!renamed) {
        if (written) unlinkat(directory.get(), (to + ".machine").c_str(), 0);
        (void)move_drop_ins(directory.get(), to, from);
        return renamed;
    }
    if (unlinkat(directory.get(), (from + ".machine").c_str(), 0) < 0)
        return os_error(errno, cat("removing ", machine.file));
    config_changed(paths, from, cat("renamed to ", to));
    return {};
}

Result<Cloned> clone_declared(const Paths& paths, const std::string& from, const std::string& to,
                              const std::string& directory) {
    SyncGroup group;
    return clone_declared(paths, from, to, directory, group, [] { return Result<>(); });
}

Result<Cloned> clone_declared(const Paths& paths, const std::string& from, const std::string& to, const std::string& directory,
                              SyncGroup& group, const std::function<Result<>()>& root) {
    LoadedMachine loaded = TRY(load_declared(paths, from));
    auto files = TRY(dialect::read_machine_files(places(paths), from));
    Fd config = TRY(lock_config(paths));
    TRY(check_absent(paths, to));
    const std::string& tree = directory.empty() ? loaded.spec.root.directory : directory;
    std::string text = !loaded.spec.root.image.empty() ? files[0].text
                       : directory.empty()             ? TRY(with_directory(files[0].text, files[0].path, tree))
                                                       : cat(files[0].text, "\n[Machine]\nDirectory=", tree, "\n");
    // Drop-ins first: without its file they are nothing.
    for (size_t i = 1; i < files.size(); ++i) {
        ConfigPlace place = TRY(config_place(
            cat(paths.config, "/", to, ".machine.d/", files[i].path.substr(files[i].path.rfind('/') + 1))));
        TRY(write_config(place.directory.get(), place.name, files[i].text, Existing::replace));
    }
    ConfigDraft draft = TRY(ConfigDraft::write(config.get(), to + ".machine", text, Existing::refuse, group));
    TRY(group.flush());
    TRY(root());
    TRY(draft.put(group));
    TRY(group.flush());
    Cloned out{file_of(paths, to), {}};
    const spec::MachineSpec& spec = loaded.spec;
    if (directory.empty() && spec.root.image.empty() && !spec.root.ephemeral && !spec.root.read_only)
        out.warnings.push_back(cat("both have the tree ", tree,
                                   ", so only one of them can run at a time; "
                                   "--directory gives the new one another"));
    if (!spec.integration.uuid.empty())
        out.warnings.push_back(cat("both have the machine id ", spec.integration.uuid, "; `croft unset ", to,
                                   " Exec.MachineID` takes it from the new one"));
    config_changed(paths, to, cat("cloned from ", from));
    return out;
}

}  // namespace croft::manager
