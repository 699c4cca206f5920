// What steps work on: the slots, and the few descriptors that are not slots. Shared by the launcher and the payload's
// process (each has its own copy after clone). Plain integers: nothing here may need the heap.
#pragma once

#include <array>
#include <cstdint>

#include "launch/launch_plan.h"

namespace croft::run {

inline constexpr size_t max_slots = 256;

enum class Place : uint8_t { host, stage, inside };

struct Context {
    const launch::LaunchPlan* plan = nullptr;
    Place place = Place::host;
    std::array<int, max_slots> slots;  // -1: empty
    int host_root = -1;                // the host's "/", for CopyFile from the stage
    int stage = -1;                    // the stage's own root, below the machine's: blank-file, blank-dir, p, s, l
    int sync = -1;                     // socket to the launcher (inside)
    int terminal = -1;                 // slave opened by OpenConsole
    Context() { slots.fill(-1); }
};

// Performs one step: 0 or -errno. Heap-free and free of libc state, so it may run between clone and exec.
long perform(const launch::Step& step, Context& context);

// A user namespace with these maps, made by a helper process that is gone again: a descriptor, or -errno.
long make_userns(const std::vector<launch::IdMap>& uids, const std::vector<launch::IdMap>& gids);
// Writes /proc/PID/uid_map and gid_map: 0 or -errno.
long write_maps(long pid, const std::vector<launch::IdMap>& uids, const std::vector<launch::IdMap>& gids);
// Sends one message with an optional descriptor over a socket: 0 or -errno.
long send_message(int socket, const void* bytes, size_t size, int fd);

}  // namespace croft::run
