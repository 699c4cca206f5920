#include "spec/differences.h"

namespace croft::spec {

std::vector<Difference> differences(const MachineSpec& left, const MachineSpec& right) {
    std::vector<Difference> out;
    for (const Field& field : fields()) {
        if (!*field.section) continue;
        std::vector<std::string> a = field.get(left), b = field.get(right);
        if (a != b) out.push_back({&field, std::move(a), std::move(b)});
    }
    return out;
}

}  // namespace croft::spec
