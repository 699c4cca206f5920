#include "bus/jobs.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <ctime>
#include <memory>

#include "base/log.h"
#include "base/text.h"
#include "base/remove_tree.h"

namespace croft::bus {

namespace {
constexpr uint64_t forget_after = 600'000'000;  // µs
constexpr uint64_t look_every = 30'000'000;

uint64_t now() {
    timespec time = {};
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

std::vector<std::string> names_in(const std::string& path) {
    std::vector<std::string> out;
    DIR* directory = opendir(path.c_str());
    while (dirent* entry = directory ? readdir(directory) : nullptr)
        if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
    if (directory) closedir(directory);
    return out;
}

std::string file_of(const std::string& directory, const char* name) {
    return read_file_at(AT_FDCWD, cat(directory, "/", name).c_str(), 1 << 16).value_or("");
}

// Whoever asked for a thing to be done to a job that has ended by now.
Error has_ended(const Job& job) {
    return error(Errc::wrong_state, cat("job ", job.id, " has ended"));
}
}  // namespace

// Asked of the bus, not of the host: a session bus may well be there without a manager of the user's.
bool Jobs::with_systemd() const {
    return sd_bus_get_name_creds(bus_, "org.freedesktop.systemd1", 0, nullptr) >= 0;
}

Result<> Jobs::start(Changed changed, Gone gone) {
    changed_ = std::move(changed);
    gone_ = std::move(gone);
    std::string all = paths_.run + "/jobs";
    TRY(make_dirs_at(AT_FDCWD, all, 0700).within("making the directory of jobs"));
    inotify_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!inotify_) return os_error(errno, "watching jobs");
    int r = sd_event_add_io(event_, source_.put(), inotify_.get(), 1 /* EPOLLIN */, readable, this);
    if (r >= 0)
        r = sd_event_add_time_relative(event_, timer_.put(), CLOCK_MONOTONIC, look_every, look_every / 10,
                                       look_around, this);
    if (r < 0) return bus_error(r, "watching jobs");
    for (const std::string& id : names_in(all))
        if (Result<> found = adopt(id); !found) warn(found.error().text);
    return {};
}

Result<> Jobs::adopt(const std::string& id) {
    auto job = parse_job(id, file_of(directory(id), "job"));
    if (!job) {
        (void)remove_tree_at(AT_FDCWD, directory(id).c_str());
        return std::move(job).error();
    }
    added(std::move(*job));
    look(id);
    Job* known = find(id);
    if (known && known->state == JobState::running) {
        check_unit(id);
        follow_client(*known);
    }
    return {};
}

void Jobs::added(Job job) {
    job.watch = inotify_add_watch(inotify_.get(), directory(job.id).c_str(), IN_MOVED_TO | IN_ONLYDIR);
    ids_[job.watch] = job.id;
    std::string id = job.id;
    Job& kept = jobs_[id] = std::move(job);
    changed_(kept, true);
}

Job* Jobs::find(const std::string& id) {
    auto at = jobs_.find(id);
    return at == jobs_.end() ? nullptr : &at->second;
}

size_t Jobs::running() const {
    size_t count = 0;
    for (const auto& [id, job] : jobs_) count += job.state == JobState::running;
    return count;
}

int Jobs::readable(sd_event_source*, int fd, uint32_t, void* data) {
    Jobs& self = *static_cast<Jobs*>(data);
    alignas(inotify_event) char buffer[4096];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        for (char* at = buffer; at < buffer + n;) {
            auto* event = reinterpret_cast<inotify_event*>(at);
            at += sizeof *event + event->len;
            auto known = self.ids_.find(event->wd);
            if (known == self.ids_.end()) continue;
            std::string id = known->second;
            if (event->mask & IN_IGNORED)
                self.ids_.erase(known);
            else
                self.look(id);
        }
    return 0;
}

void Jobs::look(const std::string& id) {
    Job* job = find(id);
    if (!job || job->state != JobState::running) return;
    std::string place = directory(id), progress = file_of(place, "progress");
    job->progress = trim(progress);
    if (read_exit(*job, file_of(place, "exit"), file_of(place, "stderr")))
        ended(*job, job->state);
    else
        changed_(*job, false);
}

void Jobs::ended(Job& job, JobState state) {
    job.state = state;
    if (!job.ended) job.ended = now();
    if (state == JobState::lost) {
        job.status = 255;
        job.error = errc_row(Errc::failed).dbus_name;
        job.message = cat("nobody could write down how croft ", job.verb, " ended");
    }
    job.track = Track();
    job.child = Source();
    changed_(job, false);
    for (Message& call : job.waiting) wait(job, call.get());
    job.waiting.clear();
    if (auto then = std::exchange(job.at_end, nullptr)) then(job);
}

void Jobs::wait(Job& job, sd_bus_message* call) {
    if (job.state == JobState::running)
        job.waiting.push_back(Message::share(call));
    else if (job.error.empty())
        sd_bus_reply_method_return(call, "i", job.status);
    else
        sd_bus_reply_method_errorf(call, job.error.c_str(), "%s", job.message.c_str());
}

// A caller that is attached to its job takes it along, as a terminal does.
void Jobs::follow_client(Job& job) {
    if (job.client.empty()) return;
    int r = sd_bus_track_new(bus_, job.track.put(), client_left, this);
    if (r >= 0) r = sd_bus_track_add_name(job.track.get(), job.client.c_str());
    if (r < 0 || sd_bus_track_count(job.track.get()) == 0) signal(job, SIGHUP, nullptr);
}

int Jobs::client_left(sd_bus_track* track, void* data) {
    Jobs& self = *static_cast<Jobs*>(data);
    for (auto& [id, job] : self.jobs_)
        if (job.track.get() == track) self.signal(job, SIGHUP, nullptr);
    return 0;
}

// Forgets what has ended long ago, and looks for units that have gone without a word.
int Jobs::look_around(sd_event_source* timer, uint64_t, void* data) {
    Jobs& self = *static_cast<Jobs*>(data);
    uint64_t at = now();
    for (auto next = self.jobs_.begin(); next != self.jobs_.end();) {
        auto [id, job] = std::tie(next->first, next->second);
        ++next;
        if (job.state == JobState::running) {
            self.check_unit(id);
        } else if (at > job.ended + forget_after) {
            std::string gone = id;
            (void)remove_tree_at(AT_FDCWD, self.directory(gone).c_str());
            self.ids_.erase(job.watch);
            self.jobs_.erase(gone);
            self.gone_(gone);
        }
    }
    sd_event_source_set_time_relative(timer, look_every);
    sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
    return 0;
}

void Jobs::signal(Job& job, int number, sd_bus_message* call) {
    if (job.state != JobState::running) {
        if (call) reply_error(call, has_ended(job));
        return;
    }
    if (job.unit.empty()) {
        int failed = job.pid > 0 && ::kill(job.pid, number) < 0 ? errno : 0;
        if (call && failed) reply_error(call, os_error(failed, "sending a signal"));
        if (call && !failed) sd_bus_reply_method_return(call, "");
        return;
    }
    ask_systemd(call, "sending a signal", "KillUnit", "ssi", job.unit.c_str(), "main", number);
}

void Jobs::cancel(Job& job, sd_bus_message* call) {
    if (job.state != JobState::running || job.unit.empty()) {
        if (job.state == JobState::running) signal(job, SIGTERM, nullptr);
        sd_bus_reply_method_return(call, "");
        return;
    }
    ask_systemd(call, "cancelling the job", "StopUnit", "ss", job.unit.c_str(), "replace");
}

void Jobs::reload(sd_bus_message* call) {
    if (with_systemd()) return ask_systemd(call, "having systemd read its units again", "Reload", "");
    reply_error(call, error(Errc::unsupported, "there is no systemd on this bus that could read anything again; croft reads "
                                               "the files of machines at each use"));
}

void Jobs::ask_systemd(sd_bus_message* call, const char* doing, const char* method, const char* types, ...) {
    struct Asked {
        Message call;
        const char* doing;
    };
    auto done = [](sd_bus_message* reply, void* data, sd_bus_error*) {
        std::unique_ptr<Asked> asked(static_cast<Asked*>(data));
        if (!asked->call) return 0;
        const sd_bus_error* why = sd_bus_message_get_error(reply);
        return why ? reply_error(asked->call.get(), error_from(*why, asked->doing))
                   : sd_bus_reply_method_return(asked->call.get(), "");
    };
    auto asked = std::make_unique<Asked>(call ? Message::share(call) : Message(), doing);
    va_list values;
    va_start(values, types);
    int r = sd_bus_call_method_asyncv(bus_, nullptr, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                      "org.freedesktop.systemd1.Manager", method, done, asked.get(), types, values);
    va_end(values);
    if (r >= 0)
        (void)asked.release();
    else if (call)
        reply_error(call, bus_error(r, doing));
}

}  // namespace croft::bus
