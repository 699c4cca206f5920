// A verb's command line, taken apart: options of the field table become a SpecPatch, the verb's own options
// and the operands are kept here. Called once by each verb, with its own row.
//
// Options may stand before the first operand only when operands belong to the payload (`croft run TREE ls
// -l`: the -l is ls's); for the other verbs they may stand anywhere. "--" ends them. An unknown option is an
// error that names the closest one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/spec_patch.h"

namespace croft::cli {

struct Verb;

// An option that is the verb's own, not a statement about a machine.
struct OptionRow {
    const char* name;      // "--json"
    char short_name;       // 'f', or 0
    const char* argument;  // "SECONDS"; "" for a flag
    const char* values;    // for completion: "yes|no", "path", … or ""
    const char* help;      // one line
};

class Arguments {
  public:
    bool has(std::string_view option) const { return value(option) != nullptr; }
    // The last value given ("" for a flag); null when the option was not given.
    const std::string* value(std::string_view option) const;
    std::vector<std::string> values(std::string_view option) const;
    // The same request anew: each option with its value in one word (--name=value, -n=value), "--", the operands. What reads it
    // gets these Arguments again.
    std::vector<std::string> words() const;

    std::vector<std::string> operands;
    spec::SpecPatch patch;

  private:
    friend Result<Arguments> parse_words(const Verb&, std::span<const char* const>);
    std::vector<std::pair<const OptionRow*, std::string>> given_;
};

// `--help` is among every verb's options: the verb's help is then printed and the program ends.
Result<Arguments> parse_arguments(const Verb& verb, std::span<char* const> arguments);
// The same for words that came from elsewhere (croftd): prints nothing, and --help is one of the errors.
Result<Arguments> parse_words(const Verb& verb, std::span<const char* const> words);

// Refuses too few or too many operands: "croft stop needs the name of a machine (croft help stop)".
Result<> expect_operands(const Verb& verb, const Arguments& arguments, size_t least, size_t most);
// The value of a duration option in µs, or an error that names the option.
Result<std::optional<uint64_t>> duration_option(const Arguments& arguments, const char* option);
Result<std::optional<uint64_t>> number_option(const Arguments& arguments, const char* option);

}  // namespace croft::cli
