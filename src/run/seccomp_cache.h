// System call filters on the hot path: a filter is compiled once per request text and kept; a start reads it
// with one read(2). Called by the launcher before it clones, for plan.process.seccomp.
//
// What is trusted: a kept file whose directory and self belong to the effective user (or root), that nobody
// else can write, whose request is the asked one in full, made by the installed croft-seccomp for this
// architecture. Anything else is ignored and replaced. A cache that cannot be read or written costs a compile
// (10–20 ms) and a debug message.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace croft::run {

class SeccompProgram {
  public:
    // For seccomp(SECCOMP_SET_MODE_FILTER, flags(), &program): valid as long as this object lives where it
    // is.
    std::span<const sock_filter> filter() const;
    // SECCOMP_FILTER_FLAG_* the request asks for. NEW_LISTENER is among them when a rule notifies.
    uint32_t flags() const;
    sock_fprog fprog() const;

  private:
    friend struct SeccompFile;
    std::string bytes_;  // a whole kept file, already checked
};

// `cache_dir` is absolute ("" keeps nothing); it is made when it is not there. `helper` is the path of
// croft-seccomp. An error is the helper's own sentence (an unknown system call name, a filter that is too
// large).
Result<SeccompProgram> load_seccomp(std::string_view request, const std::string& cache_dir,
                                    const std::string& helper);

// The name that a request's filter is kept under, in the cache directory.
std::string seccomp_file_name(std::string_view request);

}  // namespace croft::run
