// Machine files and .nspawn files: text to SpecPatch.
//
// A machine file (NAME.machine) has the grammar of a unit file, the sections and keys of systemd.nspawn(5),
// croft's own keys, specifiers, and drop-ins; an unknown key is an error. A .nspawn file is read as
// systemd-nspawn(1) reads it: no specifiers, only its own keys, and an unknown key or line is a warning with
// file and line. A wrong value is an error in both, raised by spec::apply(), because a setting that was meant
// and is not in effect is worse than none. Sections and keys that start with "X-" are for other programs and
// skipped.
//
// Whether a .nspawn file is trusted comes from where it was found (machine_paths.h); its origin carries that,
// and spec::apply() drops what an untrusted one may not set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dialect/specifiers.h"
#include "spec/spec_patch.h"

namespace croft::dialect {

// What is wrong in a file, each with "path:line: " in front. Everything else of the file is taken all the
// same.
struct Mistake {
    unsigned line = 0;
    Error error;
};
spec::SpecPatch read_machine_file(std::string_view text, std::string_view path, const Specifiers& specifiers,
                                  std::vector<Mistake>& mistakes);

// `path` is for messages only. The first mistake is the error.
Result<spec::SpecPatch> parse_machine_file(std::string_view text, std::string_view path,
                                           const Specifiers& specifiers);

enum class FileTrust { trusted, untrusted };
spec::SpecPatch parse_nspawn_file(std::string_view text, std::string_view path, FileTrust trust,
                                  std::vector<spec::Warning>& warnings);

}  // namespace croft::dialect
