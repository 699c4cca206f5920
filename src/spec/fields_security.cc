// Rows: capabilities and system calls.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

Result<std::string> parse_ambient(string_view text) {
    std::string name = TRY(capability_name(text));
    if (name == "all") return wrong_value(text, "is not for ambient capabilities: name each");
    return name;
}
using Ambient = String<parse_ambient>;

// What is added last is there, what is dropped last is not: the two lists never hold the same name.
template <auto Into, auto From>
Result<> move_capabilities(MachineSpec& s, string_view text) {
    std::vector<std::string> parts = split_list(text);
    if (parts.empty()) return wrong_value(text, "holds no capability");
    for (const std::string& part : parts) {
        std::string name = TRY(capability_name(part));
        std::erase(s.security.*From, name);
        add_once(s.security.*Into, std::move(name));
    }
    return {};
}

// System calls are lower case words; groups start with '@'. Whether one exists is for the filter's compiler
// to say, which knows this architecture.
Result<std::string> parse_syscall(string_view text) {
    string_view bare = text.starts_with('@') ? text.substr(1) : text;
    bool good =
        !bare.empty() && bare.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == bare.npos;
    if (good) return std::string(text);
    return wrong_value(text, "is no system call or group (mount, @clock, …)");
}

Result<> set_syscall_filter(MachineSpec& s, string_view text) {
    bool deny = text.starts_with('~');
    std::vector<std::string> names = split_list(deny ? text.substr(1) : text);
    if (names.empty()) return wrong_value(text, "names no system call");
    auto& list = deny ? s.security.syscalls_deny : s.security.syscalls_allow;
    auto& other = deny ? s.security.syscalls_allow : s.security.syscalls_deny;
    for (const std::string& name : names) {
        std::string call = TRY(parse_syscall(name));
        // systemd-nspawn(1): a denied call stays denied, whatever allows it.
        if (deny) std::erase(other, call);
        if (deny || std::ranges::find(other, call) == other.end()) add_once(list, std::move(call));
    }
    return {};
}
std::vector<std::string> get_syscall_filter(const MachineSpec& s) {
    std::vector<std::string> out;
    if (!s.security.syscalls_allow.empty()) out.push_back(join(s.security.syscalls_allow, " "));
    if (!s.security.syscalls_deny.empty()) out.push_back(cat("~", join(s.security.syscalls_deny, " ")));
    return out;
}
void reset_syscall_filter(MachineSpec& s) {
    s.security.syscalls_allow.clear();
    s.security.syscalls_deny.clear();
}

// "none" forbids every family: an allow list that holds nothing, kept as the word itself.
Result<> set_families(MachineSpec& s, string_view text) {
    bool deny = text.starts_with('~');
    std::vector<std::string> families;
    for (const std::string& name : split_list(deny ? text.substr(1) : text))
        families.push_back(name == "none" && !deny ? name : TRY(address_family_name(name)));
    if (families.empty()) return wrong_value(text, "names no address family");
    if (families.size() > 1 && std::ranges::find(families, "none") != families.end())
        return wrong_value(text, "mixes none with address families");
    bool join_list = deny == s.security.address_families_deny && families[0] != "none" &&
                     s.security.address_families != std::vector<std::string>{"none"};
    if (!join_list) s.security.address_families.clear();
    for (std::string& name : families) add_once(s.security.address_families, std::move(name));
    s.security.address_families_deny = deny;
    return {};
}
std::vector<std::string> get_families(const MachineSpec& s) {
    if (s.security.address_families.empty()) return {};
    return {cat(s.security.address_families_deny ? "~" : "", join(s.security.address_families, " "))};
}
void reset_families(MachineSpec& s) {
    s.security.address_families.clear();
    s.security.address_families_deny = false;
}

Result<> set_seccomp(MachineSpec& s, string_view text) {
    std::string path = text == "off" ? "" : TRY(parse_host_path(text));
    s.security.seccomp_off = text == "off";
    s.security.seccomp_path = std::move(path);
    s.security.seccomp.reset();
    return {};
}
std::vector<std::string> get_seccomp(const MachineSpec& s) {
    if (s.security.seccomp_off) return {"off"};
    if (s.security.seccomp_path.empty()) return {};
    return {s.security.seccomp_path};
}
void reset_seccomp(MachineSpec& s) {
    s.security.seccomp_off = false;
    s.security.seccomp_path.clear();
    s.security.seccomp.reset();
}

