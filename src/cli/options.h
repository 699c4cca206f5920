// One view of all options of a verb: its own rows, then the rows of the field table that it offers. Help,
// manual and completion are made from this; parsing (arguments.h) uses the same two tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/verbs.h"
#include "spec/fields.h"

namespace croft::cli {

struct OptionView {
    const char* name;      // "--memory"
    char short_name;       // 'm', or 0
    const char* aliases;   // "--setenv -E", or ""
    const char* argument;  // "BYTES"; "[MODE]" when optional; "" for a flag
    const char* values;    // for completion
    const char* help;
    const spec::Field* field;  // null for the verb's own
};

// Rows without help are hidden and left out.
std::vector<OptionView> options_of(const Verb& verb);
bool offers(SpecOptions options, const spec::Field& field);
// "-m, --memory=BYTES"
std::string option_syntax(const OptionView& option);
OptionView view_of(const spec::Field& field);
// "[MODE]": the value may be left out, and is given with "=" only.
bool is_optional(std::string_view argument);
// All rows of the field table, each subject's together; the order within a subject is the table's.
std::vector<const spec::Field*> fields_by_section();
// "Exec" -> "The process": the heading above the options of a section, in help and manual.
std::string_view section_title(const spec::Field& field);

}  // namespace croft::cli
