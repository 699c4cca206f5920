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

std::string print_line(const Field& field, const std::string& value) {
    bool wildcard = string_view(field.key) == "*";
    if (!fits_a_line(value))
        return cat("# ", field.key, "=", quoted(value), ": a file cannot hold a blank or '\\' at the end\n");
    return cat(wildcard ? "" : cat(field.key, "="), escape_specifiers(value), "\n");
}

std::string print_field(const Field& field, const std::vector<std::string>& values) {
    std::string out;
    if (field.syntax == KeySyntax::words) {
        for (const std::string& value : values)
            out += cat(out.empty() ? "" : " ", escape_specifiers(quote_word(value)));
        return values.empty() ? "" : cat(field.key, "=", out, "\n");
    }
    for (const std::string& value : values) out += print_line(field, value);
    return out;
}
}  // namespace

std::string print_machine_file(const spec::MachineSpec& spec) {
    std::string out;
    for (string_view section :
         {"Machine", "Exec", "Files", "Network", "Resources", "Unit", "Service", "Install"}) {
        std::string lines;
        for (const Field& field : spec::fields())
            if (section == field.section) lines += print_field(field, field.get(spec));
        if (!lines.empty()) out += cat(out.empty() ? "" : "\n", "[", section, "]\n", lines);
    }
    return out;
}

}  // namespace croft::dialect
