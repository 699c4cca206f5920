// Text of mounts: the values of --bind, --tmpfs, --overlay, --inaccessible and of their keys in [Files], in
// the syntax of systemd-nspawn(1), which options and files share. For fields_mounts.cc and the OCI face's
// printing.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "spec/machine_spec.h"

namespace croft::spec {

enum class Writable { no, yes };

// SRC[:DST[:OPTIONS]]; "\:" is a colon in a path, "+/x" a source inside the tree, an empty one a fresh
// directory.
Result<Mount> parse_bind(std::string_view text, Writable writable);
// PATH[:OPTIONS]
Result<Mount> parse_tmpfs(std::string_view text);
// LOWER[:LOWER…]:UPPER:DST, or LOWER:DST where DST is the upper directory too. Read-only: all are lower.
Result<Mount> parse_overlay(std::string_view text, Writable writable);
Result<Mount> parse_inaccessible(std::string_view text);

// The value that parses to this mount.
std::string mount_text(const Mount& mount);

}  // namespace croft::spec
