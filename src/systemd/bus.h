// A connection to D-Bus, and calls of systemd's and machined's methods. Called within systemd/ only.
#pragma once

#include "systemd/handles.h"

namespace croft::systemd {

// The system's, or the user's own.
enum class Which { system, user };
Result<Bus> open_bus(Which which);
// systemd's own socket, without a bus: for root on a host whose D-Bus is not there, or not well. Nobody else can be reached
// over it, and systemd cannot keep a unit for who is connected so.
Result<Bus> open_systemd();

// One object to call methods of.
struct Target {
    const char *service, *path, *interface;
};
inline constexpr Target systemd_manager = {"org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                           "org.freedesktop.systemd1.Manager"};
inline constexpr Target machined_manager = {"org.freedesktop.machine1", "/org/freedesktop/machine1",
                                            "org.freedesktop.machine1.Manager"};

Result<Message> new_call(sd_bus* bus, const Target& target, const char* method);
// Sends it and waits for the reply. `what` begins the sentence of an error.
Result<Message> call(sd_bus* bus, sd_bus_message* message, std::string_view what);

}  // namespace croft::systemd
