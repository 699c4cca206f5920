// croftd's parts and how they are wired: one bus connection, one event loop, no thread. apps/croftd.cc makes
// one.
//
//     message -> Gate (what does the sender see?) -> objects: reading
//                                                 \-> Requests: polkit -> Jobs: a unit runs the command line
//     files change -> Store, Images -> Signals (who may know?) -> subscribers
//
// croftd leaves when for half a minute nobody has asked for anything, no job runs and nobody has subscribed;
// the next message starts it again.
#pragma once

#include <memory>

#include "bus/authority.h"
#include "bus/gate.h"
#include "bus/images.h"
#include "bus/jobs.h"
#include "bus/requests.h"
#include "bus/signals.h"
#include "bus/store.h"

namespace croft::bus {

struct Options {
    Scope scope = Scope::system;
    uint64_t idle = 30'000'000;  // µs; UINT64_MAX: never leave
};

class Service {
  public:
    Service(Options options, manager::Paths paths);
    // Runs until it is idle or told to end (SIGTERM, SIGINT).
    Result<> run();
    Authority& authority() { return *authority_; }
    Gate& gate() { return *gate_; }
    Store& store() { return *store_; }
    Images& images() { return *images_; }
    Jobs& jobs() { return *jobs_; }
    Signals& signals() { return *signals_; }
    Requests& requests() { return *requests_; }
    sd_bus* bus() { return bus_.get(); }
    Scope scope() const { return options_.scope; }

  private:
    Result<> connect();
    void machine_changed(const std::string& name, const manager::Machine* before,
                         const manager::Machine* now);
    void image_changed(const std::string& name, const store::Summary* before, const store::Summary* now);
    void job_changed(const Job& job, bool created);
    void job_gone(const std::string& id);
    Result<> loop();
    Result<> leave();
    uint64_t idle_left() const;
    Options options_;
    manager::Paths paths_;
    Event event_;
    Bus bus_;
    std::unique_ptr<Authority> authority_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<Images> images_;
    std::unique_ptr<Jobs> jobs_;
    std::unique_ptr<Signals> signals_;
    std::unique_ptr<Gate> gate_;
    std::unique_ptr<Requests> requests_;
    std::map<std::string, Job> told_;  // jobs as the last signal told them
    bool ending_ = false;
};

// The four kinds of objects; each in a file of its own.
Result<> add_manager_object(Service& service);
Result<> add_manager_images(Service& service);
Result<> add_image_objects(Service& service);
Result<> add_machine_objects(Service& service);
Result<> add_job_objects(Service& service);

}  // namespace croft::bus
