// Machines that files declare (NAME.machine with its drop-ins: dialect/machine_paths.h), whether they run or
// not. Called by cli/, croft-launch, croftd and croft-generator. Reads only; declare.h changes.
//
// What a file says is believed only when all of it is right: declared() tells of a wrong one what is wrong
// with it and goes on to the next, load_declared() refuses it with the sentence that `croft verify` prints.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dialect/settings.h"
#include "manager/paths.h"
#include "spec/machine_spec.h"
#include "spec/spec_patch.h"

namespace croft::manager {

struct Declared {
    std::string name;
    std::string file;    // the NAME.machine that counts
    bool boot = false;   // an init, or one program
    std::string tree;    // as Directory= says, else /var/lib/machines/NAME; of an image the machine's own place in the store
    std::string image;   // as Image= says
    bool autostart = false;
    bool masked = false;         // a link to /dev/null: as if it were not declared, and says so
    std::optional<Error> wrong;  // then the four above are as far as they could be read
};
// Sorted by name. Costs a few reads for each; asks nothing of the trees.
Result<std::vector<Declared>> declared(const Paths& paths);
Result<Declared> find_declared(const Paths& paths, std::string_view name);
// Names only: one readdir(3) for each directory.
Result<std::vector<std::string>> declared_names(const Paths& paths);

struct LoadedMachine {
    spec::MachineSpec spec;               // complete and validated; its name is the file's
    std::vector<std::string> files;       // that were read, in order: the machine file, then its drop-ins
    std::vector<spec::Warning> warnings;
    spec::SpecPatch patch;                // what they say
};
// Everything that `croft start NAME` goes by: files, merging, trust rules, specifiers, validation and the
// files of the host that it names. not_found when there is no such file (a .nspawn file declares nothing).
// `draft`: as if that file had that text already.
Result<LoadedMachine> load_declared(const Paths& paths, std::string_view name,
                                    const dialect::Draft* draft = nullptr);
// The same but for the host's files that it names (environment, credentials, profiles): they may be on a disk
// that is not mounted yet, when the unit of a machine is only described.
Result<LoadedMachine> parse_declared(const Paths& paths, std::string_view name,
                                     const dialect::Draft* draft = nullptr);
// All that the files say as far as it is right, and all that is wrong in them: what a list shows of a machine
// with a mistake, and what `croft verify` tells. not_found as above.
struct Reading {
    spec::MachineSpec spec;  // its name and tree are set, it is not validated
    std::vector<std::string> files, mistakes, warnings;
};
Result<Reading> read_with_mistakes(const Paths& paths, const dialect::Places& where, const std::string& name);
// Of one that is not there: where it was looked for, and what is near.
Error not_declared(const Paths& paths, std::string_view name);

}  // namespace croft::manager
