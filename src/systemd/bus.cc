#include "systemd/bus.h"

#include <cerrno>
#include <cstring>

#include "base/scope.h"
#include "base/text.h"

namespace croft::systemd {
Result<Bus> open_bus(Which which) {
    Bus out;
    int r = which == Which::system ? sd_bus_open_system(out.put()) : sd_bus_open_user(out.put());
    if (r < 0)
        return bus_error(r, which == Which::system ? "connecting to the system's D-Bus"
                                                   : "connecting to the user's D-Bus");
    sd_bus_set_method_call_timeout(out.get(), patience);
    return out;
}

Result<Bus> open_systemd() {
    Bus out;
    int r = sd_bus_new(out.put());
    if (r >= 0) r = sd_bus_set_address(out.get(), "unix:path=/run/systemd/private");
    if (r >= 0) r = sd_bus_start(out.get());
    if (r < 0) return bus_error(r, "connecting to systemd at /run/systemd/private");
    sd_bus_set_method_call_timeout(out.get(), patience);
    return out;
}

Result<Message> new_call(sd_bus* bus, const Target& target, const char* method) {
    Message out;
    int r = sd_bus_message_new_method_call(bus, out.put(), target.service, target.path, target.interface, method);
    if (r < 0) return bus_error(r, cat("calling ", method));
    return out;
}

Result<Message> call(sd_bus* bus, sd_bus_message* message, std::string_view what) {
    sd_bus_error failure = SD_BUS_ERROR_NULL;
    OnExit free_failure([&] { sd_bus_error_free(&failure); });
    Message reply;
    int r = sd_bus_call(bus, message, 0, &failure, reply.put());
    if (r >= 0) return reply;
    if (!sd_bus_error_is_set(&failure)) return bus_error(r, what);
    Error out = error_from(failure, what);
    // Who was asked left the bus before it answered (manager::was_interrupted()).
    out.err = !strcmp(failure.name, SD_BUS_ERROR_NO_REPLY) ? EAGAIN : -r;
    return out;
}

}  // namespace croft::systemd
