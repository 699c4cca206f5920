// The field table: one row for each thing a user can say about a machine. It drives option parsing, the machine
// file, --help, `croft explain FIELD`, the manual and completion, so a new setting is one row here (and its use in
// the planner), never a second list.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/machine_spec.h"

namespace croft::spec {

enum class Trust {
    anyone,     // may come from a file beside the image
    host_only,  // only from the administrator: options, /etc, /run
};
// Which verbs offer the option.
enum class Offered { run, boot, both, file_only };

struct Field {
    const char* name;      // "memory": the name in `croft explain` and JSON
    const char* option;    // "--memory" ("" when there is none); a short one is in `short_option`
    char short_option;     // 'm', or 0
    const char* section;   // "Exec" … of the machine file; "" when it has no key
    const char* key;       // "MemoryMax"
    const char* argument;  // "BYTES"; "" for a flag (no argument; its value is then "yes")
    Trust trust;
    Offered offered;
    const char* values;    // for completion: "yes|no|pick", "path", "user", … or ""
    const char* help;      // one line
    const char* doc;       // a paragraph: unit, range, default, source of the rule
    const char* example;   // "--memory=512M"
    // Parses and stores. Returns the reason alone ("'12X' is no size (512M, 2G, …)"); apply() adds the origin.
    Result<> (*set)(MachineSpec&, std::string_view value);
    // The field's present value as text, for `croft show`, `explain` and golden files; "" when unset.
    std::string (*get)(const MachineSpec&);
};

std::span<const Field> fields();
const Field* field_by_name(std::string_view name);
const Field* field_by_option(std::string_view option);     // "--memory"
const Field* field_by_short(char option);
const Field* field_by_key(std::string_view section, std::string_view key);

// What a complete spec must obey, beyond what a single value can tell (combinations, names). Run once after merging.
Result<> validate(const MachineSpec& spec);

}  // namespace croft::spec
