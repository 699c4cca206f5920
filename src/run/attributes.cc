#include "run/attributes.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

namespace croft::run {

namespace {

// From <linux/ioprio.h>, which no C++ compiler takes in every version of the kernel's headers (a parameter is
// named "class" in some).
constexpr int ioprio_who_process = 1;

// <linux/sched/types.h> cannot be included beside <sched.h>: both define sched_param.
struct SchedAttr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

// The payload sets its own limits as the last thing before it executes, so that they do not hit the launch;
// only a hard limit that is to be higher than ours needs somebody with the host's CAP_SYS_RESOURCE.
bool needs_raise(const launch::ResourceLimit& limit) {
    rlimit now;
    return getrlimit(static_cast<__rlimit_resource>(limit.resource), &now) == 0 && limit.hard > now.rlim_max;
}

Result<> raise_rlimits(pid_t pid, const launch::Process& p) {
    for (const launch::ResourceLimit& limit : p.rlimits) {
        if (!needs_raise(limit)) continue;
        auto resource = static_cast<__rlimit_resource>(limit.resource);
        rlimit raised;
        getrlimit(resource, &raised);
        rlim_t before = std::exchange(raised.rlim_max, limit.hard);
        if (prlimit(pid, resource, &raised, nullptr) < 0)
            return os_error(errno, cat("raising the hard resource limit ", limit.resource, " from ", before,
                                       " to ", limit.hard));
    }
    return {};
}

Result<> set_affinity(pid_t pid, const std::vector<uint32_t>& cpus) {
    if (cpus.empty()) return {};
    // As many bits as the largest number needs: sched_setaffinity(2) takes any length.
    std::vector<unsigned long> mask;
    for (uint32_t cpu : cpus) {
        size_t word = cpu / 64;
        if (word >= mask.size()) mask.resize(word + 1);
        mask[word] |= 1UL << cpu % 64;
    }
    if (syscall(SYS_sched_setaffinity, pid, mask.size() * sizeof mask[0], mask.data()) < 0)
        return os_error(errno, "setting the CPU affinity (are these CPUs of this host?)");
    return {};
}

Result<> set_scheduler(pid_t pid, const launch::Process& p) {
    if (p.sched_policy.empty()) return {};
    static constexpr struct {
        std::string_view name;
        uint32_t policy;
    } policies[] = {{"SCHED_OTHER", SCHED_OTHER}, {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
                    {"SCHED_BATCH", SCHED_BATCH}, {"SCHED_ISO", 4},           {"SCHED_IDLE", SCHED_IDLE},
                    {"SCHED_DEADLINE", 6}};
    SchedAttr attr = {};
    attr.size = sizeof attr;
    attr.policy = UINT32_MAX;
    for (const auto& known : policies)
        if (known.name == p.sched_policy) attr.policy = known.policy;
    attr.flags = p.sched_flags;
    attr.nice = p.sched_nice;
    attr.priority = static_cast<uint32_t>(p.sched_priority);
    attr.runtime = p.sched_runtime;
    attr.deadline = p.sched_deadline;
    attr.period = p.sched_period;
    if (syscall(SYS_sched_setattr, pid, &attr, 0) < 0)
        return os_error(errno, cat("setting the scheduler to ", p.sched_policy));
    return {};
}

}  // namespace

bool has_attributes(const launch::Process& p) {
    for (const launch::ResourceLimit& limit : p.rlimits)
        if (needs_raise(limit)) return true;
    return !p.cpu_affinity.empty() || !p.sched_policy.empty() || p.io_priority;
}

Result<> set_attributes(pid_t pid, const launch::Process& p) {
    TRY(raise_rlimits(pid, p));
    TRY(set_affinity(pid, p.cpu_affinity));
    TRY(set_scheduler(pid, p));
    if (p.io_priority && syscall(SYS_ioprio_set, ioprio_who_process, pid, *p.io_priority) < 0)
        return os_error(errno, "setting the I/O priority");
    return {};
}

Result<> CpuScope::set(const std::vector<uint32_t>& cpus) {
    if (cpus.empty()) return {};
    std::vector<unsigned long> now(8192 / 64);
    long size = syscall(SYS_sched_getaffinity, 0, now.size() * sizeof now[0], now.data());
    if (size < 0) return os_error(errno, "asking for the CPU affinity");
    now.resize(static_cast<size_t>(size) / sizeof now[0]);
    before_ = std::move(now);
    return set_affinity(0, cpus);
}

CpuScope::~CpuScope() {
    if (!before_.empty())
        syscall(SYS_sched_setaffinity, 0, before_.size() * sizeof before_[0], before_.data());
}

Result<> OomScore::set(int score) {
    before_ = TRY(read_file_at(AT_FDCWD, "/proc/self/oom_score_adj"));
    return write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", cat(score)).within("setting the OOM score");
}

OomScore::~OomScore() {
    if (before_.empty()) return;
    if (Result<> back = write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", trim(before_)); !back)
        warn(back.error().text);
}

}  // namespace croft::run
