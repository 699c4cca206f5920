// features, spec, checkpoint and restore: what croft-oci can do, and what it cannot.
#include "base/text.h"
#include "oci/output.h"

namespace croft::oci {

Result<int> verb_features(const Call&) {
    return error(Errc::unsupported, "features is not available yet");
}

Result<int> verb_spec(const Call&) {
    return error(Errc::unsupported, "spec is not available yet");
}

namespace {
Error no_criu(std::string_view verb) {
    return error(Errc::unsupported,
                 cat(verb, " is not available: croft-oci has no CRIU; stop the container and start it anew"));
}
}  // namespace

Result<int> verb_checkpoint(const Call&) { return no_criu("checkpoint"); }
Result<int> verb_restore(const Call&) { return no_criu("restore"); }

}  // namespace croft::oci
