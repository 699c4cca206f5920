// Declaring machines and undeclaring them: create, rename, clone, remove. Called by cli/.
//
// All changes are made under the lock of the configuration (config_file.h), each file is replaced whole, and
// nothing is written that load_declared() would refuse.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sync_group.h"
#include "manager/copy_tree.h"
#include "manager/paths.h"
#include "spec/machine_spec.h"

namespace croft::manager {

struct NewMachine {
    spec::MachineSpec spec;  // with name and tree
    std::string from;        // a tree to copy to the machine's own; empty: the tree is there, or comes later
    TreeWatch watch = {};    // of that copy; an error of its ends it, and nothing is left
};
// What the machine file of this spec is. An error names a setting that only a command line can give.
Result<std::string> machine_file_text(const spec::MachineSpec& spec);
// The path of the file. A copy that is interrupted leaves the machine "incomplete" (install_mark.h); one that
// fails leaves nothing.
Result<std::string> create(const Paths& paths, const NewMachine& machine);

// A tree copied to a place where there is none yet, under another name until it is whole. Nobody may write it meanwhile.
Result<> copy_whole_tree(const Paths& paths, const std::string& from, const std::string& tree, const TreeWatch& watch);

// Both want a machine that does not run. rename() takes drop-ins along, and a tree that only its name had
// pointed to. clone_declared() copies what counts of OLD's files; `directory` gives the new one another tree.
Result<> rename(const Paths& paths, const std::string& from, const std::string& to);
struct Cloned {
    std::string file;
    std::vector<std::string> warnings;  // what two machines should not share
};
Result<Cloned> clone_declared(const Paths& paths, const std::string& from, const std::string& to,
                              const std::string& directory);
// The same for a machine whose root is made at the same time. `root` is called when the new file and what is in `group` have
// reached the disk, and before the new machine is there to be seen; its error leaves everything as it was.
Result<Cloned> clone_declared(const Paths& paths, const std::string& from, const std::string& to, const std::string& directory,
                              SyncGroup& group, const std::function<Result<>()>& root);

enum class WithTree { no, yes };
struct RemovedDeclaration {
    std::string file, tree;  // tree: empty when it stays
    std::string uncovered;   // a file in a less important directory that declares it still
};
Result<RemovedDeclaration> remove_declared(const Paths& paths, const std::string& name, WithTree with_tree);

}  // namespace croft::manager
