// The kinds of values that rows of the field table take: one codec each, text to value with a sentence for
// what is wrong, and value to canonical text. Only spec/ uses them; a dialect goes through Field::set and
// Field::get.
//
// A codec is a struct with parse() and text(); text(parse(x)) is canonical, and parse(text(v)) is v.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "spec/name_tables.h"

namespace croft::spec {

// "'x' is …": the sentence of every codec.
Error wrong_value(std::string_view value, std::string_view why);

Result<bool> parse_bool_value(std::string_view text);
Result<uint64_t> parse_size_value(std::string_view text);
Result<uint64_t> parse_duration_value(std::string_view text);
// Whole number within the range; `what` names it: "an OOM score adjustment".
Result<int64_t> parse_range(std::string_view text, int64_t low, int64_t high, std::string_view what);
// Free text without control characters (a newline would forge lines in records and unit files).
Result<std::string> parse_text(std::string_view text);
// Absolute; '//' and '/./' and a final '/' are taken out.
Result<std::string> parse_host_path(std::string_view text);
// As a host path, and without '..': a path inside the machine means the same whatever its symlinks say.
Result<std::string> parse_inside_path(std::string_view text);
// "0-3,6" and "0-3 6": sorted and merged. At most 8192 CPUs or nodes, as the kernel's largest configuration.
Result<std::string> parse_cpu_list(std::string_view text);
Result<std::string> parse_node_list(std::string_view text);
// "NAME=VALUE" with a name that an environment may have.
Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text);
bool valid_environment_name(std::string_view name);
// Splits at blanks and commas; empty parts are dropped.
std::vector<std::string> split_list(std::string_view text);
// Splits at `separator`; a backslash takes the next character as it is ("\:" is a colon inside a path).
std::vector<std::string> split_escaped(std::string_view text, char separator);
std::string escape_colons(std::string_view text);
// Exact, with the largest suffix that leaves a whole number: 536870912 is "512M"; UINT64_MAX is "infinity".
std::string size_text(uint64_t bytes);
// Exact: "1min 30s", "250ms".
std::string duration_text(uint64_t microseconds);
// Millionths as a decimal without trailing zeros: 1500000 is "1.5".
std::string decimal_text(uint64_t millionths);

// C escapes (\n, \x41, \\ …) for values that may hold any byte.
Result<std::string> unescape_c(std::string_view text);
std::string escape_c(std::string_view bytes);

struct Bool {
    static Result<bool> parse(std::string_view v) { return parse_bool_value(v); }
    static std::string text(bool v) { return v ? "yes" : "no"; }
};
struct Size {
    static Result<uint64_t> parse(std::string_view v) { return parse_size_value(v); }
    static std::string text(uint64_t v) { return size_text(v); }
};
struct Duration {
    static Result<uint64_t> parse(std::string_view v) { return parse_duration_value(v); }
    static std::string text(uint64_t v) { return duration_text(v); }
};
template <Result<std::string> (*F)(std::string_view)>
struct String {
    static Result<std::string> parse(std::string_view v) { return F(v); }
    static std::string text(const std::string& v) { return v; }
};
using Text = String<parse_text>;
using HostFile = String<parse_host_path>;
using InsidePath = String<parse_inside_path>;
using CpuList = String<parse_cpu_list>;
using Capability = String<capability_name>;
using Signal = String<signal_name>;
struct Pair {
    static Result<std::pair<std::string, std::string>> parse(std::string_view v) {
        return parse_assignment(v);
    }
    static std::string text(const std::pair<std::string, std::string>& v) {
        return cat(v.first, "=", v.second);
    }
};

// One of a few words. Table is a static array of Choice.
template <class E>
struct Choice {
    const char* word;
    E value;
};
Error wrong_choice(std::string_view text, const std::vector<std::string>& words);

template <const auto& Table>
struct OneOf {
    using E = decltype(Table[0].value);
    static Result<std::remove_const_t<E>> parse(std::string_view v) {
        for (const auto& choice : Table)
            if (v == choice.word) return choice.value;
        std::vector<std::string> words;
        for (const auto& choice : Table) words.push_back(choice.word);
        return wrong_choice(v, words);
    }
    static std::string text(E v) {
        for (const auto& choice : Table)
            if (v == choice.value) return choice.word;
        return "";
    }
};
// One of a few words that the spec keeps as text.
template <const auto& Words>
struct Word {
    static Result<std::string> parse(std::string_view v) {
        for (const char* word : Words)
            if (v == word) return std::string(v);
        return wrong_choice(v, {std::begin(Words), std::end(Words)});
    }
    static std::string text(const std::string& v) { return v; }
};

}  // namespace croft::spec
