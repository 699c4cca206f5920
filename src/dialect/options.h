// The command line's dialect: argv of a verb to a SpecPatch, by the field table alone. Also takes the options
// of the verb that say nothing about a machine (-d, --json …), given by the caller.
//
//   --opt value   --opt=value   --flag   --flag=no   -x   -it   -uNAME   -u NAME   --
//
// An optional argument ("[MODE]") can only be given with '='. "--bind=" resets the field; an empty word after
// an option is an error, because it comes from a variable that was not set. Relative host paths become
// absolute here (Field::host_path), because the spec has absolute ones only.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/fields.h"
#include "spec/spec_patch.h"

namespace croft::dialect {

// An option of a verb that is no field of the spec. It wins over a field's option of the same name.
struct ExtraOption {
    const char* name;           // "--detach"
    char short_name = 0;        // 'd', or 0
    const char* argument = "";  // "" for a flag; "[X]" optional
    const char* help = "";
};

struct ExtraValue {
    std::string name;   // as in the row: "--detach"
    std::string value;  // "yes" for a flag
};

// Whether options end at the first operand (what follows is the payload's) or may stand anywhere before "--".
enum class Operands { end_options, anywhere };
enum class FieldOptions { none, run, boot, any };  // which rows of the field table the verb takes

struct OptionContext {
    FieldOptions fields = FieldOptions::none;
    Operands operands = Operands::end_options;
    std::span<const ExtraOption> extras;
    std::string directory;  // absolute: where relative paths are meant from
};

struct ParsedOptions {
    spec::SpecPatch patch;
    std::vector<ExtraValue> extras;  // in the order given
    std::vector<std::string> rest;   // operands

    // The last value of an extra option; nullptr: not given.
    const std::string* extra(std::string_view name) const;
    bool flag(std::string_view name) const;
};

// `arguments` is what follows the verb. Errors are Errc::usage and name the option.
Result<ParsedOptions> parse_options(std::span<const char* const> arguments, const OptionContext& context);

// A command's words without a `--` in front of it: who writes one means what follows, as everywhere.
std::span<const std::string> without_dashes(std::span<const std::string> words);

// A command given as operands, as a patch: each word is taken as it is, also an empty one.
spec::SpecPatch command_patch(std::span<const std::string> words);

}  // namespace croft::dialect
