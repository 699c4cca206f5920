// Where files about a machine are looked for: names to paths, without asking the file system.
//
//   machine files  NAME.machine and drop-ins NAME.machine.d/*.conf in
//                  /etc/croft/machines, /run/croft/config, /usr/lib/croft/machines; for a user's own machines
//                  in $XDG_CONFIG_HOME/croft/machines, $XDG_RUNTIME_DIR/croft/config. The first NAME.machine
//                  is used; drop-ins of all directories are read in the order of their file names, and one of
//                  the same name in an earlier directory takes the place of a later one.
//   .nspawn files  only when there is no machine file: the first of /etc/systemd/nspawn/NAME.nspawn,
//                  /run/systemd/nspawn/NAME.nspawn (trusted), then NAME.nspawn beside the tree (not trusted,
//                  since it came with the tree, unless --settings=trusted).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect/machine_file.h"

namespace croft::dialect {

struct Places {
    std::vector<std::string> machines;  // directories of machine files, the most important first
    std::vector<std::string> nspawn;    // directories of trusted .nspawn files
};
Places system_places();
// Empty arguments leave their directory out.
Places user_places(std::string_view config_home, std::string_view runtime_directory);

// --settings=: which files are read, and whether they or the options have the last word.
enum class Settings { yes, override_options, trusted, no };
Result<Settings> parse_settings(std::string_view text);

struct NspawnPath {
    std::string path;
    FileTrust trust;
};
std::vector<std::string> machine_file_paths(const Places& places, std::string_view name);
std::vector<std::string> drop_in_directories(const Places& places, std::string_view name);
// `tree` is the absolute path of the tree; empty: none is looked for beside it.
std::vector<NspawnPath> nspawn_file_paths(const Places& places, std::string_view name, std::string_view tree,
                                          Settings settings);

}  // namespace croft::dialect
