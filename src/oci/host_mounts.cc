#include "oci/host_mounts.h"

#include <sys/mount.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

namespace croft::oci {

namespace {

// As mountinfo writes a path (proc_pid_mountinfo(5)).
std::string escaped(std::string_view path) {
    std::string out;
    for (char c : path) {
        if (c == ' ' || c == '\t' || c == '\n' || c == '\\')
            out += c == ' ' ? "\\040" : c == '\t' ? "\\011" : c == '\n' ? "\\012" : "\\134";
        else
            out += c;
    }
    return out;
}

// The launcher puts a clone of its stage on the root directory, and the container's root on that (run/joined_mounts.h):
// as long as one of these is there, what is on top is the container's.
Result<bool> has_stage(const std::string& place) {
    std::string table = TRY(read_file_at(AT_FDCWD, "/proc/self/mountinfo", 64 << 20));
    const std::string at = cat(" ", escaped(place), " ");
    for (const std::string& line : split(table, '\n'))
        if (line.find(at) != line.npos && line.find(" - tmpfs none ") != line.npos) return true;
    return false;
}

}  // namespace

bool shares_mounts(const launch::LaunchPlan& plan) {
    return std::ranges::find(plan.join, launch::host_mounts, &launch::JoinNamespace::path) != plan.join.end();
}

Result<> remove_mounts(const launch::LaunchPlan& plan) {
    if (!shares_mounts(plan) || plan.host.empty()) return {};
    const auto* root = std::get_if<launch::OpenTree>(&plan.host[0]);
    if (!root) return {};
    // Its own two and what was mounted on them since; more than that is not ours to guess at.
    for (int n = 0; n < 8 && TRY(has_stage(root->path)); ++n)
        if (umount2(root->path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
            return os_error(errno, cat("unmounting the container's root from ", quoted(root->path)));
    return {};
}

}  // namespace croft::oci
