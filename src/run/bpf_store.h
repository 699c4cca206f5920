// Where loaded BPF programs outlive the process that loaded them: a BPF file system, the host's at
// /sys/fs/bpf or, where there is none, one of croft's own at /run/croft/bpf. Called by run/device_program.cc.
//
// The key of a program is its whole description and is the path it is kept under, so a program that is found
// is the one described. Everything is below a directory of root's that nobody else may enter, which is
// checked each time.
#pragma once

#include <string_view>

#include "base/fd.h"

namespace croft::run {

// An Fd that holds nothing when there is none, or the directory is not to be trusted.
Fd find_kept_program(std::string_view key);
// Does its best: what cannot be kept is loaded again next time.
void keep_program(std::string_view key, const Fd& program);

}  // namespace croft::run
