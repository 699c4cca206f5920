#include "oci/arguments.h"

#include "base/text.h"

namespace croft::oci {

namespace {
const Flag* long_flag(std::span<const Flag> known, std::string_view name) {
    for (const Flag& flag : known)
        if (name == flag.name) return &flag;
    return nullptr;
}

const Flag* short_flag(std::span<const Flag> known, char letter) {
    for (const Flag& flag : known)
        if (flag.short_name && flag.short_name == letter) return &flag;
    return nullptr;
}

Error unknown(std::span<const Flag> known, std::string_view name) {
    std::vector<std::string> names;
    for (const Flag& flag : known) names.emplace_back(flag.name);
    std::string near = closest(name, names);
    return error(Errc::usage,
                 cat("unknown flag ", quoted(name), near.empty() ? "" : cat("; did you mean ", near, "?")));
}

// One word that begins with a dash: which flag, and what is written behind it in the same word.
struct Word {
    const Flag* flag = nullptr;
    std::optional<std::string> value;
};

Result<Word> read_word(std::span<const Flag> known, std::string_view word) {
    Word out;
    std::string_view name = word.substr(0, word.find('='));
    if (word.starts_with("--")) {
        out.flag = long_flag(known, name);
        if (name.size() < word.size()) out.value = word.substr(name.size() + 1);
    } else {
        out.flag = short_flag(known, word[1]);
        std::string_view rest = word.substr(2);
        if (out.flag && !*out.flag->argument && !rest.empty()) out.flag = nullptr;
        if (!rest.empty()) out.value = rest.starts_with('=') ? rest.substr(1) : rest;
    }
    if (!out.flag) return unknown(known, name);
    return out;
}
}  // namespace

const std::string* Flags::value(std::string_view flag) const {
    for (size_t i = given_.size(); i-- > 0;)
        if (flag == given_[i].first->name) return &given_[i].second;
    return nullptr;
}

std::string Flags::text(std::string_view flag, std::string_view otherwise) const {
    const std::string* found = value(flag);
    return found ? *found : std::string(otherwise);
}

std::vector<std::string> Flags::values(std::string_view flag) const {
    std::vector<std::string> out;
    for (const auto& [row, value] : given_)
        if (flag == row->name) out.push_back(value);
    return out;
}

Result<std::optional<int64_t>> Flags::number(std::string_view flag) const {
    const std::string* found = value(flag);
    if (!found) return std::optional<int64_t>();
    auto number = parse_int(*found);
    if (!number) return error(Errc::usage, cat(flag, ": ", quoted(*found), " is no whole number"));
    return number;
}

Result<size_t> parse_flags(std::span<const Flag> known, std::span<char* const> words, bool permute, Flags& flags,
                           std::vector<std::string>& operands) {
    size_t at = 0;
    for (; at < words.size(); ++at) {
        std::string_view word = words[at];
        if (word == "--") {
            ++at;
            break;
        }
        if (word.size() < 2 || word[0] != '-') {
            if (!permute) break;
            operands.emplace_back(word);
            continue;
        }
        auto [flag, value] = TRY(read_word(known, word));
        if (!*flag->argument) {
            auto truth = value ? parse_bool(*value) : true;
            if (!truth) return error(Errc::usage, cat(flag->name, " is given or not, and takes no value"));
            if (*truth)
                flags.given_.emplace_back(flag, "");
            else
                std::erase_if(flags.given_, [&](const auto& given) { return given.first == flag; });
            continue;
        }
        if (!value && at + 1 == words.size())
            return error(Errc::usage, cat(flag->name, " needs a value: ", flag->argument));
        flags.given_.emplace_back(flag, value ? std::move(*value) : std::string(words[++at]));
    }
    if (permute)
        for (; at < words.size(); ++at) operands.emplace_back(words[at]);
    return at;
}

}  // namespace croft::oci
