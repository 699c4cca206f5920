#include "systemd/machined.h"

#include <unistd.h>

#include <cstring>

#include "base/text.h"
#include "systemd/bus.h"

namespace croft::systemd {
namespace {

// $container_uuid as its 16 bytes; none when the machine has no id yet (it makes its own).
std::vector<uint8_t> machine_id(const launch::LaunchPlan& plan) {
    std::string digits;
    for (const std::string& entry : plan.process.env)
        if (entry.starts_with("container_uuid="))
            for (char c : entry.substr(strlen("container_uuid=")))
                if (c != '-') digits += c;
    std::vector<uint8_t> out;
    for (size_t i = 0; digits.size() == 32 && i < 32; i += 2)
        out.push_back(static_cast<uint8_t>(parse_uint(digits.substr(i, 2), 16).value_or(0)));
    return out;
}

}  // namespace

namespace {

Result<> send_registration(sd_bus* bus, const manager::Record& record, const launch::LaunchPlan& plan) {
    Message m = TRY(new_call(bus, machined_manager, "RegisterMachine"));
    std::vector<uint8_t> id = machine_id(plan);
    int r = sd_bus_message_append(m.get(), "s", record.name.c_str());
    if (r >= 0) r = sd_bus_message_append_array(m.get(), 'y', id.data(), id.size());
    if (r >= 0)
        r = sd_bus_message_append(m.get(), "ssus", "croft", "container", static_cast<uint32_t>(record.leader.pid),
                                  record.tree.c_str());
    if (r < 0) return bus_error(r, "describing the machine");
    TRY(call(bus, m.get(), cat("registering machine ", quoted(record.name))));
    return {};
}

// What machined remembers of the life before a reboot, because the unit is still the same.
Result<> forget_machine(sd_bus* bus, const std::string& name) {
    Message m = TRY(new_call(bus, machined_manager, "UnregisterMachine"));
    sd_bus_message_append(m.get(), "s", name.c_str());
    TRY(call(bus, m.get(), cat("registering machine ", quoted(name), " anew")));
    return {};
}

}  // namespace

Result<> register_machine(const manager::Record& record, const launch::LaunchPlan& plan) {
    if (access("/run/systemd/machines", F_OK) < 0) return {};
    Bus bus = TRY(open_bus(Which::system));
    Result<> done = send_registration(bus.get(), record, plan);
    if (!done && done.error().code == Errc::exists && record.restarts) {
        TRY(forget_machine(bus.get(), record.name));
        done = send_registration(bus.get(), record, plan);
    }
    // No machined on this host: all of croft works without.
    if (!done && done.error().code == Errc::unsupported) return {};
    return done;
}

}  // namespace croft::systemd
