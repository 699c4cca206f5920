// A job's files as text.
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "base/signals.h"
#include "base/text.h"
#include "bus/jobs.h"

namespace croft::bus {

const char* job_state_name(JobState state) {
    constexpr const char* names[] = {"running", "done", "failed", "lost"};
    return names[static_cast<size_t>(state)];
}

// "KEY VALUE" lines. None of the values can have a line's end in it: they are checked words, names and
// numbers.
std::string job_text(const Job& job) {
    std::string out = cat("verb ", job.verb, "\nowner ", job.owner, "\nstarted ", job.started, "\n");
    if (!job.machine.empty()) out += cat("machine ", job.machine, "\n");
    if (!job.image.empty()) out += cat("image ", job.image, "\n");
    if (!job.unit.empty()) out += cat("unit ", job.unit, "\n");
    if (!job.client.empty()) out += cat("client ", job.client, "\n");
    return out;
}

Result<Job> parse_job(const std::string& id, std::string_view text) {
    Job job;
    job.id = id;
    for (const std::string& line : split(text, '\n')) {
        size_t blank = line.find(' ');
        if (blank == line.npos) continue;
        std::string key = line.substr(0, blank), value = line.substr(blank + 1);
        if (key == "verb") job.verb = value;
        if (key == "machine") job.machine = value;
        if (key == "image") job.image = value;
        if (key == "unit") job.unit = value;
        if (key == "client") job.client = value;
        if (key == "owner") job.owner = static_cast<uint32_t>(parse_uint(value).value_or(UINT32_MAX));
        if (key == "started") job.started = parse_uint(value).value_or(0);
    }
    if (job.verb.empty() || job.owner == UINT32_MAX)
        return error(Errc::invalid, cat("the file of job ", id, " is not whole"));
    return job;
}

// "CODE STATUS MICROSECONDS": code and status as systemd.exec(5) has $EXIT_CODE and $EXIT_STATUS.
bool read_exit(Job& job, std::string_view text, std::string_view standard_error) {
    std::vector<std::string> words = split(trim(text), ' ');
    if (words.size() < 3) return false;
    if (words[0] == "exited") {
        job.status = static_cast<int>(parse_int(words[1]).value_or(1));
    } else {
        job.status = 128 + signal_number(words[1]).value_or(SIGKILL);
    }
    job.ended = parse_uint(words[2]).value_or(0);
    job.state = job.status == 0 ? JobState::done : JobState::failed;
    const cli::Verb* verb = cli::find_verb(job.verb);
    const ErrcRow* row = verb ? failure_of(*verb, job.status) : nullptr;
    if (!row) return true;
    job.error = row->dbus_name;
    job.message = sentence_of(standard_error);
    if (job.message.empty()) job.message = cat("croft ", job.verb, " ended with status ", job.status);
    return true;
}

namespace {
uint64_t now() {
    timespec time = {};
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}
}  // namespace

int write_exit(const char* directory) {
    const char* code = getenv("EXIT_CODE");
    const char* status = getenv("EXIT_STATUS");
    Fd place(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!place) return 0;  // forgotten already
    // Without them the command was never started: 203 is what systemd says then.
    std::string text = cat(code ? code : "exited", " ", status ? status : "203", " ", now(), "\n");
    return replace_file_at(place.get(), "exit", text, 0600) ? 0 : 1;
}

}  // namespace croft::bus
