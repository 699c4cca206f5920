// manager::Supervisor over D-Bus: systemd's own manager, the system's or the user's. Made by the programs that link
// libsystemd (apps/croft_systemd.cc, apps/croftd.cc).
#pragma once

#include <map>

#include "manager/supervisor.h"
#include "systemd/bus.h"
#include "systemd/properties.h"

namespace croft::systemd {

class SystemdSupervisor : public manager::Supervisor {
  public:
    explicit SystemdSupervisor(Which which) : which_(which) {}
    Result<manager::Job> start_transient(const launch::UnitPlan& plan, manager::Pin pin) override;
    bool can_pin(const launch::UnitPlan& plan) override;
    Result<std::optional<manager::UnitExit>> exit_of(const std::string& unit) override;
    Result<manager::Job> start(const std::string& unit) override;
    Result<manager::Job> stop(const std::string& unit) override;
    int fd() override;
    Result<manager::JobEnd> job_end(manager::Job job) override;
    Result<> kill(const std::string& unit, int signal) override;
    Result<> freeze(const std::string& unit) override;
    Result<> thaw(const std::string& unit) override;
    Result<> set_properties(const std::string& unit, const Settings& properties) override;
    Result<> reload() override;
    void forget(const std::string& unit) override;

  private:
    // Connects at the first use; most verbs never need the bus.
    Result<sd_bus*> bus();
    Result<> subscribe(sd_bus* bus);
    Result<manager::Job> queue(sd_bus_message* message, std::string_view what);
    // For properties that are not typed here: systemd-run and systemctl know all of them.
    Result<manager::Job> start_by_systemd_run(const launch::UnitPlan& plan);
    Result<> unit_method(const char* method, const std::string& unit);
    static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error*);

    const Which which_;
    Bus bus_;
    bool direct_ = false;  // without a bus (open_systemd())
    Slot match_;
    std::map<uint32_t, bool> ended_;                // jobs whose end was heard: done, or not
};

}  // namespace croft::systemd
