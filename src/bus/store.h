// The machines as the bus shows them, those that run, have ended, or are only declared: read from croft's
// files, read again when the kernel says that files have changed. Nothing here is ever written; whoever kills
// croftd and starts it again has lost nothing.
//
// A change of a machine is a change in its directory: the record, `ready`, `exit` are renamed into it,
// `paused` comes and goes, and when its keeper dies the kernel closes the lock, which the directory's watch
// reports too (IN_CLOSE_WRITE). Whether it is frozen, only the kernel knows, who tells in its control group's
// cgroup.events.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "bus/handles.h"
#include "manager/machines.h"
#include "manager/paths.h"

namespace croft::bus {

// What sd-bus gets as an object's data: stays where it is as long as the machine is known.
struct Entry {
    manager::Machine machine;
    int watch = -1, group_watch = -1;
};

class Store {
  public:
    // `before` is null for a new machine, `now` for one that has gone.
    using Changed = std::function<void(const std::string& name, const manager::Machine* before,
                                       const manager::Machine* now)>;
    Store(manager::Paths paths, Changed changed) : paths_(std::move(paths)), changed_(std::move(changed)) {}
    Result<> start(sd_event* event);
    Entry* find(const std::string& name);
    const std::map<std::string, Entry>& all() const { return machines_; }
    const manager::Paths& paths() const { return paths_; }
    // Looks at what has changed since, now.
    void refresh();
    // Before a message is answered: also what no watch tells (a tree that has come, a directory of files that
    // is new); once a second at most.
    void look();

  private:
    static int readable(sd_event_source*, int fd, uint32_t, void* data);
    void take_events();
    void read_all();
    void read_one(const std::string& name);
    void watch(const std::string& name, Entry& entry);
    void watch_declarations();
    void event_of(int watch, const std::string& file, uint32_t mask);
    void watch_group(const std::string& name, Entry& entry);
    void forget(const std::string& name);
    manager::Paths paths_;
    Changed changed_;
    std::map<std::string, Entry> machines_;
    std::map<int, std::string> names_;  // by watch
    std::set<std::string> stale_;
    Fd directory_, inotify_;
    int root_watch_ = -1;
    std::map<int, std::string> places_;  // directories of machine files, by watch
    uint64_t looked_ = 0;                // at trees of machines that are only declared
    Source source_;
};

// Live use, from the machine's control group; UINT64_MAX: not known.
uint64_t memory_of(const manager::Machine& machine);
uint64_t cpu_of(const manager::Machine& machine);  // ns
uint64_t tasks_of(const manager::Machine& machine);

// The machine that a process is in; null: none.
Entry* machine_of_process(Store& store, uint32_t pid);

}  // namespace croft::bus
