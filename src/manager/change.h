// Changing what a declared machine's files say: single settings (croft set, unset), or a whole file (croft
// edit). Called by cli/.
//
// Settings are kept in a drop-in of croft's own, NAME.machine.d/50-set.conf, so that the machine file stays
// as its author wrote it. Nothing is written that load_declared() would refuse.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manager/paths.h"

namespace croft::manager {

struct Setting {
    std::string key;    // "Resources.MemoryMax", "memory", "--memory", "MemoryMax"
    std::string value;  // of set_properties() only; empty: as unset
};
struct ChangedSetting {
    std::string key;    // "Resources.MemoryMax", as it stands in the file
    std::string text;   // "2G"; empty: the default
    bool live = false;  // in effect now; else from the next start on
};
struct Changed {
    std::string file;
    std::vector<ChangedSetting> settings;
    bool alive = false;                // the machine runs, or is ready
    std::optional<Error> not_applied;  // it is in the file, but the running machine could not be given it
};
Result<Changed> set_properties(const Paths& paths, const std::string& name,
                               const std::vector<Setting>& settings);
Result<Changed> unset_properties(const Paths& paths, const std::string& name,
                                 const std::vector<Setting>& settings);

// The machine file that counts, where a change of it would be written, and its text.
struct Editable {
    std::string from, to, text;
};
Result<Editable> editable_file(const Paths& paths, const std::string& name);
// The new text is judged like any other, and refused (busy) when somebody else has changed the file
// meanwhile.
Result<> replace_machine_file(const Paths& paths, const std::string& name, const Editable& before,
                              const std::string& text);

}  // namespace croft::manager
