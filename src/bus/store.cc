#include "bus/store.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "manager/declared.h"
#include "manager/request.h"
#include "manager/states.h"

namespace croft::bus {

namespace {
constexpr uint32_t root_events = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR;
constexpr uint32_t machine_events =
    IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR | IN_DONT_FOLLOW;

uint64_t number_in(const manager::Machine& machine, const char* file, std::string_view key = "") {
    if (machine.record.cgroup.empty() || !machine.alive()) return UINT64_MAX;
    auto text = read_file_at(AT_FDCWD, cat(machine.record.cgroup, "/", file).c_str(), 1 << 16);
    if (!text) return UINT64_MAX;
    for (const std::string& line : split(*text, '\n')) {
        std::string_view row = line;
        if (!row.starts_with(key)) continue;
        return parse_uint(trim(row.substr(key.size()))).value_or(UINT64_MAX);
    }
    return UINT64_MAX;
}
// Moments that are no states: a name that is claimed and has no record yet, and the remains of a machine
// while they are being removed file by file (it has ended, and the same machine never lives again).
bool is_passing(const Entry* known, const manager::Machine& machine) {
    if (machine.only_declared()) return false;
    if (machine.record.created == 0) return true;
    return known && !known->machine.alive() && machine.record.created == known->machine.record.created;
}

constexpr std::string_view file_end = ".machine", directory_end = ".machine.d";

// "web" of web.machine and web.machine.d; empty: another file.
std::string declared_name(std::string_view file) {
    for (std::string_view end : {directory_end, file_end})
        if (file.ends_with(end)) return std::string(file.substr(0, file.size() - end.size()));
    return "";
}
}  // namespace

Result<> Store::start(sd_event* event) {
    directory_ = TRY(manager::open_machines(paths_));
    inotify_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!inotify_) return os_error(errno, "watching for changes");
    root_watch_ = inotify_add_watch(inotify_.get(), paths_.machines.c_str(), root_events);
    if (root_watch_ < 0) return os_error(errno, cat("watching ", quoted(paths_.machines)));
    int r = sd_event_add_io(event, source_.put(), inotify_.get(), 1 /* EPOLLIN */, readable, this);
    if (r < 0) return bus_error(r, "watching for changes");
    watch_declarations();
    read_all();
    refresh();
    return {};
}

Entry* Store::find(const std::string& name) {
    auto at = machines_.find(name);
    return at == machines_.end() ? nullptr : &at->second;
}

int Store::readable(sd_event_source*, int, uint32_t, void* data) {
    static_cast<Store*>(data)->refresh();
    return 0;
}

void Store::refresh() {
    take_events();
    while (!stale_.empty()) {
        std::set<std::string> stale = std::move(stale_);
        stale_.clear();
        for (const std::string& name : stale) read_one(name);
    }
}

// Which names to look at again. Many events of one machine come together and cost one look.
void Store::take_events() {
    alignas(inotify_event) char buffer[16384];
    ssize_t n;
    while ((n = read(inotify_.get(), buffer, sizeof buffer)) > 0)
        for (char* at = buffer; at < buffer + n;) {
            auto* event = reinterpret_cast<inotify_event*>(at);
            at += sizeof *event + event->len;
            event_of(event->wd, event->len ? event->name : "", event->mask);
        }
}

void Store::event_of(int watch, const std::string& file, uint32_t mask) {
    if (mask & IN_Q_OVERFLOW) return read_all();
    if (watch == root_watch_) {
        if (!file.empty()) stale_.insert(file);
    } else if (auto place = places_.find(watch); place != places_.end()) {
        if (mask & IN_IGNORED) places_.erase(place);
        std::string name = declared_name(file);
        if (!name.empty()) stale_.insert(name);
        if (file.ends_with(directory_end)) watch_declarations();
    } else if (auto known = names_.find(watch); known != names_.end()) {
        if (mask & IN_IGNORED)
            names_.erase(known);
        else
            stale_.insert(known->second);
    }
}

// Directories of machine files and of their drop-ins. One that is not there is tried again by look().
void Store::watch_declarations() {
    for (const std::string& place : manager::places(paths_).machines) {
        int wd = inotify_add_watch(inotify_.get(), place.c_str(), root_events | IN_CLOSE_WRITE);
        if (wd < 0) continue;
        bool fresh = places_.emplace(wd, place).second;
        DIR* directory = opendir(place.c_str());
        while (dirent* entry = directory ? readdir(directory) : nullptr) {
            std::string_view file = entry->d_name;
            if (fresh && !declared_name(file).empty()) stale_.insert(declared_name(file));
            if (!file.ends_with(directory_end)) continue;
            int drop_ins = inotify_add_watch(inotify_.get(), cat(place, "/", file).c_str(),
                                             root_events | IN_CLOSE_WRITE);
            if (drop_ins >= 0) names_[drop_ins] = declared_name(file);
        }
        if (directory) closedir(directory);
    }
}

