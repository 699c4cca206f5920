// A seccomp profile. The length chooses what the host may do, so that conditions go both ways.
#include "dialect/seccomp_json.h"
#include "property.h"

using namespace croft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    dialect::SeccompHost host;
    std::string_view text = fuzz::text_of(data, size);
    host.capabilities = size % 2 ? UINT64_MAX : 0;
    auto profile = dialect::parse_seccomp_json(text, host);
    if (!profile) return 0;
    fuzz::promise(profile->default_action.starts_with("SCMP_ACT_"), "the default action is one", text);
    for (const spec::SeccompRule& rule : profile->rules) {
        fuzz::promise(!rule.names.empty(), "a rule names a system call", text);
        fuzz::promise(rule.action.starts_with("SCMP_ACT_"), "a rule's action is one", text);
        for (const spec::SeccompArg& arg : rule.args)
            fuzz::promise(arg.index < 6, "a system call has six arguments", text);
    }
    return 0;
}
