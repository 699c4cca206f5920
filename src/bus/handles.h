// Values that are read from and written to messages, our errors as the bus's, and the names of our objects. Called within
// bus/; references and the bus's errors are systemd/handles.h.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "systemd/handles.h"

namespace croft::bus {

using systemd::Bus;
using systemd::bus_error;
using systemd::Event;
using systemd::Message;
using systemd::Slot;
using systemd::Source;
using systemd::Track;

// A property's value, and how it is written: b, i, u, t, s, as, a{ss}.
using Value = std::variant<bool, int32_t, uint32_t, uint64_t, std::string, std::vector<std::string>, std::map<std::string, std::string>>;
int append_value(sd_bus_message* message, const Value& value);
const char* signature_of(const Value& value);
// {sv}
int append_member(sd_bus_message* message, const char* name, const Value& value);

// An error of ours as a D-Bus error, or of the bus as one of ours.
int reply_error(sd_bus_message* call, const Error& why);
Error error_from(const sd_bus_error& why, std::string_view doing);

// "as", "a{sv}" as words "--key=value", "ah" as descriptors of our own.
Result<std::vector<std::string>> read_strings(sd_bus_message* message);
Result<std::vector<std::pair<std::string, std::string>>> read_options(sd_bus_message* message);
Result<std::vector<Fd>> read_descriptors(sd_bus_message* message);

constexpr const char* bus_name = "org.croft.Croft1";
constexpr const char* root_path = "/org/croft/Croft1";
constexpr const char* machine_prefix = "/org/croft/Croft1/machine";
constexpr const char* image_prefix = "/org/croft/Croft1/image";
constexpr const char* job_prefix = "/org/croft/Croft1/job";
constexpr const char* manager_interface = "org.croft.Croft1.Manager";
constexpr const char* machine_interface = "org.croft.Croft1.Machine";
constexpr const char* image_interface = "org.croft.Croft1.Image";
constexpr const char* job_interface = "org.croft.Croft1.Job";
std::string path_of(const char* prefix, const std::string& name);
// The name in a path; empty when the path is not below the prefix.
std::string name_in(const char* prefix, const char* path);

}  // namespace croft::bus
