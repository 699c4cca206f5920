#include "oci/output.h"

#include <algorithm>

#include "base/fd.h"
#include "base/text.h"

namespace croft::oci {

Result<> print(std::string_view text) { return write_all(1, text).within("writing to standard output"); }

std::string table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        for (size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + 2, ' ');
        }
        out += "\n";
    }
    return out;
}

Result<std::string> format_of(const Call& call) {
    std::string format = call.flags.text("--format", "table");
    if (format == "table" || format == "json") return format;
    return error(Errc::usage, cat("--format: ", quoted(format), " is neither table nor json"));
}

}  // namespace croft::oci
