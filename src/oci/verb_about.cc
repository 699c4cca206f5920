// features, spec, checkpoint and restore: what croft-oci can do, and what it cannot.
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "oci/default_config.h"
#include "oci/feature_list.h"
#include "oci/output.h"

namespace croft::oci {

Result<int> verb_features(const Call&) {
    TRY(print(features_document()));
    return 0;
}

Result<int> verb_spec(const Call& call) {
    std::string path = cat(call.flags.text("--bundle", "."), "/config.json");
    auto file = open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (!file && file.error().err == EEXIST)
        return error(Errc::exists, cat(quoted(path), " is there already: remove it first"));
    Fd out = TRY(std::move(file).within(cat("making ", quoted(path))));
    TRY(write_all(out.get(), default_config({call.flags.has("--rootless"), geteuid(), getegid()}))
            .within(cat("writing ", quoted(path))));
    return 0;
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
