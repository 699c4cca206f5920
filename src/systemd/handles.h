// sd-bus in C++: owned references and errors. Called by systemd/ and bus/, who share one wrapper.
//
// Every sd-bus function returns a negative errno; what comes from a caller and is wrong becomes InvalidArgs for it, what
// cannot fail but for memory is not looked at twice.
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace croft::systemd {

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

constexpr uint64_t patience = 90'000'000;  // µs that systemd's reply may take: a busy host starts slowly

// A negative errno of sd-bus as an Error. `doing` begins its sentence, as it does below.
Error bus_error(int negative_errno, std::string_view doing);
// What a service answered: systemd's and machined's errors, and those of the bus itself (a policy or polkit said no, nobody
// is there), with the codes that callers tell apart; any other is Errc::failed. The sentence is the service's own.
Error error_from(const sd_bus_error& why, std::string_view doing);

}  // namespace croft::systemd
