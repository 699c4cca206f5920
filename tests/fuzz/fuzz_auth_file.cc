// Files of logins, policies, and what registries ask for: nothing crashes, and a found login fits the name.
#include "property.h"
#include "registry/auth_file.h"
#include "registry/authorize.h"
#include "registry/lookaside.h"
#include "registry/policy.h"
#include "registry/signatures.h"

using namespace croft::registry;
using croft::fuzz::promise;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text = croft::fuzz::text_of(data, size);
    if (auto file = parse_auth_file(text, "file"))
        if (const AuthEntry* entry = find_auth(*file, "host.example/team/web"))
            promise(std::string_view("host.example/team/web").starts_with(entry->key), "a login is for the name or what is above it", text);
    (void)parse_old_auth_file(text, "file");
    (void)parse_policy(text, "file");
    (void)parse_claim(text, true);
    Lookaside lookaside;
    (void)read_lookaside(text, "file", lookaside);
    for (const Challenge& one : parse_challenges(text)) promise(!one.scheme.empty(), "a challenge has a scheme", text);
    return 0;
}
