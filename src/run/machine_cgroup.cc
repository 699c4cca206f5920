#include "run/machine_cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "kernel/cgroup.h"
#include "run/device_program.h"

namespace croft::run {

namespace {

bool host_swaps() {
    auto table = read_file_at(AT_FDCWD, "/proc/swaps", 1 << 20);
    return table && table->find("\n/") != table->npos;
}

Result<> write_settings(const launch::Cgroup& wanted, int group, std::string_view doing) {
    for (const launch::CgroupSetting& setting : wanted.settings) TRY(write_setting(group, setting).within(doing));
    return {};
}

Result<> make_payload_group(const launch::Cgroup& wanted, int parent, bool fresh, MachineCgroup& out) {
    if (mkdirat(parent, wanted.payload.c_str(), 0755) < 0 && (fresh || errno != EEXIST))
        return os_error(errno, "making the payload's cgroup");
    out.payload = TRY(open_at(parent, wanted.payload.c_str(), O_RDONLY | O_DIRECTORY));
    if (wanted.delegate) TRY(kernel::delegate_cgroup(out.payload.get(), wanted.owner_uid, wanted.owner_gid));
    return {};
}

// The unit's group is there, with the launcher in it and with systemd's limits. Only a payload's own group
// below is made here; one of an earlier life of the unit serves again.
Result<> make_group_in_unit(const launch::Cgroup& wanted, const std::string& cgroup_root,
                            MachineCgroup& out) {
    out.parent = TRY(open_at(AT_FDCWD, cat(cgroup_root, "/", wanted.path).c_str(), O_RDONLY | O_DIRECTORY)
                         .within("opening the unit's cgroup"));
    int unit = out.parent.get();
    TRY(write_settings(wanted, unit, "limiting the unit's cgroup"));
    if (wanted.payload.empty()) {
        // The payload is born into it as the launcher was; nothing is made that had to be undone.
        if (wanted.device_policy) TRY(attach_device_policy(unit, wanted.devices));
        out.parent.reset();
        return {};
    }
    TRY(kernel::step_aside(unit, "launch"));
    std::vector<std::string> offered = TRY(kernel::offered_controllers(unit, wanted.controllers));
    TRY(kernel::enable_controllers(unit, offered));
    TRY(make_payload_group(wanted, unit, false, out));
    if (wanted.device_policy) TRY(attach_device_policy(out.payload.get(), wanted.devices));
    out.group = Fd(dup(out.payload.get()));
    out.name = wanted.payload;
    return {};
}

// systemd removes the group when its last process has ended.
Result<> enter_group_of_scope(const launch::Cgroup& wanted, const std::string& cgroup_root, MachineCgroup& out) {
    out.group = TRY(open_at(AT_FDCWD, cat(cgroup_root, "/", wanted.path).c_str(), O_RDONLY | O_DIRECTORY)
                        .within("opening the scope's cgroup"));
    TRY(write_settings(wanted, out.group.get(), "limiting the scope's cgroup"));
    if (wanted.delegate) TRY(kernel::delegate_cgroup(out.group.get(), wanted.owner_uid, wanted.owner_gid));
    if (wanted.device_policy) TRY(attach_device_policy(out.group.get(), wanted.devices));
    return {};
}

}  // namespace

Result<> write_setting(int group, const launch::CgroupSetting& setting) {
    Result<> written = write_file_at(group, setting.file.c_str(), setting.value);
    if (written || setting.file != "memory.swap.max" || written.error().err != ENOENT) return written;
    if (setting.value == "max" || (setting.value == "0" && !host_swaps())) return {};
    return error(Errc::unsupported,
                 "memory.swap.max: this host does not count swap (swapaccount=0 on the kernel's command line, or a kernel "
                 "without CONFIG_SWAP), so it cannot be limited");
}

Result<> make_machine_cgroup(const launch::Cgroup& wanted, const std::string& cgroup_root,
                             MachineCgroup& out) {
    if (wanted.path.empty() || cgroup_root.empty()) return {};
    if (wanted.of_unit) return make_group_in_unit(wanted, cgroup_root, out);
    if (wanted.of_scope) return enter_group_of_scope(wanted, cgroup_root, out);
    size_t slash = wanted.path.rfind('/');
    out.group = TRY(kernel::make_cgroup(cgroup_root, wanted.path, wanted.controllers, wanted.more_controllers,
                                        static_cast<kernel::Existing>(wanted.existing)));
    out.name = wanted.path.substr(slash == wanted.path.npos ? 0 : slash + 1);
    std::string parent =
        slash == wanted.path.npos ? cgroup_root : cat(cgroup_root, "/", wanted.path.substr(0, slash));
    out.parent = TRY(open_at(AT_FDCWD, parent.c_str(), O_RDONLY | O_DIRECTORY));
    TRY(write_settings(wanted, out.group.get(), "limiting the machine's cgroup"));
    if (wanted.device_policy) TRY(attach_device_policy(out.group.get(), wanted.devices));
    if (wanted.payload.empty() && wanted.delegate)
        TRY(kernel::delegate_cgroup(out.group.get(), wanted.owner_uid, wanted.owner_gid));
    if (!wanted.payload.empty()) {
        TRY(kernel::enable_controllers(out.group.get(), wanted.controllers));
        TRY(make_payload_group(wanted, out.group.get(), true, out));
    }
    return {};
}

}  // namespace croft::run
