// Declared machines as units: what croft-generator (apps/generator.cc) writes for systemd. Everything goes
// below the one directory that systemd gave, no link there is followed, and each file is there whole or not
// at all.
//
//   croft@NAME.service.d/50-croft.conf    order, limits, signals, [Service] settings of the machine's file,
//                                         beside the template croft@.service
//   TARGET.wants/croft@NAME.service       Autostart= (croft.target) and WantedBy= of [Install]; RequiredBy=,
//                                         UpheldBy= likewise
//
// A machine whose file has a mistake gets a drop-in by which its unit fails with the sentence, and the others
// are as they would be without it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "manager/paths.h"

namespace croft::manager {

struct Generated {
    std::vector<std::string> mistakes;  // sentences with file and line
    size_t units = 0;
};
// `self`: the program that is made the machine's, as `self --refuse NAME`, when its file has a mistake.
Result<Generated> generate_units(const Paths& paths, const std::string& directory, const std::string& self);

}  // namespace croft::manager
