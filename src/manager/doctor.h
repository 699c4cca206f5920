// What this host lacks for which feature and what to do, and what earlier machines left behind. Called by
// cli/.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "manager/paths.h"

namespace croft::manager {

struct Finding {
    enum class Level { ok, note, problem };
    Level level = Level::ok;
    std::string topic;   // "cgroup", "idmapped mounts", "machine web"
    std::string text;    // a sentence
    std::string advice;  // what to do; empty when nothing
    bool repairable = false, repaired = false;
};

enum class Repair { no, yes };
Result<std::vector<Finding>> doctor(const Paths& paths, Repair repair);

}  // namespace croft::manager
