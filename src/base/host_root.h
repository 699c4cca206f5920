// Whose root this process is.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace croft {

// Root of the host. A user's croft may be root too, of a user namespace (manager/rootless.h); it then says so of itself, in
// the environment: CROFT_SCOPE=user.
inline bool is_host_root() {
    const char* scope = getenv("CROFT_SCOPE");
    return geteuid() == 0 && !(scope && std::string_view(scope) == "user");
}

}  // namespace croft
