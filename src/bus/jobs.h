// Jobs: each thing that was asked for is a directory /run/croft/jobs/ID and a transient unit
// croft-job-ID.service (a plain child where the bus has no systemd1) that runs `croft VERB …`. So a job does
// not need croftd: whoever kills it and starts it again finds the job in its files.
//
//        StartTransientUnit          ends: ExecStopPost writes `exit`
//     job  --------------->  running  ---------------------------------> done (0) | failed | lost
//
//   `job`       verb, machine, owner, who asked: written once
//   `stderr`    what the command says, unless the caller gave streams of its own
//   `progress`  what it is doing
//   `exit`      "exited 0", "killed TERM": renamed into place by `croftd --job-ended`
//   lost        the unit has gone and there is no `exit` (a full disk); looked for twice a minute while jobs
//   run
//
// A job that has ended is forgotten after ten minutes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bus/command.h"
#include "bus/handles.h"
#include "manager/paths.h"

namespace croft::bus {

enum class JobState { running, done, failed, lost };
const char* job_state_name(JobState state);

struct Job {
    std::string id, verb, machine, image, unit;
    uint32_t owner = UINT32_MAX;
    std::string client;               // unique name of an attached caller: SIGHUP when it leaves
    uint64_t started = 0, ended = 0;  // µs since the epoch
    int pid = 0;                      // of a plain child
    JobState state = JobState::running;
    int status = -1;
    std::string error, message, progress;
    // Not in the file.
    int watch = -1;
    Track track;
    Source child;
    std::vector<Message> waiting;  // calls of Wait
    std::function<void(const Job&)> at_end;
};

struct Request {
    Command command;
    uint32_t owner = 0;
    std::string client;       // attached when not empty
    std::string terminal;     // TERM
    std::string directory;    // working directory
    std::vector<Fd> streams;  // none or three
    Fd input, output;         // without streams: standard input, else /dev/null; standard output, else croftd's
    std::function<void(const Job&)> at_end = {};
};

class Jobs {
  public:
    using Changed = std::function<void(const Job& job, bool created)>;
    using Gone = std::function<void(const std::string& id)>;
    // A null job: `why` tells.
    using Started = std::function<void(const Job* job, const Error& why)>;
    Jobs(sd_bus* bus, sd_event* event, const manager::Paths& paths)
        : bus_(bus), event_(event), paths_(paths) {}
    // Finds the jobs of an earlier croftd.
    Result<> start(Changed changed, Gone gone);
    void run(Request request, Started started);
    // systemd1 is asked to run them (or there is none, and they are children).
    bool with_systemd() const;
    Job* find(const std::string& id);
    const std::map<std::string, Job>& all() const { return jobs_; }
    size_t running() const;
    void wait(Job& job, sd_bus_message* call);
    // Answers `call` when it is done; null: nobody asked.
    void signal(Job& job, int signal, sd_bus_message* call);
    void cancel(Job& job, sd_bus_message* call);
    // Has systemd read all units again, and with them what declares machines.
    void reload(sd_bus_message* call);

  private:
    friend class JobStart;
    static int readable(sd_event_source*, int fd, uint32_t, void* data);
    static int child_ended(sd_event_source*, const siginfo_t* info, void* data);
    static int client_left(sd_bus_track* track, void* data);
    static int look_around(sd_event_source*, uint64_t, void* data);
    Result<> adopt(const std::string& id);
    void added(Job job);
    void look(const std::string& id);
    void ended(Job& job, JobState state);
    void follow_client(Job& job);
    // A method of systemd's manager, whose answer is the answer to `call` (null: to nobody).
    void ask_systemd(sd_bus_message* call, const char* doing, const char* method, const char* types, ...);
    void check_unit(const std::string& id);
    std::string directory(const std::string& id) const { return paths_.run + "/jobs/" + id; }
    sd_bus* bus_;
    sd_event* event_;
    const manager::Paths& paths_;
    Changed changed_;
    Gone gone_;
    std::map<std::string, Job> jobs_;
    std::map<int, std::string> ids_;  // by watch
    Fd inotify_;
    Source source_, timer_;
};

// Status and sentence of a job's `exit` file.
bool read_exit(Job& job, std::string_view text, std::string_view standard_error);
// `croftd --job-ended DIRECTORY`: what a job's unit runs at its end.
int write_exit(const char* directory);
std::string job_text(const Job& job);
Result<Job> parse_job(const std::string& id, std::string_view text);

}  // namespace croft::bus
