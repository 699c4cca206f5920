#include "cli/arguments.h"

#include "base/text.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace croft::cli {

const std::string* Arguments::value(std::string_view option) const {
    for (size_t i = given_.size(); i-- > 0;)
        if (option == given_[i].first->name) return &given_[i].second;
    return nullptr;
}

std::vector<std::string> Arguments::values(std::string_view option) const {
    std::vector<std::string> out;
    for (const auto& [row, value] : given_)
        if (option == row->name) out.push_back(value);
    return out;
}

Result<> expect_operands(const Verb& verb, const Arguments& arguments, size_t least, size_t most) {
    size_t count = arguments.operands.size();
    if (count >= least && count <= most) return {};
    std::string usage = cat("croft ", verb.name, *verb.synopsis ? " " : "", verb.synopsis);
    if (count > most)
        return error(Errc::usage, cat("croft ", verb.name, ": ", quoted(arguments.operands[most]),
                                      " is too much (", usage, ")"));
    return error(Errc::usage, cat("croft ", verb.name, " needs ", count ? "more" : "to know what to work on",
                                  " (", usage, ")"));
}

Result<std::optional<uint64_t>> duration_option(const Arguments& arguments, const char* option) {
    const std::string* text = arguments.value(option);
    if (!text) return std::optional<uint64_t>();
    auto value = parse_duration(*text);
    if (!value)
        return error(Errc::invalid, cat(option, ": ", quoted(*text), " is no time (10s, 2min, infinity)"));
    return value;
}

Result<std::optional<uint64_t>> number_option(const Arguments& arguments, const char* option) {
    const std::string* text = arguments.value(option);
    if (!text) return std::optional<uint64_t>();
    auto value = parse_uint(*text);
    if (!value) return error(Errc::invalid, cat(option, ": ", quoted(*text), " is no number (10)"));
    return value;
}

}  // namespace croft::cli
