// What fuzz targets assert: a broken promise ends the program, which libFuzzer keeps as a crash.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dialect/machine_file.h"
#include "dialect/print.h"
#include "spec/fields.h"
#include "spec/spec_patch.h"

namespace croft::fuzz {

inline void promise(bool holds, std::string_view what, std::string_view seen) {
    if (holds) return;
    fprintf(stderr, "broken promise: %.*s\n%.*s\n", static_cast<int>(what.size()), what.data(),
            static_cast<int>(seen.size()), seen.data());
    abort();
}

inline std::string_view text_of(const unsigned char* data, size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Any spec that the dialects can make, printed and read back, is the same spec.
inline void promise_round_trip(const spec::MachineSpec& spec) {
    std::string printed = dialect::print_machine_file(spec);
    // A value that no line can hold is printed as a comment, and lost by design.
    if (printed.find("a file cannot hold") != printed.npos) return;
    auto patch = dialect::parse_machine_file(printed, "printed", {});
    promise(patch.has_value(), patch ? "" : patch.error().text, printed);
    spec::MachineSpec again;
    std::vector<spec::Warning> warnings;
    auto applied = spec::apply(*patch, again, warnings);
    promise(applied.has_value(), applied ? "" : applied.error().text, printed);
    std::string twice = dialect::print_machine_file(again);
    promise(twice == printed, "printed, read and printed again is the same", printed + "\n---\n" + twice);
}

}  // namespace croft::fuzz
