#include "oci/verbs.h"

#include "oci/rows_change.h"
#include "oci/rows_life.h"
#include "oci/rows_see.h"

namespace croft::oci {

namespace {
constexpr Flag globals[] = {
    {"--root", 0, "DIRECTORY", "directory", "Where containers are kept"},
    {"--log", 0, "FILE", "file", "Write messages there; errors also go to standard error"},
    {"--log-format", 0, "FORMAT", "text|json", "Of the lines in that file"},
    {"--log-level", 0, "LEVEL", "error|warning|info|debug", "The least important messages that are told"},
    {"--debug", 0, "", "", "The same as --log-level debug"},
    {"--systemd-cgroup", 0, "", "", "Have systemd make the control group: cgroupsPath is SLICE:PREFIX:NAME"},
    {"--cgroup-manager", 0, "MANAGER", "cgroupfs|systemd|disabled", "Who makes the control group, if any"},
    {"--rootless", 0, "WHEN", "true|false|auto", "Found out by itself: taken for the sake of engines that give it"},
    {"--version", 'v', "", "", "Print the version and the specification's"},
    {"--help", 'h', "", "", "Print this help, or that of a verb"},
};

constexpr auto count = std::size(life_rows) + std::size(see_rows) + std::size(change_rows);
struct Table {
    Verb rows[count];
};
constexpr Table table = [] {
    Table out = {};
    size_t at = 0;
    for (const Verb& verb : life_rows) out.rows[at++] = verb;
    for (const Verb& verb : see_rows) out.rows[at++] = verb;
    for (const Verb& verb : change_rows) out.rows[at++] = verb;
    return out;
}();
}  // namespace

std::span<const Verb> verbs() { return table.rows; }
std::span<const Flag> global_flags() { return globals; }

const Verb* find_verb(std::string_view name) {
    for (const Verb& verb : verbs())
        if (name == verb.name) return &verb;
    return nullptr;
}

}  // namespace croft::oci
