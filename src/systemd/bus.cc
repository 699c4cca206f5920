#include "systemd/bus.h"

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace croft::systemd {
namespace {

constexpr uint64_t patience = 90'000'000;  // µs that a reply may take: a busy host starts slowly

struct Errors {
    const char* name;
    Errc code;
};
// What the callers tell apart; anything else is a failure with the service's own sentence.
constexpr Errors known[] = {
    {"org.freedesktop.systemd1.UnitExists", Errc::exists},
    {"org.freedesktop.systemd1.NoSuchUnit", Errc::not_found},
    {"org.freedesktop.systemd1.LoadFailed", Errc::invalid},
    {"org.freedesktop.systemd1.BadUnitSetting", Errc::invalid},
    {"org.freedesktop.systemd1.OnlyByDependency", Errc::invalid},
    {"org.freedesktop.machine1.NoSuchMachine", Errc::not_found},
    {"org.freedesktop.machine1.MachineExists", Errc::exists},
    {SD_BUS_ERROR_ACCESS_DENIED, Errc::denied},
    {SD_BUS_ERROR_INVALID_ARGS, Errc::invalid},
    {SD_BUS_ERROR_PROPERTY_READ_ONLY, Errc::invalid},
    {SD_BUS_ERROR_SERVICE_UNKNOWN, Errc::unsupported},
    {SD_BUS_ERROR_TIMEOUT, Errc::timeout},
    {SD_BUS_ERROR_NO_REPLY, Errc::timeout},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", Errc::denied},
};

}  // namespace

Error bus_error(int err, std::string_view what) {
    return os_error(-err, what);
}

Result<Bus> open_bus(Which which) {
    sd_bus* bus = nullptr;
    int r = which == Which::system ? sd_bus_open_system(&bus) : sd_bus_open_user(&bus);
    if (r < 0)
        return bus_error(r, which == Which::system ? "connecting to the system's D-Bus"
                                                   : "connecting to the user's D-Bus");
    Bus out(bus);
    sd_bus_set_method_call_timeout(bus, patience);
    return out;
}

Result<Bus> open_systemd() {
    sd_bus* bus = nullptr;
    int r = sd_bus_new(&bus);
    if (r < 0) return bus_error(r, "connecting to systemd");
    Bus out(bus);
    r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
    if (r >= 0) r = sd_bus_start(bus);
    if (r < 0) return bus_error(r, "connecting to systemd at /run/systemd/private");
    sd_bus_set_method_call_timeout(bus, patience);
    return out;
}

Result<Message> new_call(sd_bus* bus, const Target& target, const char* method) {
    sd_bus_message* message = nullptr;
    int r = sd_bus_message_new_method_call(bus, &message, target.service, target.path, target.interface, method);
    if (r < 0) return bus_error(r, cat("calling ", method));
    return Message(message);
}

Result<Message> call(sd_bus* bus, sd_bus_message* message, std::string_view what) {
    sd_bus_error failure = SD_BUS_ERROR_NULL;
    sd_bus_message* reply = nullptr;
    int r = sd_bus_call(bus, message, 0, &failure, &reply);
    if (r >= 0) return Message(reply);
    Error out = bus_error(r, what);
    if (failure.message) out.text = cat(what, ": ", failure.message);
    for (const Errors& row : known)
        if (failure.name && !strcmp(failure.name, row.name)) out.code = row.code;
    // Who was asked left the bus before it answered (manager::was_interrupted()).
    if (failure.name && !strcmp(failure.name, SD_BUS_ERROR_NO_REPLY)) out.err = EAGAIN;
    sd_bus_error_free(&failure);
    return out;
}

}  // namespace croft::systemd
