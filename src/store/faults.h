// Where a process may be killed to see what it leaves: each step that changes the store calls here first. With
// CROFT_STORE_KILL_AT=N the process is killed (SIGKILL) at the Nth; the crash tests walk through all of them.
#pragma once

namespace croft::store {

void step();

}  // namespace croft::store
