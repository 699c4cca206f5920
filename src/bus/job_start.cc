// How a job begins: its directory, then a transient unit, or a child where the bus has no systemd1.
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "bus/jobs.h"
#include "base/remove_tree.h"

namespace croft::bus {

namespace {
constexpr const char* systemd = "org.freedesktop.systemd1";

// What the command gets to see of the world: what croftd's own unit says of registries and proxies, and croft's own
// variables, for tests; never the caller's.
std::vector<std::string> environment_of(const Request& request, const std::string& directory) {
    std::vector<std::string> out = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                    "LANG=C.UTF-8", cat("CROFT_JOB=", directory)};
    if (!request.terminal.empty()) out.push_back(cat("TERM=", request.terminal));
    for (const char* name : {"CROFT_RUN_DIR", "CROFT_STATE_DIR", "CROFT_CACHE_DIR", "CROFT_CONFIG_DIR",
                             "CROFT_HELPER_DIR", "CROFT_CGROUP", "CROFT_SUPERVISOR", "HOME",
                             "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
                             "CONTAINERS_REGISTRIES_CONF", "REGISTRY_AUTH_FILE", "http_proxy", "https_proxy", "HTTPS_PROXY",
                             "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"})
        if (const char* value = getenv(name)) out.push_back(cat(name, "=", value));
    return out;
}

int append_strings(sd_bus_message* call, const char* name, const std::vector<std::string>& values) {
    int r = sd_bus_message_open_container(call, 'r', "sv");
    if (r >= 0) r = sd_bus_message_append(call, "s", name);
    if (r >= 0) r = sd_bus_message_open_container(call, 'v', "as");
    if (r >= 0) r = append_value(call, values);
    if (r >= 0) r = sd_bus_message_close_container(call);
    return r < 0 ? r : sd_bus_message_close_container(call);
}

// systemd.service(5), "Command lines": ${NAME} and $NAME become variables, "$$" a dollar. The words are the caller's as they
// are, and polkit has judged them so. (ExecStartEx= could say no-env-expand, but systemd 252 loses what it says at a reload.)
std::vector<std::string> without_variables(std::vector<std::string> argv) {
    for (std::string& word : argv)
        for (size_t at = word.find('$'); at != word.npos; at = word.find('$', at + 2)) word.insert(at, 1, '$');
    return argv;
}

// A command line of the unit: ("ExecStart", <[(path, argv, ignore failure)]>).
int append_command(sd_bus_message* call, const char* name, const std::vector<std::string>& argv) {
    int r = sd_bus_message_open_container(call, 'r', "sv");
    if (r >= 0) r = sd_bus_message_append(call, "s", name);
    if (r >= 0) r = sd_bus_message_open_container(call, 'v', "a(sasb)");
    if (r >= 0) r = sd_bus_message_open_container(call, 'a', "(sasb)");
    if (r >= 0) r = sd_bus_message_open_container(call, 'r', "sasb");
    if (r >= 0) r = sd_bus_message_append(call, "s", argv[0].c_str());
    if (r >= 0) r = append_value(call, argv);
    if (r >= 0) r = sd_bus_message_append(call, "b", 0);
    for (int depth = 0; r >= 0 && depth < 4; ++depth) r = sd_bus_message_close_container(call);
    return r;
}

// croft beside croftd in a build directory, else where it was installed.
std::string program(const manager::Paths& paths, const char* name) {
    std::string beside = cat(paths.helpers, "/", name);
    return access(beside.c_str(), X_OK) == 0 ? beside : cat(CROFT_BINDIR, "/", name);
}

std::string own_program() {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    return std::string(path, n > 0 ? static_cast<size_t>(n) : 0);
}
}  // namespace

// One job between the request and its start.
class JobStart {
  public:
    JobStart(Jobs& jobs, Request request, Jobs::Started started)
        : jobs_(jobs), request_(std::move(request)), started_(std::move(started)) {}

