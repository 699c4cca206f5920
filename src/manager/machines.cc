#include "manager/machines.h"

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/log.h"
#include "base/names.h"
#include "base/text.h"
#include "manager/leader.h"
#include "base/lock_file.h"
#include "manager/remains.h"
#include "base/remove_tree.h"

namespace croft::manager {
namespace {

// A small file of a machine's directory in one read, with no error worth telling.
std::optional<std::string> small_file(int machines, const std::string& path) {
    char buffer[8192];
    int fd = openat(machines, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return std::nullopt;
    ssize_t n = read(fd, buffer, sizeof buffer);
    std::optional<std::string> out;
    if (n >= 0) out.emplace(buffer, static_cast<size_t>(n));
    // A record with very many arguments is longer: the rest of it, the slow way.
    while (n == sizeof buffer && out->size() < 1 << 22 && (n = read(fd, buffer, sizeof buffer)) > 0)
        out->append(buffer, static_cast<size_t>(n));
    close(fd);
    return out;
}

// Only the owner may open the lock (or anybody could hold it); for others the leader's life tells.
bool is_held(int machines, const Machine& machine) {
    Fd lock(openat(machines, (machine.name + "/lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock && errno == EACCES) return is_alive(machine.record.leader);
    return lock && is_locked(lock.get());
}

// The `exit` file: "CODE STATUS MICROSECONDS", as run/hold_protocol.h has it.
bool read_exit(int machines, Machine& machine) {
    std::string path = machine.name + "/exit";
    if (faccessat(machines, path.c_str(), F_OK, 0) < 0) return false;
    auto text = small_file(machines, path);
    if (!text) return false;
    std::vector<std::string> words = split(trim(*text), ' ');
    if (words.size() < 2) return false;
    auto code = parse_int(words[0]), status = parse_int(words[1]);
    if (!code || !status) return false;
    machine.outcome =
        launch::outcome_from_wait(static_cast<int>(*code), static_cast<int>(*status), machine.record.boot);
    if (words.size() > 2) machine.ended = parse_uint(words[2]).value_or(0);
    if (auto stop = small_file(machines, machine.name + "/stop")) apply_stop(machine.outcome, *stop);
    return true;
}

State ended_state(const launch::Outcome& outcome) {
    using Kind = launch::Outcome::Kind;
    if (outcome.kind == Kind::stopped || outcome.kind == Kind::killed || outcome.kind == Kind::powered_off)
        return State::exited;
    return launch::exit_status(outcome) == 0 ? State::exited : State::failed;
}

bool is_frozen(const std::string& cgroup) {
    if (cgroup.empty()) return false;
    char value = '0';
    int fd = open((cgroup + "/cgroup.freeze").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool frozen = read(fd, &value, 1) == 1 && value == '1';
    close(fd);
    return frozen;
}

// The table above the types in machines.h.
void find_state(int machines, Machine& machine) {
    if (read_exit(machines, machine)) {
        machine.state = ended_state(machine.outcome);
        return;
    }
    if (!is_held(machines, machine)) {
        machine.state = State::lost;
        return;
    }
    machine.state = machine.record.prepared ? State::ready : State::starting;
    if (!machine.record.leader.pid) return;
    machine.state = State::running;
    if (machine.record.waits_ready) {
        machine.ready = faccessat(machines, (machine.name + "/ready").c_str(), F_OK, 0) == 0;
        if (!machine.ready) machine.state = State::booting;
    }
    if (faccessat(machines, (machine.name + "/stop").c_str(), F_OK, 0) == 0) machine.state = State::stopping;
    // The kernel decides; it is asked only where croft has ever paused, because cgroup files are slow to
    // open.
    // A unit may be frozen by systemctl, which leaves no mark of ours.
    if ((!machine.record.unit.empty() ||
         faccessat(machines, (machine.name + "/paused").c_str(), F_OK, 0) == 0) &&
        is_frozen(machine.record.cgroup))
        machine.state = State::frozen;
}

Result<Machine> read_machine(int machines, const std::string& name) {
    Machine machine;
    machine.name = name;
    if (auto text = small_file(machines, name + "/record")) {
        machine.record = TRY(parse_record(*text).within(cat("machine ", quoted(name))));
        if (machine.record.name != name)
            return error(Errc::invalid, cat("the record of ", quoted(name), " is another machine's"));
    }
    machine.record.name = name;
    find_state(machines, machine);
    return machine;
}

Error taken(const std::string& name, int machines) {
    auto machine = read_machine(machines, name);
    if (machine && machine->state == State::ready)
        return error(Errc::exists,
                     cat("the name ", quoted(name), " is taken by a machine that is ready; `croft start ",
                         name, "` lets it run, `croft stop ", name, "` gives it back"));
    if (!machine || !machine->record.leader.pid)
        return error(Errc::busy,
                     cat("another command is just starting or removing the machine ", quoted(name)));
    return error(
        Errc::exists,
        cat("the name ", quoted(name), " is taken by a machine that is running (leader ",
            machine->record.leader.pid, "); stop it with `croft stop ", name, "`, or choose another --name"));
}

// What an earlier machine of this name left in its directory. The caller holds the lock.
Result<> clear_directory(const Paths& paths, int machines, int directory, const std::string& name) {
    auto machine = read_machine(machines, name);
    if (!machine)
        warn(machine.error().text);  // nothing can be learned from it; the files are removed all the same
    // We hold the lock on another descriptor than is_held() asks with, so a lost machine looks alive here.
    // Without a record it was only a name, of a command that was killed at once or has not got this far.
    if (machine && machine->alive() && exists_at(directory, "record"))
        warn(cat("machine ", quoted(name), " was lost (its keeper was killed): clearing what it left"));
    if (machine)
        TRY(clear_remains(paths, machine->record).within(cat("clearing what ", quoted(name), " left")));
    return empty_directory(directory, "lock");
}

}  // namespace

const char* state_name(State state) {
    constexpr const char* names[] = {"ready",      "starting",   "booting",  "running", "degraded",
                                     "frozen",     "stopping",   "exited",   "failed",  "lost",
                                     "configured", "incomplete", "installed"};
    return names[static_cast<size_t>(state)];
}

void apply_stop(launch::Outcome& outcome, std::string_view note) {
    using Kind = launch::Outcome::Kind;
    if (outcome.kind == Kind::powered_off) return;
    // One status for both: as a shell has it.
    outcome.status = launch::exit_status(outcome);
    outcome.kind = trim(note) == "killed" ? Kind::killed : Kind::stopped;
}

std::string Claim::path() const {
    return cat(machines_path_, "/", name_);
}

Result<> Claim::write(const Record& record) {
    return replace_file_at(directory_.get(), "record", to_text(record), 0644)
        .within("writing the machine's record");
}

Claim::~Claim() {
    if (kept_ || !lock_) return;
    // Files first and the lock last, so that whoever comes in between finds it held.
    (void)empty_directory(directory_.get(), "lock");
    unlinkat(directory_.get(), "lock", 0);
    unlinkat(machines_.get(), name_.c_str(), AT_REMOVEDIR);
}

Result<Claim> claim(const Paths& paths, const std::string& name) {
    TRY(check_machine_name(name));
    Claim claim;
    claim.machines_ = TRY(open_machines(paths));
    claim.machines_path_ = paths.machines;
    int machines = claim.machines_.get();
    int waits = 0;
    for (int tries = 0; tries < 100; ++tries) {
        bool fresh = mkdirat(machines, name.c_str(), 0755) == 0;
        if (!fresh && errno != EEXIST)
            return os_error(errno, cat("making the directory of machine ", quoted(name)));
        Fd directory(openat(machines, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
        if (!directory && errno == ENOENT) continue;  // removed by another command just now
        if (!directory) return os_error(errno, cat("opening the directory of machine ", quoted(name)));
        Fd lock(openat(directory.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!lock && errno == ENOENT) continue;
        if (!lock) return os_error(errno, cat("opening the lock of machine ", quoted(name)));
        if (!lock_fd(lock.get(), LockKind::exclusive)) {
            // It has ended and its keeper is about to go: what is left is removing the cgroup and throwaway
            // files.
            // Or it never came up: a launcher that was killed is outlived for a moment by the process it had made.
            bool ending = exists_at(directory.get(), "exit");
            auto holder = read_machine(machines, name);
            bool leads = holder && (holder->record.leader.pid || holder->record.prepared);
            if (++waits > (ending ? 1000 : leads ? 0 : 60)) return taken(name, machines);
            timespec moment = {0, 5'000'000};
            nanosleep(&moment, nullptr);
            --tries;
            continue;
        }
        struct stat st = {};
        if (fstat(lock.get(), &st) < 0 || st.st_nlink == 0) continue;  // unlinked by the one before us
        if (!fresh) TRY(clear_directory(paths, machines, directory.get(), name));
        claim.name_ = name;
        claim.directory_ = std::move(directory), claim.lock_ = std::move(lock);
        return claim;
    }
    return error(Errc::busy,
                 cat("other commands start and remove the machine ", quoted(name), " all the time"));
}

Result<Claim> adopt_claim(const Paths& paths, const std::string& name) {
    TRY(check_machine_name(name));
    Claim claim;
    claim.machines_ = TRY(open_machines(paths));
    claim.machines_path_ = paths.machines;
    claim.name_ = name;
    claim.kept_ = true;
    claim.directory_ = TRY(open_at(claim.machines_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    struct stat wanted = {}, st = {};
    if (fstatat(claim.directory_.get(), "lock", &wanted, AT_SYMLINK_NOFOLLOW) < 0)
        return os_error(errno, "looking for the lock");
    for (int fd = 3; fd < 256; ++fd) {
        if (fstat(fd, &st) < 0 || st.st_ino != wanted.st_ino || st.st_dev != wanted.st_dev) continue;
        claim.lock_ = Fd(fd);
        return claim;
    }
    return error(Errc::wrong_state, cat("this process does not hold the lock of machine ", quoted(name)));
}

Result<Machine> find(const Paths& paths, std::string_view name) {
    std::string wanted(name);
    Fd machines = TRY(open_machines(paths));
    if (check_machine_name(name) && exists_at(machines.get(), wanted.c_str()))
        return read_machine(machines.get(), wanted);
    std::vector<std::string> names;
    // In a job of croftd's the reader may be somebody who must not learn of other machines.
    if (!getenv("CROFT_JOB"))
        if (auto all = list(paths))
            for (const Machine& machine : *all) names.push_back(machine.name);
    std::string close = closest(name, names);
    return error(Errc::not_found, cat("there is no machine ", quoted(name),
                                      close.empty() ? std::string("; `croft list` shows those that are there")
                                                    : cat("; did you mean ", quoted(close), "?")));
}

Result<Machine> find_settled(const Paths& paths, std::string_view name, uint64_t patience) {
    Machine machine = TRY(find(paths, name));
    // Mostly it is a matter of milliseconds; who waits longer asks less often.
    for (uint64_t waited = 0, pause = 5'000; machine.state == State::starting && waited < patience; waited += pause) {
        if (waited > settle_shortly) pause = 50'000;
        timespec moment = {0, static_cast<long>(pause * 1000)};
        nanosleep(&moment, nullptr);
        machine = TRY(find(paths, name));
    }
    return machine;
}

Result<Machine> find_running(const Paths& paths, std::string_view name) {
    Machine machine = TRY(find(paths, name));
    if (machine.alive() && machine.record.leader.pid) return machine;
    return error(Errc::wrong_state,
                 cat("machine ", quoted(name), " is ", state_name(machine.state), " and not running"));
}

Result<std::vector<std::string>> machine_names(const Paths& paths) {
    std::vector<std::string> out;
    Fd machines = TRY(open_machines(paths));
    DIR* dir = fdopendir(openat(machines.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!dir) return os_error(errno, cat("reading ", quoted(paths.machines)));
    while (dirent* entry = readdir(dir))
        if (entry->d_name[0] != '.' && check_machine_name(entry->d_name)) out.emplace_back(entry->d_name);
    closedir(dir);
    std::sort(out.begin(), out.end());
    return out;
}

Result<std::vector<Machine>> list(const Paths& paths) {
    std::vector<Machine> out;
    std::vector<std::string> names = TRY(machine_names(paths));
    Fd machines = TRY(open_machines(paths));
    for (const std::string& name : names) {
        auto machine = read_machine(machines.get(), name);
        if (machine)
            out.push_back(std::move(*machine));
        else
            warn(machine.error().text);
    }
    return out;
}

Result<> clear(const Paths& paths, const Machine& machine) {
    // Claiming the name clears what is there; dropping the claim removes the directory.
    auto mine = claim(paths, machine.name);
    if (mine) return {};
    if (mine.error().code == Errc::exists) mine.error().code = Errc::wrong_state;
    return std::move(mine).error();
}

}  // namespace croft::manager
