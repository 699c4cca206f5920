// The verb table of croft-oci: what engines call and what people may add. It drives parsing, --help, the manual and
// completion. The names are those of runtime-tools' command line and of what engines pass (docs/oci.md).
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace croft::oci {

class Call;

struct Flag {
    const char* name;      // "--bundle"
    char short_name;       // 'b', or 0
    const char* argument;  // "DIRECTORY"; "" for one that is just given or not
    const char* values;    // for completion: "table|json", "file", "directory", or ""
    const char* help;      // one line without a full stop; "" hides it
};

struct Verb {
    const char* name;
    const char* synopsis;  // what follows the flags: "ID [SIGNAL]"
    const char* help;      // one line without a full stop
    const char* doc;       // paragraphs, separated by an empty line
    unsigned least, most;  // operands
    // Behind the first operand everything is the payload's.
    bool payload_follows;
    // The exit status of errors.
    int error_status;
    std::span<const Flag> flags;
    Result<int> (*function)(const Call& call);
    // With --systemd-cgroup: then croft-oci-systemd, which can, takes croft-oci's place.
    bool asks_systemd = false;
};

std::span<const Verb> verbs();
std::span<const Flag> global_flags();
// Null when there is none.
const Verb* find_verb(std::string_view name);

Result<int> verb_create(const Call& call);
Result<int> verb_run(const Call& call);
Result<int> verb_start(const Call& call);
Result<int> verb_state(const Call& call);
Result<int> verb_kill(const Call& call);
Result<int> verb_delete(const Call& call);
Result<int> verb_exec(const Call& call);
Result<int> verb_ps(const Call& call);
Result<int> verb_list(const Call& call);
Result<int> verb_pause(const Call& call);
Result<int> verb_resume(const Call& call);
Result<int> verb_update(const Call& call);
Result<int> verb_events(const Call& call);
Result<int> verb_spec(const Call& call);
Result<int> verb_features(const Call& call);
Result<int> verb_checkpoint(const Call& call);
Result<int> verb_restore(const Call& call);

}  // namespace croft::oci