    Result<> prepare() {
        uint64_t number = 0;
        if (getrandom(&number, sizeof number, 0) != sizeof number) return os_error(errno, "a job's number");
        char id[17];
        snprintf(id, sizeof id, "%016llx", static_cast<unsigned long long>(number));
        timespec time = {};
        clock_gettime(CLOCK_REALTIME, &time);
        job_ = Job{.id = id, .verb = request_.command.verb->name, .machine = request_.command.machine(), .image = request_.command.image()};
        job_.owner = request_.owner;
        job_.client = request_.client;
        job_.at_end = std::move(request_.at_end);
        job_.started =
            static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
        if (jobs_.with_systemd()) job_.unit = cat("croft-job-", id, ".service");
        directory_ = jobs_.directory(id);
        if (mkdir(directory_.c_str(), 0700) < 0) return os_error(errno, "making a job's directory");
        Fd place = TRY(open_at(AT_FDCWD, directory_.c_str(), O_RDONLY | O_DIRECTORY));
        TRY(replace_file_at(place.get(), "job", job_text(job_), 0600).within("writing a job's file"));
        if (request_.streams.empty()) {
            if (!request_.input) request_.input = TRY(open_at(AT_FDCWD, "/dev/null", O_RDONLY));
            request_.streams.push_back(std::move(request_.input));
            request_.streams.push_back(std::move(request_.output));
            request_.streams.push_back(
                TRY(open_at(place.get(), "stderr", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600)));
        }
        argv_ = request_.command.words;
        argv_.insert(argv_.begin(), program(jobs_.paths_, "croft"));
        return {};
    }

    Result<Message> unit() const {
        Message call;
        int r = sd_bus_message_new_method_call(jobs_.bus_, call.put(), systemd, "/org/freedesktop/systemd1",
                                               "org.freedesktop.systemd1.Manager", "StartTransientUnit");
        if (r >= 0) r = sd_bus_message_append(call.get(), "ss", job_.unit.c_str(), "fail");
        if (r >= 0) r = sd_bus_message_open_container(call.get(), 'a', "(sv)");
        if (r >= 0) r = append_properties(call.get());
        if (r >= 0) r = sd_bus_message_close_container(call.get());
        if (r >= 0) r = sd_bus_message_append(call.get(), "a(sa(sv))", 0);
        if (r < 0) return bus_error(r, "making the job's unit");
        return call;
    }

    // A machine that was started in the background by the job is no part of it: KillMode=process.
    int append_properties(sd_bus_message* call) const {
        std::string about = cat("croft ", job_.verb, job_.machine.empty() ? "" : " ", job_.machine,
                                job_.image.empty() ? "" : " ", job_.image);
        int r = sd_bus_message_append(call, "(sv)(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s", about.c_str(),
                                      "Type", "s", "exec", "CollectMode", "s", "inactive-or-failed",
                                      "KillMode", "s", "process", "IgnoreSIGPIPE", "b", 0, "SyslogIdentifier",
                                      "s", "croft", "WorkingDirectory", "s", request_.directory.c_str());
        if (r >= 0) r = append_strings(call, "Environment", environment_of(request_, directory_));
        if (r >= 0) r = append_command(call, "ExecStart", without_variables(argv_));
        if (r >= 0) r = append_command(call, "ExecStopPost", {own_program(), "--job-ended", directory_});
        constexpr const char* names[] = {"StandardInputFileDescriptor", "StandardOutputFileDescriptor",
                                         "StandardErrorFileDescriptor"};
        for (size_t i = 0; r >= 0 && i < 3; ++i)
            if (request_.streams[i])
                r = sd_bus_message_append(call, "(sv)", names[i], "h", request_.streams[i].get());
        return r;
    }

    Result<> fork_child() {
        std::vector<std::string> environment = environment_of(request_, directory_);
        std::vector<char*> words, variables;
        for (std::string& word : argv_) words.push_back(word.data());
        for (std::string& one : environment) variables.push_back(one.data());
        words.push_back(nullptr);
        variables.push_back(nullptr);
        int streams[3];
        for (int i = 0; i < 3; ++i) streams[i] = request_.streams[i] ? request_.streams[i].get() : i;
        job_.pid = fork();
        if (job_.pid < 0) return os_error(errno, "starting the job");
        if (job_.pid > 0) return {};
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        setsid();
        // The numbers are above 2, so no copy overwrites one that is still to come.
        for (int i = 0; i < 3; ++i)
            if (streams[i] != i && dup2(streams[i], i) < 0) _exit(125);
        if (chdir(request_.directory.c_str()) < 0) _exit(125);
        execve(words[0], words.data(), variables.data());
        _exit(127);
    }

