// What the bus is told of jobs.
#include "bus/properties.h"
#include "bus/service.h"

namespace croft::bus {

namespace {
// The part of a job that is told: the rest belongs to its life.
Job told(const Job& job) {
    Job out;
    out.id = job.id, out.verb = job.verb, out.machine = job.machine, out.image = job.image, out.unit = job.unit;
    out.owner = job.owner, out.started = job.started;
    out.state = job.state, out.status = job.status;
    out.error = job.error, out.message = job.message, out.progress = job.progress;
    return out;
}
}  // namespace

void Service::job_changed(const Job& job, bool created) {
    sd_bus* bus = bus_.get();
    std::string path = path_of(job_prefix, job.id);
    if (created) {
        signals_->emit({.owner = job.owner,
                        .send = [bus, path, values = values_of(job_properties(), job)](const char* to) {
                            send_interfaces_added(bus, to, path.c_str(), job_interface, values);
                        }});
        told_[job.id] = told(job);
        return;
    }
    Job before = std::exchange(told_[job.id], told(job));
    std::vector<std::pair<const char*, Value>> changed;
    for (const auto* row : differences(job_properties(), before, job))
        changed.emplace_back(row->name, row->get(job));
    if (changed.empty()) return;
    bool finished = before.state == JobState::running && job.state != JobState::running;
    signals_->emit(
        {.owner = job.owner, .send = [bus, path, changed, finished, now = told(job)](const char* to) {
             send_properties_changed(bus, to, path.c_str(), job_interface, changed);
             if (!finished) return;
             Message signal = new_signal(bus, to, path.c_str(), job_interface, "Finished");
             sd_bus_message_append(signal.get(), "iss", now.status, now.error.c_str(), now.message.c_str());
             sd_bus_send(bus, signal.get(), nullptr);
         }});
}

void Service::job_gone(const std::string& id) {
    auto known = told_.find(id);
    if (known == told_.end()) return;
    uint32_t owner = known->second.owner;
    told_.erase(known);
    sd_bus* bus = bus_.get();
    signals_->emit({.owner = owner, .send = [bus, path = path_of(job_prefix, id)](const char* to) {
                        send_interfaces_removed(bus, to, path.c_str(), job_interface);
                    }});
}

}  // namespace croft::bus
