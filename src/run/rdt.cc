#include "run/rdt.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

namespace croft::run {

namespace {

Result<std::string> resctrl_mount() {
    std::string mounts = TRY(read_file_at(AT_FDCWD, "/proc/self/mounts", 16 << 20));
    for (const std::string& line : split(mounts, '\n')) {
        std::vector<std::string> words = split(line, ' ');
        if (words.size() > 2 && words[2] == "resctrl") return words[1];
    }
    return error(Errc::unsupported,
                 "linux.intelRdt: this host has no resctrl file system mounted (a processor with Intel RDT "
                 "or AMD QoS, and "
                 "'mount -t resctrl resctrl /sys/fs/resctrl')");
}

std::string monitoring_group(const std::string& group, const launch::LaunchPlan& plan) {
    return cat(group, "/mon_groups/", plan.name);
}

// Lines of a schemata file without the alignment that the kernel writes them with.
std::string plain(std::string_view schemata) {
    std::string out;
    for (const std::string& line : split(schemata, '\n'))
        if (std::string_view text = trim(line); !text.empty()) out += cat(text, "\n");
    return out;
}

Result<> set_schemata(const std::string& group, const launch::Rdt& rdt, bool made) {
    std::string path = cat(group, "/schemata");
    std::string now = made ? "" : plain(TRY(read_file_at(AT_FDCWD, path.c_str())));
    for (const std::string& line : rdt.schemata) {
        std::string wanted = plain(line);
        // A group that is there is shared: others rely on what it says.
        if (!made && now.find(wanted) == now.npos)
            return error(Errc::exists, cat("linux.intelRdt: the group ", quoted(rdt.group),
                                           " is there with other schemata than ", quoted(trim(wanted)),
                                           ": use another closID, or leave the schemata out"));
        if (made)
            TRY(write_file_at(AT_FDCWD, path.c_str(), wanted)
                    .within(cat("linux.intelRdt: setting the schemata ", quoted(trim(wanted)))));
    }
    return {};
}

Result<> enter(const std::string& directory, pid_t pid) {
    return write_file_at(AT_FDCWD, cat(directory, "/tasks").c_str(), cat(pid))
        .within(cat("linux.intelRdt: joining ", quoted(directory)));
}

Result<> fill(const std::string& group, const launch::LaunchPlan& plan, bool made, pid_t pid) {
    TRY(set_schemata(group, plan.rdt, made));
    TRY(enter(group, pid));
    if (!plan.rdt.monitoring) return {};
    std::string monitored = monitoring_group(group, plan);
    if (mkdir(monitored.c_str(), 0755) < 0 && errno != EEXIST)
        return os_error(errno, cat("linux.intelRdt: making the monitoring group ", quoted(monitored)));
    return enter(monitored, pid);
}

}  // namespace

Result<bool> join_rdt(const launch::LaunchPlan& plan, pid_t pid) {
    const launch::Rdt& rdt = plan.rdt;
    if (rdt == launch::Rdt{}) return false;
    std::string group = TRY(resctrl_mount());
    if (!rdt.group.empty()) group += cat("/", rdt.group);
    bool made = !rdt.group.empty() && mkdir(group.c_str(), 0755) == 0;
    if (!made && !rdt.group.empty() && errno != EEXIST)
        return os_error(errno, cat("linux.intelRdt: making the group ", quoted(rdt.group)));
    if (made && rdt.may_exist && rdt.schemata.empty()) {
        rmdir(group.c_str());
        return error(Errc::not_found, cat("linux.intelRdt: there is no group ", quoted(rdt.group),
                                          ": make it before, or give schemata for it"));
    }
    if (Result<> filled = fill(group, plan, made, pid); !filled) {
        remove_rdt(plan, made);
        return std::move(filled).error();
    }
    return made;
}

Result<> change_rdt(const launch::LaunchPlan& plan, const std::vector<std::string>& schemata) {
    if (plan.rdt.group.empty())
        return error(Errc::unsupported, "linux.intelRdt: the machine is in no resctrl group of its own, whose schemata could be "
                                        "changed: give it one when it is made (closID)");
    std::string path = cat(TRY(resctrl_mount()), "/", plan.rdt.group, "/schemata");
    for (const std::string& line : schemata)
        TRY(write_file_at(AT_FDCWD, path.c_str(), cat(line, "\n"))
                .within(cat("linux.intelRdt: setting the schemata ", quoted(line))));
    return {};
}

void remove_rdt(const launch::LaunchPlan& plan, bool made) {
    if (plan.rdt == launch::Rdt{}) return;
    Result<std::string> group = resctrl_mount();
    if (!group) return;
    if (!plan.rdt.group.empty()) *group += cat("/", plan.rdt.group);
    if (plan.rdt.monitoring && rmdir(monitoring_group(*group, plan).c_str()) < 0 && errno != ENOENT)
        warn(cat("removing the monitoring group of ", quoted(plan.name), ": ", errno_text(errno)));
    if (made && rmdir(group->c_str()) < 0 && errno != ENOENT)
        warn(cat("removing the resctrl group ", quoted(plan.rdt.group), ": ", errno_text(errno)));
}

}  // namespace croft::run
