// The user's mounts by kind, and what they share. Only for the .cc files of plan/.
#pragma once

#include <string>
#include <string_view>

#include "plan/draft.h"

namespace croft::plan {

Result<> plan_bind(Draft&, const spec::Mount&);
Result<> plan_overlay(Draft&, const spec::Mount&);

// The option that a mount is known by, for the sentence of its refusal.
std::string_view option_of(const spec::Mount& mount);
// /proc, /sys, or a path below: mounted by the payload's process, after the user's mounts.
bool is_below_api(std::string_view path);
// Whether something is at a host path, or why it cannot be used.
Result<> check_source(const Draft& d, const spec::Mount& mount, const std::string& path);
// A directory below the scratch directory, by its host path: a clone of a clone works only since Linux 6.15.
Result<std::string> fresh_directory(Draft& d, std::string_view stem);

}  // namespace croft::plan
