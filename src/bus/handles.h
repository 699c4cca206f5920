// sd-bus in C++: owned references, errors, and values that are read from and written to messages. Called
// within bus/.
//
// Every sd-bus function returns a negative errno; what comes from a caller and is wrong becomes InvalidArgs
// for it, what cannot fail but for memory is not looked at twice.
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace croft::bus {

// One reference to an object of libsystemd's, given back at the end.
template <class T, T* (*take)(T*), T* (*drop)(T*)>
class Ref {
  public:
    Ref() = default;
    explicit Ref(T* owned) : p_(owned) {}
    Ref(const Ref& other) : p_(other.p_ ? take(other.p_) : nullptr) {}
    Ref(Ref&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(p_, other.p_);
        return *this;
    }
    ~Ref() {
        if (p_) drop(p_);
    }
    static Ref share(T* borrowed) { return Ref(take(borrowed)); }
    T* get() const { return p_; }
    // Where a function of libsystemd's puts a new one.
    T** put() {
        *this = Ref();
        return &p_;
    }
    explicit operator bool() const { return p_; }

  private:
    T* p_ = nullptr;
};
using Message = Ref<sd_bus_message, sd_bus_message_ref, sd_bus_message_unref>;
using Slot = Ref<sd_bus_slot, sd_bus_slot_ref, sd_bus_slot_unref>;
using Bus = Ref<sd_bus, sd_bus_ref, sd_bus_flush_close_unref>;
using Event = Ref<sd_event, sd_event_ref, sd_event_unref>;
using Source = Ref<sd_event_source, sd_event_source_ref, sd_event_source_disable_unref>;
using Track = Ref<sd_bus_track, sd_bus_track_ref, sd_bus_track_unref>;

// A property's value, and how it is written: b, i, u, t, s, as.
using Value = std::variant<bool, int32_t, uint32_t, uint64_t, std::string, std::vector<std::string>>;
int append_value(sd_bus_message* message, const Value& value);
const char* signature_of(const Value& value);
// {sv}
int append_member(sd_bus_message* message, const char* name, const Value& value);

// An error of ours as a D-Bus error, or of the bus as one of ours.
int reply_error(sd_bus_message* call, const Error& why);
Error error_from(const sd_bus_error& why, std::string_view doing);
Error bus_error(int negative_errno, std::string_view doing);

// "as", "a{sv}" as words "--key=value", "ah" as descriptors of our own.
Result<std::vector<std::string>> read_strings(sd_bus_message* message);
Result<std::vector<std::pair<std::string, std::string>>> read_options(sd_bus_message* message);
Result<std::vector<Fd>> read_descriptors(sd_bus_message* message);

constexpr const char* bus_name = "org.croft.Croft1";
constexpr const char* root_path = "/org/croft/Croft1";
constexpr const char* machine_prefix = "/org/croft/Croft1/machine";
constexpr const char* job_prefix = "/org/croft/Croft1/job";
constexpr const char* manager_interface = "org.croft.Croft1.Manager";
constexpr const char* machine_interface = "org.croft.Croft1.Machine";
constexpr const char* job_interface = "org.croft.Croft1.Job";
std::string path_of(const char* prefix, const std::string& name);
// The name in a path; empty when the path is not below the prefix.
std::string name_in(const char* prefix, const char* path);

}  // namespace croft::bus
