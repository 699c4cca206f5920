#include "archive/unpack_protocol.h"

#include <array>
#include <functional>

#include "base/text.h"

namespace croft::archive {

namespace {

// Every option once: its word, and how it is a number.
struct Option {
    std::string_view word;
    uint64_t (*get)(const UnpackOptions&);
    void (*set)(UnpackOptions&, uint64_t);
};
#define OPTION(word, place)                                                      \
    {                                                                            \
        word, [](const UnpackOptions& o) { return uint64_t(o.place); },          \
            [](UnpackOptions& o, uint64_t v) { o.place = decltype(o.place)(v); } \
    }
constexpr std::array<Option, 11> numbers = {{
    OPTION("compression", compression),
    OPTION("whiteouts", whiteouts),
    OPTION("devices", devices),
    OPTION("bytes", limits.bytes),
    OPTION("entries", limits.entries),
    OPTION("name-length", limits.name_length),
    OPTION("depth", limits.depth),
    OPTION("ratio", limits.ratio),
    OPTION("ownership", ownership),
    OPTION("sync", sync),
    OPTION("threads", threads),
}};
#undef OPTION
constexpr std::string_view recipe_word = "recipe";

// A report is "NAME LENGTH\nVALUE" again and again.
void put(std::string& out, std::string_view name, std::string_view value) {
    out += cat(name, " ", value.size(), "\n", value);
}

struct Count {
    std::string_view name;
    uint64_t Unpacked::*member;
};
constexpr std::array<Count, 6> counts = {{{"archive-bytes", &Unpacked::archive_bytes},
                                          {"bytes", &Unpacked::bytes},
                                          {"entries", &Unpacked::entries},
                                          {"devices-left", &Unpacked::devices_left},
                                          {"attributes-left", &Unpacked::attributes_left},
                                          {"others-left", &Unpacked::others_left}}};

std::optional<uint64_t> number_at_most(std::string_view value, uint64_t most) {
    auto number = parse_uint(value);
    return number && *number <= most ? number : std::nullopt;
}

bool is_digest(std::string_view text) {
    constexpr std::string_view prefix = "sha256:";
    if (!text.starts_with(prefix) || text.size() != prefix.size() + 64) return false;
    return text.find_first_not_of("0123456789abcdef", prefix.size()) == text.npos;
}

// What the report says in the end, with what was read of it so far.
struct Draft {
    Unpacked unpacked;
    Error error;
    std::vector<std::string> opaque;
    bool failed = false, whole = false;
};

bool take_failure(Draft& draft, std::string_view name, std::string_view value) {
    draft.failed = true;
    if (name == "error") return draft.error.text = value, true;
    auto code = number_at_most(value, name == "code" ? static_cast<uint64_t>(Errc::system) : 4095);
    if (!code) return false;
    if (name == "code")
        draft.error.code = static_cast<Errc>(*code);
    else
        draft.error.err = static_cast<int>(*code);
    return true;
}

bool take(Draft& draft, std::string_view name, std::string_view value) {
    for (const Count& count : counts)
        if (count.name == name) {
            auto number = parse_uint(value);
            if (number) draft.unpacked.*count.member = *number;
            return number.has_value();
        }
    if (name == "diff-id") return draft.unpacked.diff_id = value, is_digest(value);
    if (name == "digest") return draft.unpacked.digest = value, is_digest(value);
    if (name == "opaque-top") return draft.unpacked.opaque_top = true;
    if (name == "opaque") return draft.opaque.emplace_back(value), true;
    if (name == "end") return draft.whole = true;
    if (name == "error" || name == "code" || name == "errno") return take_failure(draft, name, value);
    return false;
}

}  // namespace

std::vector<std::string> options_to_words(const UnpackOptions& options) {
    std::vector<std::string> words;
    for (const Option& option : numbers) words.push_back(cat(option.word, "=", option.get(options)));
    if (options.recipe >= 0) words.emplace_back(recipe_word);
    return words;
}

Result<UnpackOptions> options_from_words(const std::vector<std::string_view>& words) {
    UnpackOptions options;
    for (std::string_view word : words) {
        size_t equals = word.find('=');
        auto value = equals == word.npos ? std::nullopt : parse_uint(word.substr(equals + 1));
        bool known = word == recipe_word;
        if (known) options.recipe = recipe_fd;
        for (const Option& option : numbers)
            if (value && option.word == word.substr(0, equals)) option.set(options, *value), known = true;
        if (!known)
            return error(Errc::usage, cat("croft-unpack is started by croft alone, and does not know ",
                                          quoted(word), ": is it of another version?"));
    }
    return options;
}

std::string encode_report(const Report& report) {
    std::string out;
    if (!report.result) {
        put(out, "error", report.result.error().text);
        put(out, "code", cat(static_cast<unsigned>(report.result.error().code)));
        put(out, "errno", cat(report.result.error().err));
    } else {
        for (const Count& count : counts) put(out, count.name, cat((*report.result).*count.member));
        put(out, "diff-id", report.result->diff_id);
        put(out, "digest", report.result->digest);
        if (report.result->opaque_top) put(out, "opaque-top", "");
        for (const std::string& path : report.opaque) put(out, "opaque", path);
    }
    put(out, "end", "");
    return out;
}

std::optional<Report> decode_report(std::string_view text) {
    Draft draft;
    while (!text.empty()) {
        size_t space = text.find(' '), line = text.find('\n');
        if (space == text.npos || line == text.npos || line < space) return {};
        auto length = parse_uint(text.substr(space + 1, line - space - 1));
        if (!length || *length > text.size() - line - 1) return {};
        if (!take(draft, text.substr(0, space), text.substr(line + 1, *length))) return {};
        text.remove_prefix(line + 1 + *length);
    }
    if (!draft.whole || (!draft.failed && draft.unpacked.diff_id.empty())) return {};
    Report report;
    if (draft.failed)
        report.result = std::move(draft.error);
    else
        report.result = std::move(draft.unpacked);
    report.opaque = std::move(draft.opaque);
    return report;
}

}  // namespace croft::archive
