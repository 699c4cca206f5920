// The field table: one row for each thing a user can say about a machine. It drives option parsing, the
// machine file, --help, `croft explain FIELD`, the manual and completion, so a new setting is one row here
// (and its use in the planner), never a second list.
//
// Rows live in fields_*.cc by subject; fields() joins them. Nothing here reads a file: a row whose value
// names a host file (--seccomp, --load-credential, --env-file) stores the path, and dialect/host_files.h
// reads it once, after merging and validate().
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
    deny_only,  // from anyone when the value is a deny list ("~…"), else only from the administrator
};
// Which verbs offer the option.
enum class Offered { run, boot, both, file_only };
// Who defined the key: plain .nspawn files may only hold systemd.nspawn(5)'s own.
enum class KeyOf { croft, nspawn };
// How a file writes the value: the whole line is one value, or each (quoted) word of it is one.
enum class KeySyntax { line, words };
// Which part of an option's value is a path of this host; there a relative one is meant from the caller's
// directory.
enum class HostPath {
    none,
    whole,
    first,   // before the first ':'
    second,  // behind the first ':'
    layers,  // every ':' part but the last
    reference,  // of an image: behind "raw:", "oci:" …, or a word with a slash
};
// What a second value does.
enum class Repeat { replaces, adds };

struct Field {
    const char* name;          // "memory": the name in `croft explain` and JSON
    const char* option = "";   // "--memory" ("" when there is none); a short one is in `short_option`
    char short_option = 0;     // 'm', or 0
    const char* aliases = "";  // other spellings of the option, with blanks between: "--setenv -E"
    const char* section = "";  // "Exec" … of the machine file; "" when it has no key
    // "MemoryMax"; "*" takes every other key of its section, and set() gets "KEY=VALUE".
    const char* key = "";
    KeyOf key_of = KeyOf::croft;
    KeySyntax syntax = KeySyntax::line;
    // "BYTES"; "" for a flag (its value is "yes", or --flag=no); "[MODE]" is optional, only as --x=MODE.
    const char* argument = "";
    Repeat repeat = Repeat::replaces;
    Trust trust = Trust::host_only;
    Offered offered = Offered::both;
    HostPath host_path = HostPath::none;
    const char* values = "";   // for completion: "yes|no|pick", "path", "user", … or ""
    const char* help = "";     // one line
    const char* doc = "";      // a paragraph: unit, range, default, source of the rule
    const char* example = "";  // "--memory=512M"
    // Parses and stores. Returns the reason alone ("'12X' is no size (512M, 2G, …)"); apply() adds the
    // origin.
    Result<> (*set)(MachineSpec&, std::string_view value) = nullptr;
    // The field's present values as text, one for each set() that would bring them back; empty when unset.
    std::vector<std::string> (*get)(const MachineSpec&) = nullptr;
    // Back to the default: what an empty assignment ("Bind=", "--bind=") does.
    void (*reset)(MachineSpec&) = nullptr;
};

// All rows, in the order of help pages. Built at the first call: look-ups below do not need it.
std::span<const Field> fields();
const Field* field_by_name(std::string_view name);
const Field* field_by_option(std::string_view option);  // "--memory", also by an alias
const Field* field_by_short(char option);               // 'm', also by an alias
// The row of a key, or the section's "*" row; nullptr: no such key.
const Field* field_by_key(std::string_view section, std::string_view key);
bool known_section(std::string_view section);
// "Did you mean": the closest option or key, "" when none is close.
std::string closest_option(std::string_view option);
std::string closest_key(std::string_view section, std::string_view key);
// The value of `get` on one line, for people and tables: items joined by ", ".
std::string value_text(const Field& field, const MachineSpec& spec);

// What a complete spec must obey, beyond what a single value can tell (combinations, names). Run once after
// merging. Refuses by name what a spec can say and croft cannot do yet.
Result<> validate(const MachineSpec& spec);

}  // namespace croft::spec
