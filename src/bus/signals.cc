#include "bus/signals.h"

#include <vector>

namespace croft::bus {

Result<> Signals::start() {
    int r = sd_bus_track_new(bus_, subscribers_.put(), nullptr, nullptr);
    if (r < 0) return bus_error(r, "keeping subscribers");
    return {};
}

void Signals::subscribe(const std::string& name) {
    sd_bus_track_add_name(subscribers_.get(), name.c_str());
}

void Signals::unsubscribe(const std::string& name) {
    sd_bus_track_remove_name(subscribers_.get(), name.c_str());
}

bool Signals::has_subscribers() const {
    return sd_bus_track_count(subscribers_.get()) > 0;
}

void Signals::emit(SignalEvent event) {
    if (scope_ == Scope::user) return event.send(nullptr);
    if (!has_subscribers()) return;
    queue_.push_back(std::move(event));
    pump();
}

// Answers may come at once, from within offer(): then the loop goes on instead of this function calling
// itself.
void Signals::pump() {
    if (pumping_) return;
    pumping_ = true;
    while (!queue_.empty() && open_ == 0) {
        std::vector<std::string> names;
        for (const char* name = sd_bus_track_first(subscribers_.get()); name;
             name = sd_bus_track_next(subscribers_.get()))
            names.emplace_back(name);
        open_ = names.size() + 1;
        for (const std::string& name : names) offer(name);
        if (--open_ == 0) queue_.pop_front();
    }
    pumping_ = false;
}

void Signals::offer(const std::string& subscriber) {
    auto answered = [this, subscriber](Answer answer) {
        if (answer == Answer::yes) queue_.front().send(subscriber.c_str());
        if (--open_ > 0) return;
        queue_.pop_front();
        pump();
    };
    const SignalEvent& event = queue_.front();
    if (event.machine.empty() && event.image.empty())
        return answered(authority_.may_everything(subscriber) || authority_.uid_of(subscriber) == event.owner
                            ? Answer::yes
                            : Answer::no);
    authority_.ask(subscriber, event.image.empty() ? look_at_machine(event.machine) : look_at_image(event.image), answered);
}

Message new_signal(sd_bus* bus, const char* destination, const char* path, const char* interface,
                   const char* member) {
    Message signal;
    if (sd_bus_message_new_signal(bus, signal.put(), path, interface, member) >= 0 && destination)
        sd_bus_message_set_destination(signal.get(), destination);
    return signal;
}

}  // namespace croft::bus
