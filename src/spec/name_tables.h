// Names that the kernel and systemd fixed, and the sentences for those that do not exist. For spec/ and
// dialect/: every dialect must refuse the same wrong names with the same words.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::spec {

// "CAP_NET_ADMIN" from any of net_admin, cap_net_admin, CAP_NET_ADMIN; "all" stays "all".
Result<std::string> capability_name(std::string_view text);
// The number of "CAP_NET_ADMIN" in a capability set; for names that capability_name() gave.
std::optional<unsigned> capability_number(std::string_view name);
// All of them, in the order of their numbers.
std::vector<std::string> capability_names();
// "SIGTERM" from TERM, SIGTERM or 15; "SIGRTMIN+3" from RTMIN+3 or SIGRTMIN+3.
Result<std::string> signal_name(std::string_view text);
// "NOFILE" from NOFILE, nofile, RLIMIT_NOFILE.
Result<std::string> rlimit_name(std::string_view text);
// "AF_INET"; address_families(7).
Result<std::string> address_family_name(std::string_view text);

// The limits in the order of their RLIMIT_* numbers.
std::span<const std::string_view> rlimit_names();
// systemd.resource-control(5). A list property is added to when it is written again, any other replaced.
enum class PropertyKind { unknown, scalar, list };
PropertyKind resource_property(std::string_view name);
std::vector<std::string> resource_property_names();

// " (did you mean 'x'?)" or "": the tail of a sentence about an unknown name.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace croft::spec
