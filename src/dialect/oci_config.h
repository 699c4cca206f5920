// config.json of an OCI bundle (runtime-spec 1.3) as a MachineSpec, and the two parts of it that come alone: a process
// (`exec --process`) and resources (`update --resources`).
//
// Unknown members and wrong values are refused with their JSON path ("$.mounts[3].destination: …"), and so is what the
// specification has and this host's kernel cannot be asked for (cgroup v1 alone, virtual machines, other systems). What
// depends on the host is not asked here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/machine_spec.h"

namespace croft::dialect {

struct OciBundle {
    std::string directory;  // absolute: relative paths of the configuration start here
    std::string id;         // of the container, the spec's name
};

struct OciSpec {
    spec::MachineSpec spec;
    std::string version;                // ociVersion as written
    std::vector<std::string> warnings;  // sentences about what runtimes are to tolerate
};

// Without a `process`, which only `start` needs, the command is empty.
Result<OciSpec> parse_oci_config(std::string_view text, const OciBundle& bundle);
// Of the spec only process, security (capabilities, no_new_privileges) are filled.
Result<OciSpec> parse_oci_process(std::string_view text);
// Of the spec only resources (and the device rules in them) are filled.
Result<OciSpec> parse_oci_resources(std::string_view text);

}  // namespace croft::dialect
