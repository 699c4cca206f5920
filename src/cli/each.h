// The same thing for each of several machines: every one is tried, every failure is told, and the exit status
// is that of the first failure.
#pragma once

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/verbs.h"

namespace croft::cli {

template <class F>
int for_each_operand(const Arguments& args, F&& act) {
    int status = 0;
    for (const std::string& name : args.operands) {
        Result<> done = act(name);
        if (done) continue;
        log(LogLevel::error, done.error().text);
        if (!status) status = status_of(done.error(), OwnStatus::by_kind);
    }
    return status;
}

}  // namespace croft::cli
