// What two machines say otherwise, setting by setting. For `croft diff`.
#pragma once

#include <string>
#include <vector>

#include "spec/fields.h"

namespace croft::spec {

struct Difference {
    const Field* field = nullptr;
    std::vector<std::string> left, right;  // the values, as Field::get has them; empty: the default
};
// In the order of the field table. Settings that have no key in a file are not compared: they are other
// spellings of one that has.
std::vector<Difference> differences(const MachineSpec& left, const MachineSpec& right);

}  // namespace croft::spec