void Store::look() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t second = static_cast<uint64_t>(now.tv_sec) + 1;
    if (second != looked_) {
        looked_ = second;
        if (places_.size() < manager::places(paths_).machines.size()) watch_declarations();
        for (const auto& [name, entry] : machines_)
            if (entry.machine.only_declared()) stale_.insert(name);
    }
    refresh();
}

void Store::read_all() {
    auto machines = manager::machine_names(paths_);
    auto names = manager::declared_names(paths_);
    if (!machines || !names) return warn(machines ? names.error().text : machines.error().text);
    stale_.insert(names->begin(), names->end());
    stale_.insert(machines->begin(), machines->end());
    for (const auto& [name, entry] : machines_) stale_.insert(name);
}

void Store::watch(const std::string& name, Entry& entry) {
    int wd = inotify_add_watch(inotify_.get(), cat(paths_.machines, "/", name).c_str(), machine_events);
    if (wd == entry.watch || wd < 0) return;
    entry.watch = wd;
    names_[wd] = name;
}

// After each look: the group is known once the machine has started. The kernel drops the watch with the
// group.
void Store::watch_group(const std::string& name, Entry& entry) {
    const std::string& group = entry.machine.record.cgroup;
    if (group.empty() || !entry.machine.alive()) return;
    int wd = inotify_add_watch(inotify_.get(), (group + "/cgroup.events").c_str(), IN_MODIFY);
    if (wd < 0 || wd == entry.group_watch) return;
    entry.group_watch = wd;
    names_[wd] = name;
    // It may have been frozen or thawed before the watch was there.
    auto events = read_file_at(AT_FDCWD, (group + "/cgroup.events").c_str(), 4096);
    bool frozen = events && events->find("frozen 1") != events->npos;
    if (frozen != (entry.machine.state == manager::State::frozen)) stale_.insert(name);
}

void Store::forget(const std::string& name) {
    auto at = machines_.find(name);
    if (at == machines_.end()) return;
    manager::Machine before = std::move(at->second.machine);
    for (int wd : {at->second.watch, at->second.group_watch}) {
        names_.erase(wd);
        inotify_rm_watch(inotify_.get(), wd);
    }
    machines_.erase(at);
    changed_(name, &before, nullptr);
}

void Store::read_one(const std::string& name) {
    Entry* known = find(name);
    // The watch first: what happens after it was set is reported, what happened before is read.
    Entry fresh;
    watch(name, known ? *known : fresh);
    auto machine = manager::find_any(paths_, name);
    if (!machine) {
        if (!known && fresh.watch >= 0) {
            names_.erase(fresh.watch);
            inotify_rm_watch(inotify_.get(), fresh.watch);
        }
        return forget(name);
    }
    if (is_passing(known, *machine)) return;
    if (!known) {
        fresh.machine = std::move(*machine);
        Entry& entry = machines_[name] = std::move(fresh);
        changed_(name, nullptr, &entry.machine);
        return watch_group(name, entry);
    }
    manager::Machine before = std::exchange(known->machine, std::move(*machine));
    changed_(name, &before, &known->machine);
    watch_group(name, *known);
}

uint64_t memory_of(const manager::Machine& machine) {
    return number_in(machine, "memory.current");
}
uint64_t cpu_of(const manager::Machine& machine) {
    uint64_t used = number_in(machine, "cpu.stat", "usage_usec ");
    return used == UINT64_MAX ? used : used * 1000;
}
uint64_t tasks_of(const manager::Machine& machine) {
    return number_in(machine, "pids.current");
}

// By the control group, which no process can leave; where a machine has none, only its leader is known.
Entry* machine_of_process(Store& store, uint32_t pid) {
    auto text = read_file_at(AT_FDCWD, cat("/proc/", pid, "/cgroup").c_str(), 1 << 16);
    std::string group;
    if (text)
        for (const std::string& line : split(*text, '\n'))
            if (line.starts_with("0::")) group = cat(line.substr(3), "/");
    for (const auto& [name, entry] : store.all()) {
        const manager::Machine& machine = entry.machine;
        if (!machine.alive()) continue;
        if (machine.record.leader.pid == static_cast<int>(pid)) return store.find(name);
        std::string_view own = machine.record.cgroup;
        if (own.starts_with("/sys/fs/cgroup/") && group.starts_with(cat(own.substr(14), "/")))
            return store.find(name);
    }
    return nullptr;
}

}  // namespace croft::bus
