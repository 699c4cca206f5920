// SpecPatch: what one source (an option, a file, a bus call) says about a machine, each value with its origin.
//
// A patch is an ordered list of assignments to rows of the field table (spec/fields.h). Patches are merged by
// applying them in order, lowest authority first: a scalar is replaced; a list is added to, and an empty assignment
// clears it (as in unit files). Where a patch comes from decides what it may set: a file that lies beside an image
// came with the image, so it is untrusted and rows marked `Trust::host_only` are dropped from it with a warning.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "spec/machine_spec.h"

namespace croft::spec {

struct Field;

// Where a value was written, for error messages: "--memory", "/etc/croft/machines/web.machine:12".
struct Origin {
    std::string text;
    bool trusted = true;
};

// An empty assignment of a file or option ("Bind=", "--bind=") resets; an empty word of a command is a value.
enum class Assign { value, reset };

struct Assignment {
    const Field* field = nullptr;  // never null
    std::string value;             // as written, unquoted; specifiers already expanded
    Origin origin;
    Assign assign = Assign::value;
};

struct SpecPatch {
    std::vector<Assignment> assignments;
    void add(const Field& field, std::string value, Origin origin);
    void reset(const Field& field, Origin origin);
    // Everything `other` says, behind what is here: the later one has the last word.
    void append(SpecPatch other);
};

struct Warning {
    std::string text;
};

// Applies a patch. The first wrong value is an error that names origin and value; untrusted assignments to
// host-only rows become warnings.
Result<> apply(const SpecPatch& patch, MachineSpec& spec, std::vector<Warning>& warnings);

}  // namespace croft::spec
