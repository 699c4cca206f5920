// A command line of croft-oci, taken apart by the verb table.
//
// Flags may be written --name VALUE, --name=VALUE, -n VALUE; one that takes no value also --name=true and --name=false.
// They may stand anywhere, but for a verb whose operands end with a command; "--" ends them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oci/verbs.h"

namespace croft::oci {

class Flags {
  public:
    bool has(std::string_view flag) const { return value(flag) != nullptr; }
    // The last one given; "" for a flag without a value; null when it was not given.
    const std::string* value(std::string_view flag) const;
    std::string text(std::string_view flag, std::string_view otherwise = "") const;
    std::vector<std::string> values(std::string_view flag) const;
    Result<std::optional<int64_t>> number(std::string_view flag) const;

  private:
    friend Result<size_t> parse_flags(std::span<const Flag> known, std::span<char* const> words, bool permute,
                                      Flags& flags, std::vector<std::string>& operands);
    std::vector<std::pair<const Flag*, std::string>> given_;
};

// What the flags in front of the verb say about all of them.
struct Global {
    Flags flags;
    bool systemd = false;          // cgroups are made by systemd (--systemd-cgroup)
    bool cgroups = true;           // false: --cgroup-manager disabled
    std::vector<char*> words;      // the whole command line, for a program that takes over
};

class Call {
  public:
    const Global& global;
    const Verb& verb;
    Flags flags;
    std::vector<std::string> operands;
};

// Reads flags up to the end, or to the first operand unless they may stand among those. Returns how many words it took.
Result<size_t> parse_flags(std::span<const Flag> known, std::span<char* const> words, bool permute, Flags& flags,
                           std::vector<std::string>& operands);

}  // namespace croft::oci
