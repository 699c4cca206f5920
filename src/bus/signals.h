// Signals, to those who may look. On the system bus a broadcast would tell everybody of every machine, so
// each signal is sent to each subscriber by its name on the bus, after asking whether it may look at that
// machine (a job's owner and root: at that job). On a session bus everybody is the same user, and signals are
// broadcast.
//
// Order: one event is sent to all before the next one is looked at, so nobody sees an end before its
// beginning, however slowly polkit answers.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "bus/authority.h"

namespace croft::bus {

struct SignalEvent {
    std::string machine;          // who may look at it may have it
    std::string image;            // the same of an image
    uint32_t owner = UINT32_MAX;  // of a job: this user may, when neither is named
    // Sends it; the destination is null for everybody.
    std::function<void(const char* destination)> send;
};

class Signals {
  public:
    Signals(sd_bus* bus, Scope scope, Authority& authority)
        : bus_(bus), scope_(scope), authority_(authority) {}
    Result<> start();
    void subscribe(const std::string& name);
    void unsubscribe(const std::string& name);
    bool has_subscribers() const;
    // Whether emit() would send to anybody: what is told costs reading it first.
    bool are_wanted() const { return scope_ == Scope::user || has_subscribers(); }
    void emit(SignalEvent event);

  private:
    void pump();
    void offer(const std::string& subscriber);
    sd_bus* bus_;
    Scope scope_;
    Authority& authority_;
    Track subscribers_;
    std::deque<SignalEvent> queue_;
    size_t open_ = 0;  // answers that the event at the front waits for
    bool pumping_ = false;
};

// A signal without its arguments; `destination` as of SignalEvent::send.
Message new_signal(sd_bus* bus, const char* destination, const char* path, const char* interface,
                   const char* member);

}  // namespace croft::bus
