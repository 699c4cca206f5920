#include "systemd/supervisor.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/run_program.h"
#include "base/text.h"

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
    int r = sd_bus_match_signal_async(bus, match_.put(), systemd_manager.service, systemd_manager.path,
                                      systemd_manager.interface, "JobRemoved", on_job_removed, nullptr, this);
    if (r < 0) return bus_error(r, "listening to systemd");
    // Nobody waits for the answers: both are done before systemd gets to what is asked next.
    r = sd_bus_call_method_async(bus, nullptr, systemd_manager.service, systemd_manager.path, systemd_manager.interface,
                                 "Subscribe", nullptr, nullptr, nullptr);
    if (r < 0) return bus_error(r, "subscribing to systemd");
    return {};
}

Result<sd_bus*> SystemdSupervisor::bus() {
    if (bus_) return bus_.get();
    auto bus = open_bus(which_);
    if (!bus && which_ == Which::system && geteuid() == 0) {
        if (auto direct = open_systemd()) bus = std::move(direct), direct_ = true;
    }
    bus_ = TRY(std::move(bus));
    return bus_.get();
}

int SystemdSupervisor::fd() {
    return bus_ ? sd_bus_get_fd(bus_.get()) : -1;
}

Result<Job> SystemdSupervisor::queue(sd_bus_message* message, std::string_view what) {
    Message reply = TRY(call(bus_.get(), message, what));
    const char* path;
    if (int r = sd_bus_message_read(reply.get(), "o", &path); r < 0) return bus_error(r, what);
    return job_number(path);
}

bool SystemdSupervisor::can_pin(const launch::UnitPlan& plan) {
    return bus() && !direct_ && all_known(plan.unit) && all_known(plan.service);
}

Result<Job> SystemdSupervisor::start_transient(const launch::UnitPlan& plan, manager::Pin pin) {
    sd_bus* bus = TRY(this->bus());
    TRY(subscribe(bus));
    Settings settings = all_settings(plan);
    if (!all_known(settings)) {
        // systemd-run makes services of commands, and scopes only of itself.
        if (plan.name.ends_with(".scope"))
            return error(Errc::unsupported, cat(plan.name, ": a property of it is not known to croft"));
        return start_by_systemd_run(plan);
    }
    Message m = TRY(new_call(bus, systemd_manager, "StartTransientUnit"));
    int r = sd_bus_message_append(m.get(), "ss", plan.name.c_str(), "fail");
    if (r >= 0) r = sd_bus_message_open_container(m.get(), 'a', "(sv)");
    if (r < 0) return bus_error(r, "describing the unit");
    TRY(append_settings(m.get(), settings));
    if (pin == manager::Pin::yes) r = sd_bus_message_append(m.get(), "(sv)", "AddRef", "b", 1);
    if (r >= 0) r = sd_bus_message_close_container(m.get());
    if (r >= 0) r = sd_bus_message_append(m.get(), "a(sa(sv))", 0);
    if (r < 0) return bus_error(r, "describing the unit");
    return queue(m.get(), cat("starting the unit ", plan.name));
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
    return queue(m.get(), cat("starting the unit ", unit));
}

// Stopping twice is stopping once, so it is asked again when systemd was executed anew meanwhile.
Result<Job> SystemdSupervisor::stop(const std::string& unit) {
    sd_bus* bus = TRY(this->bus());
    TRY(subscribe(bus));
    for (int tries = 0;; ++tries) {
        Message m = TRY(new_call(bus, systemd_manager, "StopUnit"));
        sd_bus_message_append(m.get(), "ss", unit.c_str(), "replace");
        auto job = queue(m.get(), cat("stopping the unit ", unit));
        if (job || !manager::was_interrupted(job.error()) || tries == 5) return job;
        usleep(200'000);
    }
}

Result<JobEnd> SystemdSupervisor::job_end(Job job) {
    sd_bus* bus = TRY(this->bus());
    int r;
    while ((r = sd_bus_process(bus, nullptr)) > 0) {
    }
    if (r < 0) return bus_error(r, "listening to systemd");
    auto found = ended_.find(job);
    if (found == ended_.end()) return JobEnd::running;
    return found->second ? JobEnd::done : JobEnd::failed;
}

// The object of a unit: every byte that is no letter or digit is _XX in its path.
Result<std::optional<manager::UnitExit>> SystemdSupervisor::exit_of(const std::string& unit) {
    sd_bus* bus = TRY(this->bus());
    char* path = nullptr;
    if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit.c_str(), &path) < 0)
        return error(Errc::no_space, "no memory for a path");
    manager::UnitExit exit;
    uint64_t ended = 0, still = 0;
    int r = 0;
    sd_bus_error failure = SD_BUS_ERROR_NULL;
    auto get = [&](const char* name, char type, void* value) {
        if (r >= 0)
            r = sd_bus_get_property_trivial(bus, systemd_manager.service, path, "org.freedesktop.systemd1.Service", name,
                                            &failure, type, value);
    };
    get("ExecMainExitTimestampMonotonic", 't', &ended);
    if (ended) get("ExecMainCode", 'i', &exit.code);
    if (ended) get("ExecMainStatus", 'i', &exit.status);
    // A unit that is started again meanwhile has the next life's values by now.
    if (ended) get("ExecMainExitTimestampMonotonic", 't', &still);
    free(path);
    bool interrupted = failure.name && !strcmp(failure.name, SD_BUS_ERROR_NO_REPLY);
    sd_bus_error_free(&failure);
    if (interrupted) return std::optional<manager::UnitExit>();  // asked again
    if (r < 0) return bus_error(r, cat("asking how the unit ", unit, " ended"));
    return ended && ended == still && exit.code ? std::optional(exit) : std::nullopt;
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
