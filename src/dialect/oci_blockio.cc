// config.json: linux.resources.blockIO, as io.weight and io.max of cgroup2.
#include "dialect/oci_parts.h"

namespace croft::dialect {

namespace {
using spec::MachineSpec;
using spec::Resources;
using std::string_view;

struct Device {
    std::optional<uint64_t> major, minor, rate;
    uint64_t weight = 0, leaf_weight = 0;
    std::string numbers() const { return cat(major.value_or(0), ":", minor.value_or(0)); }
};
template <std::optional<uint64_t> Device::*Member>
Result<> device_number(Json v, Device& out, JsonNotes&) {
    out.*Member = TRY(json_number(v, 0xfffff));
    return {};
}

// 10 to 1000 in cgroup v1, and 0 for "nothing said".
Result<uint64_t> v1_weight(Json v) {
    uint64_t weight = TRY(json_number(v, 1000));
    if (weight && weight < 10) return json_error(v, "is no weight from 10 to 1000");
    return weight;
}
// 10 to 1000 onto 1 to 10000.
uint64_t io_weight(uint64_t weight) {
    return 1 + (weight - 10) * 9999 / 990;
}
Result<> no_leaf_weight(Json v) {
    if (TRY(v1_weight(v))) return json_error(v, "cannot be set in cgroup2, where only leaves have processes");
    return {};
}

Result<> weight(Json v, Device& out, JsonNotes&) {
    out.weight = TRY(v1_weight(v));
    return {};
}
Result<> device_leaf_weight(Json v, Device&, JsonNotes&) {
    return no_leaf_weight(v);
}
constexpr JsonRow<Device> weight_rows[] = {{"major", device_number<&Device::major>, Presence::required},
                                           {"minor", device_number<&Device::minor>, Presence::required},
                                           {"weight", weight},
                                           {"leafWeight", device_leaf_weight}};
constexpr JsonRow<Device> throttle_rows[] = {{"major", device_number<&Device::major>, Presence::required},
                                             {"minor", device_number<&Device::minor>, Presence::required},
                                             {"rate", uint64_into<&Device::rate>, Presence::required}};

Result<> group_weight(Json v, Resources& r, JsonNotes&) {
    if (uint64_t in = TRY(v1_weight(v))) r.io_weight = io_weight(in);
    return {};
}
Result<> leaf_weight(Json v, Resources&, JsonNotes&) {
    return no_leaf_weight(v);
}
Result<> device_weights(Json v, Resources& r, JsonNotes& notes) {
    std::vector<Device> devices;
    TRY(json_list(v, weight_rows, devices, notes));
    for (const Device& device : devices)
        if (device.weight)
            r.unified.emplace_back("io.weight", cat(device.numbers(), " ", io_weight(device.weight)));
    return {};
}

constexpr char read_bytes[] = "rbps", write_bytes[] = "wbps", read_calls[] = "riops", write_calls[] = "wiops";
template <const char* Key>
Result<> throttle(Json v, Resources& r, JsonNotes& notes) {
    std::vector<Device> devices;
    TRY(json_list(v, throttle_rows, devices, notes));
    for (const Device& device : devices) {
        // 0 takes a limit away in cgroup v1.
        std::string rate = *device.rate ? cat(*device.rate) : "max";
        r.unified.emplace_back("io.max", cat(device.numbers(), " ", string_view(Key), "=", rate));
    }
    return {};
}

constexpr JsonRow<Resources> rows[] = {{"weight", group_weight},
                                       {"leafWeight", leaf_weight},
                                       {"weightDevice", device_weights},
                                       {"throttleReadBpsDevice", throttle<read_bytes>},
                                       {"throttleWriteBpsDevice", throttle<write_bytes>},
                                       {"throttleReadIOPSDevice", throttle<read_calls>},
                                       {"throttleWriteIOPSDevice", throttle<write_calls>}};
}  // namespace

Result<> read_oci_blockio(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, rows, spec.resources, notes);
}

}  // namespace croft::dialect
