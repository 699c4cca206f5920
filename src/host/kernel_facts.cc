// The parts of HostFacts that are the kernel's: version, capabilities, control groups.
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "host/kernel_facts.h"

namespace croft::host {
namespace {

bool is_cgroup2(const char* path) {
    struct statfs fs = {};
    return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

void ask_capabilities(spec::HostFacts& facts) {
    facts.capability_bounding = 0;
    for (unsigned long cap = 0; cap < 64; ++cap) {
        int answer = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
        if (answer < 0) break;  // EINVAL: this kernel does not know it, nor any after it
        facts.last_capability = cap;
        if (answer) facts.capability_bounding |= 1ull << cap;
    }
}

// What PID 1 has is what the kernel gave it (or what the host's init chose for everybody).
void ask_rlimits(spec::HostFacts& facts) {
    constexpr struct {
        int resource;
        const char* name;
    } table[] = {
        {RLIMIT_CPU, "CPU"},           {RLIMIT_FSIZE, "FSIZE"},
        {RLIMIT_DATA, "DATA"},         {RLIMIT_STACK, "STACK"},
        {RLIMIT_CORE, "CORE"},         {RLIMIT_RSS, "RSS"},
        {RLIMIT_NPROC, "NPROC"},       {RLIMIT_NOFILE, "NOFILE"},
        {RLIMIT_MEMLOCK, "MEMLOCK"},   {RLIMIT_AS, "AS"},
        {RLIMIT_LOCKS, "LOCKS"},       {RLIMIT_SIGPENDING, "SIGPENDING"},
        {RLIMIT_MSGQUEUE, "MSGQUEUE"}, {RLIMIT_NICE, "NICE"},
        {RLIMIT_RTPRIO, "RTPRIO"},     {RLIMIT_RTTIME, "RTTIME"},
    };
    for (const auto& row : table) {
        struct rlimit64 limit = {};
        if (syscall(SYS_prlimit64, 1, row.resource, nullptr, &limit) < 0) return;
        facts.initial_rlimits[row.name] = {limit.rlim_cur, limit.rlim_max};
    }
}

// A user's machines can only be grouped below a cgroup that was delegated to the user: the one this process
// is in, if its files are ours to write. What is enabled there already is all there is (no controller can be
// enabled in a group that has processes).
void find_own_cgroup(spec::HostFacts& facts) {
    auto text = read_file_at(AT_FDCWD, "/proc/self/cgroup", 1 << 16);
    std::string own;
    if (text)
        for (const std::string& line : split(*text, '\n'))
            if (line.starts_with("0::/")) own = line.substr(4);
    std::string path = cat(facts.cgroup_root, "/", own);
    if (own.empty() || access(path.c_str(), W_OK) < 0 ||
        access(cat(path, "/cgroup.procs").c_str(), W_OK) < 0) {
        facts.cgroup_root.clear();
        return;
    }
    facts.cgroup_base = cat(own, "/", facts.cgroup_base);
    if (auto enabled = read_file_at(AT_FDCWD, cat(path, "/cgroup.subtree_control").c_str(), 4096))
        for (std::string& word : split(trim(*enabled), ' '))
            if (!word.empty()) facts.cgroup_controllers.push_back(std::move(word));
}

}  // namespace

bool is_admin() {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    if (syscall(SYS_capget, &header, data) < 0) return false;
    return data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

bool in_initial_user_namespace() {
    auto map = read_file_at(AT_FDCWD, "/proc/self/uid_map", 4096);
    if (!map) return true;  // no user namespaces in this kernel
    std::vector<std::string> words;
    for (std::string& word : split(trim(*map), ' '))
        if (!word.empty()) words.push_back(std::move(word));
    return words.size() == 3 && words[0] == "0" && words[1] == "0" && words[2] == "4294967295";
}

void find_cgroup2(spec::HostFacts& facts) {
    facts.cgroup_controllers.clear();
    facts.cgroup_root.clear();
    for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
        if (facts.cgroup_root.empty() && is_cgroup2(path)) facts.cgroup_root = path;
    if (facts.cgroup_root.empty()) return;
    if (!facts.privileged && access(facts.cgroup_root.c_str(), W_OK) < 0) return find_own_cgroup(facts);
    // The root of a cgroup namespace is an ordinary group (only those have cgroup.type): with processes in
    // it, what is enabled is all there is.
    std::string source = "/cgroup.controllers";
    if (access(cat(facts.cgroup_root, "/cgroup.type").c_str(), F_OK) == 0)
        if (auto procs = read_file_at(AT_FDCWD, cat(facts.cgroup_root, "/cgroup.procs").c_str());
            procs && !procs->empty())
            source = "/cgroup.subtree_control";
    if (auto known = read_file_at(AT_FDCWD, cat(facts.cgroup_root, source).c_str(), 4096))
        for (std::string& word : split(trim(*known), ' '))
            if (!word.empty()) facts.cgroup_controllers.push_back(std::move(word));
}

void ask_kernel(spec::HostFacts& facts) {
    struct utsname name = {};
    uname(&name);
    facts.machine_arch = name.machine;
    std::vector<std::string> version = split(name.release, '.');
    if (version.size() >= 2) {
        std::string minor = version[1].substr(0, version[1].find_first_not_of("0123456789"));
        facts.kernel_major = static_cast<int>(parse_int(version[0]).value_or(6));
        facts.kernel_minor = static_cast<int>(parse_int(minor).value_or(1));
    }
    facts.has_idmap = facts.kernel_major > 5 || (facts.kernel_major == 5 && facts.kernel_minor >= 12);
    facts.uid = geteuid();
    facts.admin = is_admin();
    facts.privileged = facts.admin && in_initial_user_namespace();
    ask_capabilities(facts);
    ask_rlimits(facts);
    facts.systemd = access("/run/systemd/system", F_OK) == 0;
    if (auto id = read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 128)) facts.boot_id = trim(*id);
}

}  // namespace croft::host
