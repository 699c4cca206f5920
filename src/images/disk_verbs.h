// What `croft image import raw:FILE` and `croft image export … raw:FILE` do. Called by verb_bring.cc and verb_export.cc.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/arguments.h"
#include "manager/paths.h"

namespace croft::images {

// Into /var/lib/machines; `name` empty: after the file. `as` is what it is called in messages; "": the path.
Result<> import_raw(const cli::Arguments& args, const manager::Paths& paths, const std::string& file, const std::string& name,
                    const std::string& as = "");
// Of the tree at this path, by the options --file-system, --partitioned and --size.
Result<> export_raw(const cli::Arguments& args, const std::string& tree, const std::string& file);

}  // namespace croft::images
