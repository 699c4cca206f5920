// Hooks (runtime-spec "POSIX-platform Hooks"): programs that are run at six points of a machine's life, with
// its state on their standard input.
//
//   prestart, createRuntime   by the launcher, once the machine's namespaces are there
//   createContainer           by a process of the launcher's in these namespaces, which sees the host's tree
//                             (run/container_hooks.h)
//   startContainer            by the payload's process, after the gate (apps/init/hooks.h)
//   poststart, poststop       by whoever starts and removes the machine, with run_hooks()
//
// The state is a file, not a pipe: a hook may leave it unread, and no one waits for another. A hook's output
// goes where the caller's goes. It ends with its caller, and when its time is over, it and its process group
// are killed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "launch/launch_plan.h"

namespace croft::run {

// One after the other; the first that fails ends it. `list` ("createRuntime") is for the sentence, `state`
// JSON.
Result<> run_hooks(std::string_view list, const std::vector<launch::Hook>& hooks, std::string_view state);

// What croft-init is handed for startContainer hooks (run/exec_report.h): the words; where a report of a
// failure becomes a sentence.
Result<Fd> start_hook_words(const std::vector<launch::Hook>& hooks);
Error start_hook_error(const std::vector<launch::Hook>& hooks, uint16_t index, int32_t status);

// A file in memory that starts with this content and is read from its start.
Result<Fd> memory_file(const char* name, std::string_view content);

}  // namespace croft::run