const Field table[] = {
    {.name = "cap-add",
     .option = "--cap-add",
     .aliases = "--capability",
     .section = "Exec",
     .key = "Capability",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "CAP,…",
     .repeat = Repeat::adds,
     .values = "capability",
     .help = "Capabilities the payload may hold besides the default ones",
     .doc = "Names of capabilities(7) with or without CAP_, in any case, or all. Default set: for an app "
            "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP "
            "AUDIT_WRITE MKNOD NET_RAW, for a booted machine what systemd-nspawn(1) grants. With private "
            "users they hold only for what the machine owns.",
     .example = "--cap-add=SYS_TIME",
     .set = move_capabilities<&Security::cap_add, &Security::cap_drop>,
     .get = row_get_list<Capability, ROW_SLOT(security.cap_add)>,
     .reset = row_reset<ROW_SLOT(security.cap_add)>},
    {.name = "cap-drop",
     .option = "--cap-drop",
     .aliases = "--drop-capability",
     .section = "Exec",
     .key = "DropCapability",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "CAP,…",
     .repeat = Repeat::adds,
     .trust = Trust::anyone,
     .values = "capability",
     .help = "Capabilities the payload may never hold",
     .doc = "Names as for --cap-add, or all, taken from the default set; 'all' with --cap-add of a few "
            "leaves those few. Default: none.",
     .example = "--cap-drop=all",
     .set = move_capabilities<&Security::cap_drop, &Security::cap_add>,
     .get = row_get_list<Capability, ROW_SLOT(security.cap_drop)>,
     .reset = row_reset<ROW_SLOT(security.cap_drop)>},
    {.name = "ambient-capability",
     .option = "--ambient-capability",
     .section = "Exec",
     .key = "AmbientCapability",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "CAP,…",
     .repeat = Repeat::adds,
     .offered = Offered::run,
     .values = "capability",
     .help = "Capabilities a command without root keeps",
     .doc = "Given to the command's process as ambient capabilities, so that a user other than root holds "
            "them. Not for a booted machine. Default: none.",
     .example = "--ambient-capability=NET_BIND_SERVICE",
     ROW_LIST(Ambient, security.cap_ambient)},
    {.name = "no-new-privileges",
     .option = "--no-new-privileges",
     .section = "Exec",
     .key = "NoNewPrivileges",
     .key_of = KeyOf::nspawn,
     .trust = Trust::anyone,
     .values = "yes|no",
     .help = "No program inside gains privileges by being executed",
     .doc = "Sets no_new_privs (prctl(2)): set-user-ID programs and file capabilities have no effect. "
            "Default: yes for an app that runs as a user other than root, no otherwise.",
     .example = "--no-new-privileges",
     ROW_VALUE(Bool, security.no_new_privileges)},
    {.name = "syscall-filter",
     .option = "--syscall-filter",
     .aliases = "--system-call-filter",
     .section = "Exec",
     .key = "SystemCallFilter",
     .key_of = KeyOf::nspawn,
     .argument = "[~]CALL,…",
     .repeat = Repeat::adds,
     .trust = Trust::deny_only,
     .values = "syscall",
     .help = "System calls to allow or, with '~', to refuse",
     .doc = "Names of system calls and of groups with '@', joined by commas or blanks, on top of croft's own "
            "allow list. A refused call fails with EPERM and stays refused whatever allows it. Default: "
            "croft's list.",
     .example = "--syscall-filter=~@keyring",
     .set = set_syscall_filter,
     .get = get_syscall_filter,
     .reset = reset_syscall_filter},
    {.name = "restrict-address-families",
     .option = "--restrict-address-families",
     .section = "Exec",
     .key = "RestrictAddressFamilies",
     .key_of = KeyOf::nspawn,
     .argument = "[~]FAMILY,…",
     .repeat = Repeat::adds,
     .trust = Trust::anyone,
     .values = "address-family",
     .help = "Address families socket(2) may use",
     .doc = "Names of address_families(7) to allow, with '~' to refuse, or none for no sockets at all. A "
            "refused one fails with EAFNOSUPPORT. Default: all.",
     .example = "--restrict-address-families=UNIX,INET,INET6",
     .set = set_families,
     .get = get_families,
     .reset = reset_families},
    {.name = "seccomp",
     .option = "--seccomp",
     .section = "Exec",
     .key = "SeccompProfile",
     .argument = "FILE|off",
     .host_path = HostPath::whole,
     .values = "path",
     .help = "A system call filter from a file, in place of croft's",
     .doc = "A profile in JSON: runtime-spec's linux.seccomp, or Docker's and podman's form with archMap, "
            "includes and excludes. off: no filter at all. Not together with --syscall-filter. Default: "
            "croft's own allow list.",
     .example = "--seccomp=/etc/croft/seccomp.json",
     .set = set_seccomp,
     .get = get_seccomp,
     .reset = reset_seccomp},
    {.name = "suppress-sync",
     .option = "--suppress-sync",
     .section = "Exec",
     .key = "SuppressSync",
     .key_of = KeyOf::nspawn,
     .trust = Trust::anyone,
     .values = "yes|no",
     .help = "Make sync(2) and its kin do nothing",
     .doc = "sync, fsync, fdatasync, syncfs, msync and sync_file_range succeed at once, O_SYNC is refused: "
            "for builds and tests whose data may be lost. Default: no.",
     .example = "--suppress-sync",
     ROW_VALUE(Bool, security.suppress_sync)},
};
}  // namespace

std::span<const Field> security_rows() {
    return table;
}

}  // namespace croft::spec
