// The parts of a config.json, one file each (oci_*.cc). Only these files include this.
#pragma once

#include "format/json_read.h"
#include "spec/machine_spec.h"

namespace croft::dialect {

using namespace format;  // the readers of JSON

// Rows fill the spec; what one member alone cannot know (a limit that needs another) is checked at the end of
// the part.
Result<> read_oci_process(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_mounts(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_hooks(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_linux(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_resources(Json, spec::MachineSpec&, JsonNotes&);
// linux.…
Result<> read_oci_namespaces(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_time_offsets(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_devices(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_device_rules(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_net_devices(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_rdt(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_memory_policy(Json, spec::MachineSpec&, JsonNotes&);
Result<> read_oci_id_maps(Json, std::vector<spec::IdMapping>&, JsonNotes&);
// linux.seccomp: runtime-spec's form of a profile, without what Docker and podman add in their files.
Result<spec::SeccompProfile> read_seccomp(Json, JsonNotes&);

Result<> read_oci_blockio(Json, spec::MachineSpec&, JsonNotes&);

// A path from the root, of the container or of the host.
Result<std::string> json_absolute(Json);
Result<std::vector<std::string>> json_absolutes(Json);
// "shared", "rslave", …; unset for a word that is none.
spec::Propagation oci_propagation(std::string_view word);
// A text as a list of CPUs or nodes: "0-3,7".
Result<std::string> json_cpus(Json), json_nodes(Json);

// Rows that need nothing but a place.
template <auto Member, class T>
Result<> text_into(Json v, T& out, JsonNotes&) {
    out.*Member = TRY(json_text(v));
    return {};
}
template <auto Member, class T>
Result<> texts_into(Json v, T& out, JsonNotes&) {
    out.*Member = TRY(json_texts(v));
    return {};
}
template <auto Member, class T>
Result<> uint32_into(Json v, T& out, JsonNotes&) {
    out.*Member = static_cast<uint32_t>(TRY(json_number(v, UINT32_MAX)));
    return {};
}
template <auto Member, class T>
Result<> uint64_into(Json v, T& out, JsonNotes&) {
    out.*Member = TRY(json_number(v, UINT64_MAX));
    return {};
}

}  // namespace croft::dialect
