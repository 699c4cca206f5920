// What steps work on: the slots, and the few descriptors that are not slots. Shared by the launcher and the
// payload's process (each has its own copy after clone). Plain integers: nothing here may need the heap.
#pragma once

#include <array>
#include <cstdint>

#include "launch/launch_plan.h"

namespace croft::run {

using launch::Slot;
inline constexpr size_t max_slots = 256;

enum class Place : uint8_t { host, stage, inside };

struct Context {
    const launch::LaunchPlan* plan = nullptr;
    Place place = Place::host;
    std::array<int, max_slots> slots;  // -1: empty
    int host_root = -1;                // the host's "/", for CopyFile from the stage
    int stage = -1;         // the stage's own root, below the machine's: blank-file, blank-dir, p, s, l
    int sync = -1;          // socket to the launcher (inside)
    int terminal = -1;      // slave opened by OpenConsole
    char reason[120] = {};  // what the kernel said about a file system it would not mount
    // Overlay layers that are attached below the stage's l/ for now: the slot of l/NAME, by the name's
    // number.
    std::array<Slot, 128> layers;
    size_t used_layers = 0;
    Context() { slots.fill(-1); }
};

// The name of the nth mount point below the stage's l/: one character for the first 62, then two. Short,
// because fsconfig(2) takes a string of 255 bytes only for all lower layers together.
struct LayerName {
    explicit LayerName(size_t n) {
        constexpr const char* digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        if (n >= 62)
            text[0] = digits[n / 62], text[1] = digits[n % 62];
        else
            text[0] = digits[n];
    }
    char text[3] = {};
};
// Takes all layers away again, when the stage is complete.
void detach_layers(Context& context);

// Performs one step: 0 or -errno. Heap-free and free of libc state, so it may run between clone and exec.
long perform(const launch::Step& step, Context& context);

// A user namespace with these maps, made by a helper process that is gone again: a descriptor, or -errno.
long make_userns(const std::vector<launch::IdMap>& uids, const std::vector<launch::IdMap>& gids);
// Writes /proc/PID/uid_map and gid_map: 0 or -errno.
long write_maps(long pid, const std::vector<launch::IdMap>& uids, const std::vector<launch::IdMap>& gids);
// Sends one message with an optional descriptor over a socket: 0 or -errno.
long send_message(int socket, const void* bytes, size_t size, int fd);
// Asks the launcher for something that only it can do, and waits until that is done; ends this process when the
// launcher is gone. By write and read alone, which every filter allows. Of size 0: only waits.
long ask_launcher(int socket, const void* bytes, size_t size);

}  // namespace croft::run
