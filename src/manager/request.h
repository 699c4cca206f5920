// From what somebody asks to a complete MachineSpec: the tree, the machine files that speak about it, and the
// options, merged in the order that --settings asks for. Called by cli/ for run, boot and plan, and by
// declared.cc for a machine that has nothing but its file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dialect/machine_paths.h"
#include "manager/paths.h"
#include "spec/machine_spec.h"
#include "spec/spec_patch.h"

namespace croft::manager {

struct Request {
    std::string tree;         // TREE as it was given: a path, or a name
    spec::SpecPatch options;  // of the command line, with the command
    dialect::Settings settings = dialect::Settings::yes;
    std::optional<spec::Mode> mode;  // unset: as the file says
};
struct Requested {
    spec::MachineSpec spec;                // complete and validated
    std::vector<std::string> files;        // that were read, in order
    std::vector<spec::Warning> warnings;   // what an untrusted file may not set
};
Result<Requested> read_request(const Paths& paths, const Request& request);

// Where this system's (or user's) files about machines are looked for.
dialect::Places places(const Paths& paths);

// The end of each way to a spec: what must hold for all of it, and the host's files that it names.
Result<> complete(spec::MachineSpec& spec);

}  // namespace croft::manager
