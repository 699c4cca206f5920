#include "spec/sysctls.h"

#include <initializer_list>

namespace croft::spec {

// The list is the kernel's: ipc/ipc_sysctl.c, ipc/mq_sysctl.c, kernel/ucount.c, and net.* as a whole, where what belongs
// to the host is read-only in others.
SysctlScope sysctl_scope(std::string_view name) {
    if (name.starts_with("net.")) return SysctlScope::network;
    for (std::string_view prefix : {"fs.mqueue.", "kernel.shm", "kernel.msg"})
        if (name.starts_with(prefix)) return SysctlScope::ipc;
    for (std::string_view whole : {"kernel.sem", "kernel.auto_msgmni", "kernel.sem_next_id"})
        if (name == whole) return SysctlScope::ipc;
    if (name == "kernel.hostname" || name == "kernel.domainname") return SysctlScope::uts;
    if (name.starts_with("user.max_") || name == "kernel.ns_last_pid") return SysctlScope::other;
    return SysctlScope::host;
}

}  // namespace croft::spec
