// The gate: every message that comes to croftd goes through here before any object sees it.
//
// The security argument. What a caller may not look at must not exist for it: in no list, no introspection,
// no error. All objects are served from one store, so the question "which machines and images does this message's
// sender see?" is answered once, here, before the message is dispatched, and find() and the enumerators of the
// objects ask the gate instead of the store. A message whose answer needs polkit is put aside and put back
// into the queue when the answers are there; the loop never waits. Whether a machine exists is not looked at
// before who asks is known.
#pragma once

#include <map>
#include <set>
#include <string>

#include "bus/authority.h"
#include "bus/images.h"
#include "bus/jobs.h"
#include "bus/store.h"

namespace croft::bus {

// Names of what somebody may look at.
struct Seen {
    std::set<std::string> machines, images;
};
enum class Kinds : unsigned char { none, machines, images, both };

class Gate {
  public:
    Gate(sd_bus* bus, Store& store, Images& images, Jobs& jobs, Authority& authority)
        : bus_(bus), store_(store), images_(images), jobs_(jobs), authority_(authority) {}
    // `listed`: this connection has asked for all objects, and so for what changes.
    Result<> start(std::function<void(const std::string& sender)> listed);
    // For the message that is being dispatched at this moment.
    bool sees_machine(const std::string& name) const;
    bool sees_image(const std::string& name) const;
    bool sees_job(const Job& job);
    // When a message came last (monotonic µs): for leaving when idle.
    uint64_t last_message() const { return last_; }
    // Names that `sender` may look at, asked by those who have the time to wait. Of everything where it may everything.
    void visible(const std::string& sender, Kinds kinds, std::function<void(Seen)> then);

  private:
    static int filter(sd_bus_message* message, void* data, sd_bus_error*);
    int arrived(sd_bus_message* message);
    void put_back(sd_bus_message* message, Seen seen);
    sd_bus* bus_;
    Store& store_;
    Images& images_;
    Jobs& jobs_;
    Authority& authority_;
    // Answers for messages that were put aside.
    std::map<sd_bus_message*, Seen> answers_;
    std::function<void(const std::string&)> listed_;
    bool all_ = false;
    Seen seen_;
    std::string sender_;
    uint64_t last_ = 0;
};

uint64_t monotonic_time();

}  // namespace croft::bus
