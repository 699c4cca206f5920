// What a control group has used, in the shape that engines read from `events --stats`.
#pragma once

#include "format/json_writer.h"

namespace croft::oci {

// One JSON object. A file that the group does not have (its controller is not there) gives zeros, as engines expect.
void write_stats(format::JsonWriter& json, int group);

}  // namespace croft::oci
