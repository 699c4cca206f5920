#include "run/attributes.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

namespace croft::run {

namespace {

// <linux/sched/types.h> cannot be included beside <sched.h>: both define sched_param.
struct SchedAttr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

Result<> set_rlimits(pid_t pid, const launch::Process& p) {
    for (const launch::ResourceLimit& limit : p.rlimits) {
        rlimit wanted = {limit.soft, limit.hard};
        if (prlimit(pid, static_cast<__rlimit_resource>(limit.resource), &wanted, nullptr) < 0)
            return os_error(errno, cat("setting resource limit ", limit.resource, " to ", limit.soft, ":", limit.hard));
    }
    return {};
}

Result<> set_affinity(pid_t pid, const launch::Process& p) {
    if (p.cpu_affinity.empty()) return {};
    // As many bits as the largest number needs: sched_setaffinity(2) takes any length.
    std::vector<unsigned long> mask;
    for (uint32_t cpu : p.cpu_affinity) {
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
    } policies[] = {{"SCHED_OTHER", SCHED_OTHER}, {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR}, {"SCHED_BATCH", SCHED_BATCH},
                    {"SCHED_ISO", 4}, {"SCHED_IDLE", SCHED_IDLE}, {"SCHED_DEADLINE", 6}};
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
    if (syscall(SYS_sched_setattr, pid, &attr, 0) < 0) return os_error(errno, cat("setting the scheduler to ", p.sched_policy));
    return {};
}

}  // namespace

bool has_attributes(const launch::Process& p) {
    return !p.rlimits.empty() || p.oom_score_adjust || !p.cpu_affinity.empty() || !p.sched_policy.empty() || p.io_priority;
}

Result<> set_attributes(pid_t pid, const launch::Process& p) {
    TRY(set_rlimits(pid, p));
    if (p.oom_score_adjust)
        TRY(write_file_at(AT_FDCWD, cat("/proc/", pid, "/oom_score_adj").c_str(), cat(*p.oom_score_adjust)).within("setting the OOM score"));
    TRY(set_affinity(pid, p));
    TRY(set_scheduler(pid, p));
    if (p.io_priority && syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, *p.io_priority) < 0) return os_error(errno, "setting the I/O priority");
    return {};
}

}  // namespace croft::run
