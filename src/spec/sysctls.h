// Whose a kernel parameter is.
#pragma once

#include <string_view>

namespace croft::spec {

// host: the whole host's. other: a namespace that every machine has of its own, or whose owner may set it.
enum class SysctlScope { host, network, ipc, uts, other };

// `name` with dots: "net.ipv4.ip_forward".
SysctlScope sysctl_scope(std::string_view name);

}  // namespace croft::spec
