#include "systemd/supervisor.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "systemd/run_program.h"

namespace croft::systemd {
namespace {

using manager::Job;
using manager::JobEnd;

// "/org/freedesktop/systemd1/job/123"
uint32_t job_number(const char* path) {
    std::string_view text(path);
    return static_cast<uint32_t>(parse_uint(text.substr(text.rfind('/') + 1)).value_or(0));
}

Settings all_settings(const launch::UnitPlan& plan) {
    Settings out = plan.unit;
    out.insert(out.end(), plan.service.begin(), plan.service.end());
    // Transient units only: a unit that has failed would keep its name until somebody resets it.
    out.emplace_back("CollectMode", "inactive-or-failed");
    return out;
}

}  // namespace

int SystemdSupervisor::on_job_removed(sd_bus_message* message, void* self, sd_bus_error*) {
    auto* systemd = static_cast<SystemdSupervisor*>(self);
    uint32_t number = 0;
    const char *path, *unit, *result;
    if (sd_bus_message_read(message, "uoss", &number, &path, &unit, &result) < 0) return 0;
    systemd->ended_[number] = !strcmp(result, "done");
    return 0;
}

// systemd tells of its jobs only while somebody is subscribed.
Result<> SystemdSupervisor::subscribe(sd_bus* bus) {
    if (match_) return {};
    sd_bus_slot* slot = nullptr;
    int r = sd_bus_match_signal(bus, &slot, systemd_manager.service, systemd_manager.path, systemd_manager.interface,
                                "JobRemoved", on_job_removed, this);
    if (r < 0) return bus_error(r, "listening to systemd");
    match_.reset(slot);
    Message message = TRY(new_call(bus, systemd_manager, "Subscribe"));
    auto done = call(bus, message.get(), "subscribing to systemd");
    // Once for each connection is enough, and more is an error of its own.
    if (!done && done.error().code == Errc::denied) return std::move(done).error();
    return {};
}

Result<sd_bus*> SystemdSupervisor::bus() {
    if (!bus_) bus_ = TRY(open_bus(which_));
    return bus_.get();
}

int SystemdSupervisor::fd() {
    return bus_ ? sd_bus_get_fd(bus_.get()) : -1;
}

Result<Job> SystemdSupervisor::queue(sd_bus_message* message, const std::string& unit, std::string_view what) {
    Message reply = TRY(call(bus_.get(), message, what));
    const char* path;
    if (int r = sd_bus_message_read(reply.get(), "o", &path); r < 0) return bus_error(r, what);
    Job job = job_number(path);
    running_[job] = unit;
    return job;
}

Result<Job> SystemdSupervisor::start_transient(const launch::UnitPlan& plan) {
    sd_bus* bus = TRY(this->bus());
    TRY(subscribe(bus));
    Settings settings = all_settings(plan);
    if (!all_known(settings)) return start_by_systemd_run(plan);
    Message m = TRY(new_call(bus, systemd_manager, "StartTransientUnit"));
    int r = sd_bus_message_append(m.get(), "ss", plan.name.c_str(), "fail");
    if (r >= 0) r = sd_bus_message_open_container(m.get(), 'a', "(sv)");
    if (r < 0) return bus_error(r, "describing the unit");
    TRY(append_settings(m.get(), settings));
    r = sd_bus_message_close_container(m.get());
    if (r >= 0) r = sd_bus_message_append(m.get(), "a(sa(sv))", 0);
    if (r < 0) return bus_error(r, "describing the unit");
    return queue(m.get(), plan.name, cat("starting the unit ", plan.name));
}

Result<Job> SystemdSupervisor::start_by_systemd_run(const launch::UnitPlan& plan) {
    std::vector<std::string> argv = {"systemd-run", "--quiet", "--no-block", "--collect",
                                     cat("--unit=", plan.name)};
    if (which_ == Which::user) argv.push_back("--user");
    std::string command;
    for (const Settings* settings : {&plan.unit, &plan.service})
        for (const auto& [name, value] : *settings) {
            if (name == "ExecStart")
                command = value;
            else
                argv.push_back(cat("--property=", name, "=", value));
        }
    argv.push_back("--");
    // The launcher and a machine's name: neither has blanks to be quoted for.
    for (std::string& word : split(command, ' ')) argv.push_back(std::move(word));
    std::string said;
    int status = TRY(run_program(argv, said));
    if (status != 0) {
        Error failure = error(said.find("already") != said.npos ? Errc::exists : Errc::invalid,
                              cat("starting the unit ", plan.name, ": ", trim(said)));
        return failure;
    }
    return Job{0};
}

Result<Job> SystemdSupervisor::start(const std::string& unit) {
    sd_bus* bus = TRY(this->bus());
    TRY(subscribe(bus));
    Message m = TRY(new_call(bus, systemd_manager, "StartUnit"));
    sd_bus_message_append(m.get(), "ss", unit.c_str(), "replace");
    return queue(m.get(), unit, cat("starting the unit ", unit));
}

Result<Job> SystemdSupervisor::stop(const std::string& unit) {
    sd_bus* bus = TRY(this->bus());
    TRY(subscribe(bus));
    Message m = TRY(new_call(bus, systemd_manager, "StopUnit"));
    sd_bus_message_append(m.get(), "ss", unit.c_str(), "replace");
    return queue(m.get(), unit, cat("stopping the unit ", unit));
}

Result<JobEnd> SystemdSupervisor::job_end(Job job) {
    sd_bus* bus = TRY(this->bus());
    int r;
    while ((r = sd_bus_process(bus, nullptr)) > 0) {
    }
    if (r < 0) return bus_error(r, "listening to systemd");
    auto found = ended_.find(job);
    if (found == ended_.end()) return JobEnd::running;
    running_.erase(job);
    return found->second ? JobEnd::done : JobEnd::failed;
}

Result<> SystemdSupervisor::unit_method(const char* method, const std::string& unit) {
    sd_bus* bus = TRY(this->bus());
    Message m = TRY(new_call(bus, systemd_manager, method));
    sd_bus_message_append(m.get(), "s", unit.c_str());
    TRY(call(bus, m.get(), cat(method, " ", unit)));
    return {};
}

Result<> SystemdSupervisor::kill(const std::string& unit, int signal) {
    sd_bus* bus = TRY(this->bus());
    Message m = TRY(new_call(bus, systemd_manager, "KillUnit"));
    sd_bus_message_append(m.get(), "ssi", unit.c_str(), "all", signal);
    TRY(call(bus, m.get(), cat("killing the unit ", unit)));
    return {};
}

Result<> SystemdSupervisor::freeze(const std::string& unit) {
    return unit_method("FreezeUnit", unit);
}
Result<> SystemdSupervisor::thaw(const std::string& unit) {
    return unit_method("ThawUnit", unit);
}

Result<> SystemdSupervisor::set_properties(const std::string& unit, const Settings& properties) {
    if (!all_known(properties)) {
        std::vector<std::string> argv = {"systemctl", "--runtime"};
        if (which_ == Which::user) argv.push_back("--user");
        argv.insert(argv.end(), {"set-property", unit});
        for (const auto& [name, value] : properties) argv.push_back(cat(name, "=", value));
        std::string said;
        if (TRY(run_program(argv, said)) == 0) return {};
        return error(Errc::invalid, cat("changing the unit ", unit, ": ", trim(said)));
    }
    sd_bus* bus = TRY(this->bus());
    Message m = TRY(new_call(bus, systemd_manager, "SetUnitProperties"));
    int r = sd_bus_message_append(m.get(), "sb", unit.c_str(), 1);
    if (r >= 0) r = sd_bus_message_open_container(m.get(), 'a', "(sv)");
    if (r < 0) return bus_error(r, "describing the change");
    TRY(append_settings(m.get(), properties));
    if (r = sd_bus_message_close_container(m.get()); r < 0) return bus_error(r, "describing the change");
    TRY(call(bus, m.get(), cat("changing the unit ", unit)));
    return {};
}

Result<> SystemdSupervisor::reload() {
    sd_bus* bus = TRY(this->bus());
    Message m = TRY(new_call(bus, systemd_manager, "Reload"));
    TRY(call(bus, m.get(), "having systemd read its units again"));
    return {};
}

void SystemdSupervisor::forget(const std::string& unit) {
    (void)unit_method("ResetFailedUnit", unit);
}

}  // namespace croft::systemd
