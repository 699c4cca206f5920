// What an image says of its process (image-spec, config.md), as settings of a machine. Only for image_root.cc, which knows
// where they stand among the others.
#pragma once

#include <string>
#include <vector>

#include "image/config.h"
#include "spec/machine_spec.h"
#include "spec/spec_patch.h"

namespace croft::manager {

// Of a booted machine only what an init may be told: environment and stop signal. What no machine can have (a variable
// without a name) is left out: the image was made for others, and the machine can do without.
spec::SpecPatch settings_of(const image::ImageProcess& process, const std::string& image, spec::Mode mode);
// The entry point, then `command` or else the image's own; of a booted machine `command` alone.
std::vector<std::string> whole_command(const image::ImageProcess& process, spec::Mode mode,
                                       const std::vector<std::string>& command);

}  // namespace croft::manager
