#include "bus/service.h"

#include <csignal>

#include "base/log.h"
#include "base/text.h"
#include "bus/properties.h"
#include "manager/image_root.h"

namespace croft::bus {

Service::Service(Options options, manager::Paths paths) : options_(options), paths_(std::move(paths)) {}

Result<> Service::connect() {
    int r = sd_event_default(event_.put());
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    for (int signal : {SIGTERM, SIGINT})
        if (r >= 0) r = sd_event_add_signal(event_.get(), nullptr, signal, nullptr, nullptr);
    if (r < 0) return bus_error(r, "making the event loop");
    r = options_.scope == Scope::system ? sd_bus_open_system(bus_.put()) : sd_bus_open_user(bus_.put());
    if (r < 0)
        return bus_error(r, options_.scope == Scope::system ? "connecting to the system bus"
                                                            : "connecting to the session bus");
    r = sd_bus_attach_event(bus_.get(), event_.get(), SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0) r = sd_bus_set_exit_on_disconnect(bus_.get(), 1);
    // For systemd, which answers when all of a reload is done.
    if (r >= 0) r = sd_bus_set_method_call_timeout(bus_.get(), systemd::patience);
    if (r < 0) return bus_error(r, "attaching the bus");
    return {};
}

// Everything is known and offered before the name is taken, so the first answer is a whole one.
Result<> Service::run() {
    TRY(connect());
    authority_ = std::make_unique<Authority>(bus_.get(), options_.scope);
    store_ = std::make_unique<Store>(
        paths_, [this](auto& name, auto* before, auto* now) { machine_changed(name, before, now); });
    images_ = std::make_unique<Images>(manager::store_path(paths_), [this](auto& name, auto* before, auto* now) {
        image_changed(name, before, now);
    });
    jobs_ = std::make_unique<Jobs>(bus_.get(), event_.get(), paths_);
    signals_ = std::make_unique<Signals>(bus_.get(), options_.scope, *authority_);
    gate_ = std::make_unique<Gate>(bus_.get(), *store_, *images_, *jobs_, *authority_);
    requests_ = std::make_unique<Requests>(*gate_, *images_, *jobs_, *authority_);
    TRY(authority_->start());
    TRY(signals_->start());
    TRY(store_->start(event_.get()));
    TRY(images_->start(event_.get()));
    TRY(jobs_->start([this](const Job& job, bool created) { job_changed(job, created); },
                     [this](const std::string& id) { job_gone(id); }));
    TRY(gate_->start([this](const std::string& sender) { signals_->subscribe(sender); }));
    TRY(add_manager_object(*this));
    TRY(add_manager_images(*this));
    TRY(add_machine_objects(*this));
    TRY(add_image_objects(*this));
    TRY(add_job_objects(*this));
    int r = sd_bus_request_name(bus_.get(), bus_name, 0);
    if (r < 0)
        return bus_error(r, cat("taking the name ", bus_name,
                                " (is another croftd running? is the bus "
                                "policy installed?)"));
    return loop();
}

uint64_t Service::idle_left() const {
    if (options_.idle == UINT64_MAX || jobs_->running() || signals_->has_subscribers() ||
        authority_->waiting())
        return UINT64_MAX;
    uint64_t end = gate_->last_message() + options_.idle, now = monotonic_time();
    return end > now ? end - now : 0;
}

Result<> Service::loop() {
    for (;;) {
        if (sd_event_get_state(event_.get()) == SD_EVENT_FINISHED) break;
        uint64_t left = idle_left();
        if (left == 0) return leave();
        // What keeps us is looked at again after each event; a subscriber that leaves is one.
        int r = sd_event_run(event_.get(), left);
        if (r == -ESTALE) break;
        if (r < 0) return bus_error(r, "the event loop");
    }
    return {};
}

// The name first: who calls from now on starts another croftd. What was sent to us before is still answered.
Result<> Service::leave() {
    sd_bus_release_name(bus_.get(), bus_name);
    while (sd_event_run(event_.get(), 100'000) > 0) {
    }
    while (jobs_->running() || authority_->waiting())
        if (sd_event_run(event_.get(), UINT64_MAX) < 0) break;
    sd_bus_flush(bus_.get());
    return {};
}

void Service::machine_changed(const std::string& name, const manager::Machine* before,
                              const manager::Machine* now) {
    if (!signals_->are_wanted()) return;
    std::string path = path_of(machine_prefix, name);
    sd_bus* bus = bus_.get();
    if (!before || !now) {
        bool fresh = now;
        auto values =
            now ? values_of(machine_properties(), *now) : std::vector<std::pair<const char*, Value>>{};
        signals_->emit({.machine = name, .send = [bus, path, name, fresh, values](const char* to) {
                            if (fresh)
                                send_interfaces_added(bus, to, path.c_str(), machine_interface, values);
                            else
                                send_interfaces_removed(bus, to, path.c_str(), machine_interface);
                            Message signal = new_signal(bus, to, root_path, manager_interface,
                                                        fresh ? "MachineNew" : "MachineRemoved");
                            sd_bus_message_append(signal.get(), "so", name.c_str(), path.c_str());
                            sd_bus_send(bus, signal.get(), nullptr);
                        }});
        return;
    }
    std::vector<std::pair<const char*, Value>> changed;
    for (const auto* row : differences(machine_properties(), *before, *now))
        changed.emplace_back(row->name, row->get(*now));
    if (changed.empty()) return;
    const char *from = manager::state_name(before->state), *to_state = manager::state_name(now->state);
    signals_->emit({.machine = name, .send = [bus, path, changed, from, to_state](const char* to) {
                        send_properties_changed(bus, to, path.c_str(), machine_interface, changed);
                        if (from == to_state) return;
                        Message signal = new_signal(bus, to, path.c_str(), machine_interface, "StateChanged");
                        sd_bus_message_append(signal.get(), "ss", from, to_state);
                        sd_bus_send(bus, signal.get(), nullptr);
                    }});
}

}  // namespace croft::bus
