// Trees that lie over each other, as one mount (overlayfs). Called by host/ to look into a machine's root before there is
// one, by manager/ for what is done to a root that nobody runs on, and by images/.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace croft::kernel {

enum class OverlayNotes { trusted, user };  // which attributes say what a layer hides: user's where root is nobody's

// `trees` are host paths, the topmost first; a single one is opened as it is. Linux before 6.5 takes at most 14 here
// (unsupported). Nothing of it is seen by others; with the descriptor it goes.
Result<Fd> read_layers(const std::vector<std::string>& trees, OverlayNotes notes);
// At its end overlayfs writes the whole file system of its upper to the disk, other people's files too, which can take
// seconds. `later`: not here; whoever asks for that sees to it, and calls clear_work() when the mount is gone.
enum class OverlaySync { at_end, later };
// The same with a directory that takes what is written: `upper` has upper/ and work/ in it.
Result<Fd> write_layers(const std::vector<std::string>& trees, const std::string& upper, OverlayNotes notes, OverlaySync sync);
// What overlayfs leaves in work/ of `upper`, marked so that no mount takes it again before it is gone.
Result<> clear_work(const std::string& upper);
// read_layers() mounted at a directory, for all to see.
Result<> mount_layers(const std::vector<std::string>& trees, OverlayNotes notes, const std::string& directory);

}  // namespace croft::kernel
