#include "dialect/print.h"

#include "base/text.h"
#include "dialect/ini.h"
#include "dialect/specifiers.h"
#include "spec/fields.h"

namespace croft::dialect {

namespace {
using spec::Field;
using spec::KeySyntax;
using std::string_view;

bool fits_a_line(string_view value) {
    return value == trim(value) && !value.ends_with('\\') &&
           value.find_first_of(string_view("\n\0", 2)) == value.npos;
}

std::string print_value(const Field& field, const std::string& value) {
    bool wildcard = string_view(field.key) == "*";
    if (field.syntax == KeySyntax::words)
        return cat(field.key, "=", escape_specifiers(quote_word(value)), "\n");
    if (!fits_a_line(value))
        return cat("# ", field.key, "=", quoted(value), ": a file cannot hold a blank or '\\' at the end\n");
    return cat(wildcard ? "" : cat(field.key, "="), escape_specifiers(value), "\n");
}
}  // namespace

std::string print_machine_file(const spec::MachineSpec& spec) {
    std::string out;
    for (string_view section :
         {"Machine", "Exec", "Files", "Network", "Resources", "Unit", "Service", "Install"}) {
        std::string lines;
        for (const Field& field : spec::fields())
            if (section == field.section)
                for (const std::string& value : field.get(spec)) lines += print_value(field, value);
        if (!lines.empty()) out += cat(out.empty() ? "" : "\n", "[", section, "]\n", lines);
    }
    return out;
}

}  // namespace croft::dialect
