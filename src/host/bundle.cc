// HostFacts of an OCI bundle: the little that its plan depends on. Its config.json says the rest, and this is part of
// every start of a container.
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/fd.h"
#include "base/scope.h"
#include "base/text.h"
#include "host/facts.h"
#include "host/kernel_facts.h"
#include "host/user.h"

namespace croft::host {
namespace {

Result<std::vector<spec::IdMapping>> read_map(const std::string& path) {
    std::string text = TRY(read_file_at(AT_FDCWD, path.c_str(), 1 << 16));
    std::vector<spec::IdMapping> map;
    for (const std::string& line : split(trim(text), '\n')) {
        std::vector<uint32_t> numbers;
        for (const std::string& word : split(line, ' '))
            if (auto number = parse_uint(word); number && *number <= UINT32_MAX)
                numbers.push_back(static_cast<uint32_t>(*number));
        if (numbers.size() == 3) map.push_back({numbers[0], numbers[1], numbers[2]});
    }
    return map;
}

// A user namespace tells its maps only through a process in it: a child enters it and waits to be looked at.
Result<> ask_user_namespace(const std::string& path, spec::HostFacts& facts) {
    Fd ns = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY).within("the user namespace to join"));
    int entered[2], gate[2];
    if (pipe2(entered, O_CLOEXEC) < 0) return os_error(errno, "making a pipe");
    Fd entered_read(entered[0]), entered_write(entered[1]);
    if (pipe2(gate, O_CLOEXEC) < 0) return os_error(errno, "making a pipe");
    Fd gate_read(gate[0]), gate_write(gate[1]);
    pid_t child = fork();
    if (child < 0) return os_error(errno, "starting a process");
    if (child == 0) {
        gate_write.reset();
        int failed = setns(ns.get(), CLONE_NEWUSER) < 0 ? errno : 0;
        char byte;
        // Waits until the other end closes, also by its owner's death.
        if (write(entered_write.get(), &failed, sizeof failed) == sizeof failed && read(gate_read.get(), &byte, 1) < 0)
            _exit(1);
        _exit(0);
    }
    OnExit reap([&] {
        gate_write.reset();
        waitpid(child, nullptr, 0);
    });
    entered_write.reset();
    int failed = EIO;
    if (read(entered_read.get(), &failed, sizeof failed) != sizeof failed || failed)
        return os_error(failed, cat("joining the user namespace ", quoted(path)));
    facts.user_uid_maps = TRY(read_map(cat("/proc/", child, "/uid_map")));
    facts.user_gid_maps = TRY(read_map(cat("/proc/", child, "/gid_map")));
    return {};
}

// What we hold is what we can give.
void ask_capabilities(spec::HostFacts& facts) {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    if (syscall(SYS_capget, &header, data) < 0) return;
    facts.capability_bounding = data[0].permitted | static_cast<uint64_t>(data[1].permitted) << 32;
    facts.admin = data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

bool names_home(const spec::Process& process) {
    for (const auto& [name, value] : process.environment.set)
        if (name == "HOME" && !value.empty()) return true;
    return false;
}

void ask_home(const spec::MachineSpec& spec, spec::HostFacts& facts) {
    auto root = open_at(AT_FDCWD, spec.root.directory.c_str(), O_PATH | O_DIRECTORY);
    if (!root) return;  // told when it is to be mounted
    auto user = resolve_user(root->get(), cat(spec.process.user.ids.value_or(std::pair(0u, 0u)).first));
    if (user) facts.tree.home = user->home;
}

void ask_labels(const spec::Process& process, spec::HostFacts& facts) {
    if (!process.apparmor_profile.empty()) {
        auto enabled = read_file_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16);
        facts.has_apparmor = enabled && enabled->starts_with('Y');
    }
    if (!process.selinux_label.empty() || !process.selinux_mount_label.empty())
        facts.has_selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
}

}  // namespace

Result<spec::HostFacts> gather_bundle(const spec::MachineSpec& spec, const GatherOptions& options) {
    spec::HostFacts facts;
    facts.helper_directory = options.helper_directory;
    facts.cgroup_base = options.cgroup_base;
    facts.tree.directory = spec.root.directory;
    facts.uid = geteuid();
    ask_capabilities(facts);
    facts.privileged = facts.admin && in_initial_user_namespace();
    find_cgroup2(facts);
    if (!facts.privileged) {
        facts.own_uid_maps = TRY(read_map("/proc/self/uid_map"));
        facts.own_gid_maps = TRY(read_map("/proc/self/gid_map"));
    }
    if (!spec.users.path.empty()) TRY(ask_user_namespace(spec.users.path, facts));
    ask_labels(spec.process, facts);
    if (!names_home(spec.process)) ask_home(spec, facts);
    return facts;
}

}  // namespace croft::host
