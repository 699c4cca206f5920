// Reading the journal through journalctl, which every host with a journal has: it knows journals of all versions, and the
// static programs cannot link libsystemd. Called by read_events.cc and logs.cc.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::manager {

// Runs journalctl with these words behind its name and gives what it prints to `sink`, piece by piece. `go_on` is asked
// about once a second while nothing comes; when it says no, what there is is still read, and then it ends.
Result<> journalctl(std::vector<std::string> words, const std::function<Result<>(std::string_view)>& sink,
                    const std::function<bool()>& go_on = {});

}  // namespace croft::manager
