// Reads what files say about a machine, and puts it in order with the options. Called once by the verbs that
// start or show a machine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dialect/machine_paths.h"
#include "spec/spec_patch.h"

namespace croft::dialect {

struct FileSettings {
    spec::SpecPatch patch;
    std::vector<std::string> files;  // that were read, in order
    std::vector<spec::Warning> warnings;
    bool declared = false;  // there is a machine file, not only a .nspawn file or nothing
};

// A file as it shall become, looked at in the place of what is on the disk: so a change is judged before it
// is made, and its mistakes bear the path and line that the user knows.
struct Draft {
    std::string path, text;
};

struct SourceFile {
    std::string path, text;
};
// The machine file of that name and its drop-ins, in the order in which they apply, as they are; none when
// there is no machine file. wrong_state when it is masked (a link to /dev/null).
Result<std::vector<SourceFile>> read_machine_files(const Places& places, std::string_view name,
                                                   const Draft* draft = nullptr);

// A machine file of that name with its drop-ins; else the first .nspawn file; else nothing. A file that is
// there and cannot be read is an error. `specifiers.name` need not
// be set. What is no machine name has no files.
Result<FileSettings> load_settings(const Places& places, std::string_view name, std::string_view tree,
                                   Settings settings, Specifiers specifiers, const Draft* draft = nullptr);

// Files and options in the order in which they apply: the last one has the last word. Lists of both add up;
// an option such as "--bind=" empties a list first.
spec::SpecPatch in_order(spec::SpecPatch files, spec::SpecPatch options, Settings settings);

}  // namespace croft::dialect
