#include "run/step_kinds.h"

namespace croft::run {

long perform(const launch::Step& step, Context& context) {
    return std::visit([&](const auto& s) { return do_step(s, context); }, step);
}

}  // namespace croft::run
