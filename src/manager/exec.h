// A further process in a running machine: `croft exec`, `croft shell`. Called by cli/.
//
// The process joins the namespaces of the machine's leader (found by pidfd) and gets the same restrictions as
// the payload: they come from the kept plan, not from what the tree says now. The user is resolved inside,
// through the leader's root.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "launch/outcome.h"
#include "manager/machines.h"

namespace croft::manager {

struct ExecOptions {
    std::vector<std::string> command;  // empty: the user's shell
    std::string user;                  // as --user; empty: root
    std::string directory;             // empty: the user's home (shell) or /
    std::vector<std::pair<std::string, std::string>> environment;
    bool terminal = false;    // -t
    bool interactive = true;  // -i: standard input stays open
    bool login = false;       // `shell`: through the tree's login, PAM where it has it
    bool privileged = false;  // all capabilities of the machine's user namespace, no seccomp
    bool detached = false;
    std::string detach_keys;
};

// Runs it and waits: the outcome is the command's own.
Result<launch::Outcome> exec(const Paths& paths, std::string_view name, const ExecOptions& options);
// Gives this terminal to the machine's own (a detached machine with one) until it ends or the user detaches.
Result<launch::Outcome> attach(const Paths& paths, std::string_view name, std::string_view detach_keys);

}  // namespace croft::manager
