// An encoded LaunchPlan, as a record keeps it. Whoever can write a record is root already; still, a torn or
// an old one must be an error and no crash.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "launch/launch_plan.h"

using namespace croft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    auto plan = launch::decode(bytes);
    if (plan && launch::encode(*plan) != bytes) abort();
    return 0;
}
