#include "systemd/handles.h"

#include "base/text.h"

namespace croft::systemd {
namespace {

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
    {SD_BUS_ERROR_UNKNOWN_OBJECT, Errc::not_found},
    {SD_BUS_ERROR_ACCESS_DENIED, Errc::denied},
    {SD_BUS_ERROR_INVALID_ARGS, Errc::invalid},
    {SD_BUS_ERROR_PROPERTY_READ_ONLY, Errc::invalid},
    {SD_BUS_ERROR_SERVICE_UNKNOWN, Errc::unsupported},
    {SD_BUS_ERROR_TIMEOUT, Errc::timeout},
    {SD_BUS_ERROR_NO_REPLY, Errc::timeout},
    {SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, Errc::denied},
};

}  // namespace

Error bus_error(int negative_errno, std::string_view doing) {
    return os_error(-negative_errno, doing);
}

Error error_from(const sd_bus_error& why, std::string_view doing) {
    std::string_view name = why.name ? why.name : "";
    // sd-bus knows the errno that a standard name stands for.
    Errc code = os_error(sd_bus_error_get_errno(&why), "").code;
    if (code == Errc::system) code = Errc::failed;
    for (const Errors& row : known)
        if (name == row.name) code = row.code;
    return error(code, cat(doing, doing.empty() ? "" : ": ", why.message ? why.message : name));
}

}  // namespace croft::systemd