    void begin() {
        if (job_.unit.empty()) {
            Result<> forked = fork_child();
            return forked ? succeed() : fail(std::move(forked).error());
        }
        auto call = unit();
        if (!call) return fail(std::move(call).error());
        int r = sd_bus_call_async(jobs_.bus_, nullptr, call->get(), unit_answer, this, 0);
        if (r < 0) return fail(bus_error(r, "starting the job's unit"));
    }

    void fail(Error why) {
        (void)remove_tree_at(AT_FDCWD, directory_.c_str());
        started_(nullptr, why);
        delete this;
    }

    void succeed() {
        std::string id = job_.id;
        bool child = job_.unit.empty();
        int pid = job_.pid;
        jobs_.added(std::move(job_));
        Job& job = *jobs_.find(id);
        if (child) sd_event_add_child(jobs_.event_, job.child.put(), pid, WEXITED, Jobs::child_ended, &jobs_);
        started_(&job, Error{});
        jobs_.follow_client(job);
        jobs_.look(id);  // it may have ended before it was watched
        delete this;
    }

  private:
    static int unit_answer(sd_bus_message* reply, void* data, sd_bus_error*) {
        auto* self = static_cast<JobStart*>(data);
        if (const sd_bus_error* why = sd_bus_message_get_error(reply))
            self->fail(error_from(*why, "starting the job's unit"));
        else
            self->succeed();
        return 0;
    }

    Jobs& jobs_;
    Request request_;
    Jobs::Started started_;
    Job job_;
    std::string directory_;
    std::vector<std::string> argv_;
};

void Jobs::run(Request request, Started started) {
    if (request.directory.empty()) request.directory = "/";
    auto* start = new JobStart(*this, std::move(request), std::move(started));
    Result<> prepared = start->prepare();
    if (prepared)
        start->begin();
    else
        start->fail(std::move(prepared).error());
}

int Jobs::child_ended(sd_event_source*, const siginfo_t* info, void* data) {
    Jobs& self = *static_cast<Jobs*>(data);
    for (auto& [id, job] : self.jobs_) {
        if (job.pid != info->si_pid || job.state != JobState::running) continue;
        std::string status =
            info->si_code == CLD_EXITED ? cat(info->si_status) : signal_name(info->si_status);
        setenv("EXIT_CODE", info->si_code == CLD_EXITED ? "exited" : "killed", 1);
        setenv("EXIT_STATUS", status.c_str(), 1);
        // The same file as a unit's; its watch wakes us.
        if (write_exit(self.directory(id).c_str()) != 0) self.ended(job, JobState::lost);
        break;
    }
    return 0;
}

// A unit that is not there any more has ended; without `exit`, nobody knows how.
void Jobs::check_unit(const std::string& id) {
    Job* job = find(id);
    if (!job) return;
    if (job->unit.empty()) {
        if (!job->child) ended(*job, JobState::lost);  // of a croftd that was killed
        return;
    }
    struct Asked {
        Jobs* jobs;
        std::string id;
    };
    auto done = [](sd_bus_message* reply, void* data, sd_bus_error*) {
        std::unique_ptr<Asked> asked(static_cast<Asked*>(data));
        const sd_bus_error* why = sd_bus_message_get_error(reply);
        asked->jobs->look(asked->id);
        Job* still = asked->jobs->find(asked->id);
        if (still && still->state == JobState::running && why &&
            std::string_view(why->name) == "org.freedesktop.systemd1.NoSuchUnit")
            asked->jobs->ended(*still, JobState::lost);
        return 0;
    };
    auto* asked = new Asked{this, id};
    if (sd_bus_call_method_async(bus_, nullptr, systemd, "/org/freedesktop/systemd1",
                                 "org.freedesktop.systemd1.Manager", "GetUnit", done, asked, "s",
                                 job->unit.c_str()) < 0)
        delete asked;
}

}  // namespace croft::bus
