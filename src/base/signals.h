// Signals by name and number, the same on every architecture that Linux's generic numbers hold for. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace croft {

// "SIGTERM", "TERM", "15", "SIGRTMIN+3", "SIGRTMAX-1" (the kernel's numbers as glibc shifts them: SIGRTMIN is
// 34).
std::optional<int> signal_number(std::string_view name);
// "SIGTERM", "SIGRTMIN+3"; "signal 99" when there is no such signal.
std::string signal_name(int number);

}  // namespace croft
