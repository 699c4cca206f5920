// Which system calls a container may make by default, and the @groups that people name in --syscall-filter.
//
// The decisions are those of systemd-nspawn's default list, so that what runs under it runs here: calls
// outside the list that the kernel has (or had) fail with EPERM; numbers nobody knows fail with ENOSYS,
// because a C library that meets EPERM from a call younger than the list gives up where it would have used an
// older call on ENOSYS.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace croft::seccomp {

using Names = std::set<std::string, std::less<>>;

// Allowed to everybody; a container holds the kernel's capability checks anyway.
const Names& allowed_calls();
// Known and refused with EPERM.
const Names& refused_calls();
// Allowed to whom holds the capability that the kernel asks for: adds to `out`.
void add_calls_of_capabilities(uint64_t capabilities, Names& out);
// All names of a group ("@mount"), groups within it resolved; empty when there is no such group.
Names group(std::string_view name);
std::vector<std::string_view> group_names();

}  // namespace croft::seccomp
