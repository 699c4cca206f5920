#include "run/scope_ns.h"

#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/log.h"
#include "base/text.h"
#include "kernel/raw.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;

namespace {

const char* namespace_file(uint64_t type) {
    switch (type) {
        case CLONE_NEWNET:
            return "net";
        case CLONE_NEWIPC:
            return "ipc";
        case CLONE_NEWUTS:
            return "uts";
        case CLONE_NEWCGROUP:
            return "cgroup";
        // What children get, not what we are in: a process never changes its own PID or time namespace.
        case CLONE_NEWPID:
            return "pid_for_children";
        case CLONE_NEWTIME:
            return "time_for_children";
        default:
            return nullptr;
    }
}

Result<Fd> own_namespace(uint64_t type) {
    return open_at(AT_FDCWD, cat("/proc/self/ns/", namespace_file(type)).c_str(), O_RDONLY);
}

// setns(2) would say EINVAL, which means other things too.
Result<> check_type(int fd, const launch::JoinNamespace& wanted) {
    int type = ioctl(fd, NS_GET_NSTYPE);
    if (type < 0) return error(Errc::invalid, cat(quoted(wanted.path), " is no namespace"));
    // The time namespace of a process and of its children are of one type.
    if (static_cast<uint64_t>(type) != wanted.type)
        return error(Errc::invalid, cat(quoted(wanted.path), " is a namespace of another type"));
    return {};
}

// Being in the wrong namespaces is nothing to go on with: the next step would act on the wrong host.
void must(int result, const char* what) {
    if (result == 0) return;
    log(LogLevel::error, cat("cannot get back to the host's ", what, ": ", errno_text(errno)));
    _exit(125);
}

}  // namespace

Result<> JoinScope::open(const launch::LaunchPlan& plan) {
    for (const launch::JoinNamespace& wanted : plan.join) {
        Joined one;
        one.target =
            TRY(open_at(AT_FDCWD, wanted.path.c_str(), O_RDONLY).within("opening a namespace to join"));
        TRY(check_type(one.target.get(), wanted));
        if (wanted.type == CLONE_NEWUSER) {
            users_ = std::move(one.target);
            continue;
        }
        if (wanted.type == CLONE_NEWNS) {
            mounts_ = std::move(one.target);
            continue;
        }
        one.before = TRY(own_namespace(wanted.type));
        one.type = static_cast<int>(wanted.type);
        // Entering where one is already changes nothing, and tells whether one may.
        if (setns(one.before.get(), one.type) < 0) may_return_ = false;
        one.path = wanted.path;
        joined_.push_back(std::move(one));
    }
    new_time_ = plan.new_namespaces & CLONE_NEWTIME;
    if (!new_time_) return {};
    time_before_ = TRY(own_namespace(CLONE_NEWTIME));
    if (setns(time_before_.get(), CLONE_NEWTIME) < 0) may_return_ = false;
    proc_ = TRY(open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
    auto add = [&](const char* clock, int64_t ns) {
        offsets_text_ += cat(clock, " ", ns / 1'000'000'000, " ", ns % 1'000'000'000, "\n");
    };
    if (plan.monotonic_offset) add("monotonic", *plan.monotonic_offset);
    if (plan.boottime_offset) add("boottime", *plan.boottime_offset);
    return {};
}

Result<> JoinScope::enter() {
    for (; may_return_ && entered_ < joined_.size(); ++entered_)
        if (setns(joined_[entered_].target.get(), joined_[entered_].type) < 0)
            return os_error(errno, cat("joining the namespace '", joined_[entered_].path, "'"));
    if (!new_time_ || !may_return_) return {};
    if (long error = make_time(); error < 0) return os_error(static_cast<int>(-error), "making a time namespace");
    time_entered_ = true;
    return {};
}

// The children's, of whoever calls: `self` of /proc is that one too.
long JoinScope::make_time() const {
    long error = raw(SYS_unshare, CLONE_NEWTIME);
    if (error < 0 || offsets_text_.empty()) return error;
    long file = raw(SYS_openat, proc_.get(), arg("self/timens_offsets"), O_WRONLY | O_CLOEXEC);
    if (file < 0) return file;
    error = raw(SYS_write, file, arg(offsets_text_.data()), static_cast<long>(offsets_text_.size()));
    kernel::raw_close(file);
    return error < 0 ? error : 0;
}

long JoinScope::enter_one_way(const void* scope) {
    const auto& self = *static_cast<const JoinScope*>(scope);
    if (self.new_time_ && !self.time_entered_)
        if (long error = self.make_time(); error < 0) return error;
    for (size_t i = self.entered_; i < self.joined_.size(); ++i)
        if (long error = raw(SYS_setns, self.joined_[i].target.get(), self.joined_[i].type); error < 0) return error;
    return self.users_ ? raw(SYS_setns, self.users_.get(), CLONE_NEWUSER) : 0;
}

JoinScope::~JoinScope() {
    for (; entered_ > 0; --entered_)
        must(setns(joined_[entered_ - 1].before.get(), joined_[entered_ - 1].type), "namespaces");
    if (time_entered_) must(setns(time_before_.get(), CLONE_NEWTIME), "time");
}

}  // namespace croft::run
