#include "manager/inspect.h"

#include "base/signals.h"
#include "base/text.h"
#include "manager/image_root.h"
#include "manager/leader.h"
#include "manager/states.h"

namespace croft::manager {
namespace {

std::optional<uint64_t> cgroup_number(const std::string& cgroup, const char* file) {
    if (cgroup.empty()) return std::nullopt;
    auto text = read_file_at(AT_FDCWD, cat(cgroup, "/", file).c_str(), 4096);
    if (!text) return std::nullopt;
    std::string_view value = trim(*text);
    if (value == "max") return UINT64_MAX;
    return parse_uint(value.substr(0, value.find_first_of(" \n")));
}

void add_limit(Details& details, const char* name, const char* used, const char* limit, const char* unit) {
    const std::string& cgroup = details.machine.record.cgroup;
    auto now = cgroup_number(cgroup, used);
    if (now) details.limits.push_back({name, *now, cgroup_number(cgroup, limit).value_or(UINT64_MAX), unit});
}

// cpu.stat has the time that was used, cpu.max "QUOTA PERIOD" or "max PERIOD".
void add_cpu(Details& details) {
    const std::string& cgroup = details.machine.record.cgroup;
    if (cgroup.empty()) return;
    auto stat = read_file_at(AT_FDCWD, (cgroup + "/cpu.stat").c_str(), 1 << 16);
    if (!stat || !stat->starts_with("usage_usec ")) return;
    std::string_view usage = std::string_view(*stat).substr(11);
    details.cpu_used = parse_uint(usage.substr(0, usage.find('\n'))).value_or(0);
    Limit limit = {"cpu", details.cpu_used, UINT64_MAX, "us"};
    if (auto max = read_file_at(AT_FDCWD, (cgroup + "/cpu.max").c_str(), 256)) {
        std::vector<std::string> words = split(trim(*max), ' ');
        auto quota = parse_uint(words[0]), period = words.size() == 2 ? parse_uint(words[1]) : std::nullopt;
        if (quota && period && *period) limit.limit = *quota * 1'000'000 / *period, limit.unit = "us/s";
    }
    details.limits.push_back(limit);
}

// mountinfo escapes space, tab, newline and backslash as \040 and the like (proc_pid_mountinfo(5)).
std::string unescape_octal(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        auto byte =
            text[i] == '\\' && i + 3 < text.size() ? parse_uint(text.substr(i + 1, 3), 8) : std::nullopt;
        out += byte ? static_cast<char>(*byte) : text[i];
        if (byte) i += 3;
    }
    return out;
}

void add_mounts(Details& details) {
    auto text = read_file_at(AT_FDCWD, cat("/proc/", details.machine.record.leader.pid, "/mountinfo").c_str(),
                             1 << 22);
    if (!text) return;
    for (const std::string& line : split(*text, '\n')) {
        std::vector<std::string> words = split(line, ' ');
        size_t dash = 6;
        while (dash < words.size() && words[dash] != "-") ++dash;
        if (words.size() < dash + 3 || words.size() < 7) continue;
        std::string_view root = words[3];
        std::string source = unescape_octal(words[dash + 2]);
        // A bind mount of a directory of that file system: both are worth showing.
        if (root != "/" && !root.starts_with("/..")) source += cat("[", unescape_octal(root), "]");
        details.mounts.push_back({unescape_octal(words[4]), std::move(source), words[dash + 1], words[5]});
    }
}

// The addresses of the leader's network namespace, from its own /proc/PID/net: fib_trie has the local IPv4
// ones as a
// "|-- ADDRESS" line followed by "/32 host LOCAL", if_inet6 the IPv6 ones as 32 hex digits.
void add_ipv4(Details& details, const std::string& proc) {
    auto text = read_file_at(AT_FDCWD, (proc + "/net/fib_trie").c_str(), 1 << 22);
    if (!text) return;
    std::string candidate;
    for (const std::string& line : split(*text, '\n')) {
        std::string_view row = trim(line);
        if (row.starts_with("|-- ")) candidate = row.substr(4);
        if (!row.starts_with("/32 host LOCAL") || candidate.starts_with("127.")) continue;
        bool known = false;
        for (const std::string& address : details.addresses) known = known || address == candidate;
        if (!known) details.addresses.push_back(candidate);
    }
}

// The long form, with the longest run of zero groups shortened (RFC 5952).
std::string ipv6_text(std::string_view digits) {
    unsigned group[8], best = 8, best_length = 1;
    for (unsigned i = 0; i < 8; ++i)
        group[i] = static_cast<unsigned>(parse_uint(digits.substr(4 * i, 4), 16).value_or(0));
    for (unsigned i = 0, run = 0; i < 8; ++i) {
        run = group[i] ? 0 : run + 1;
        if (run > best_length) best = i + 1 - run, best_length = run;
    }
    std::string out;
    for (unsigned i = 0; i < 8; ++i) {
        if (i == best) {
            out += "::";
            i += best_length - 1;
            continue;
        }
        if (!out.empty() && !out.ends_with(':')) out += ':';
        char text[8];
        auto end = std::to_chars(text, text + sizeof text, group[i], 16).ptr;
        out.append(text, static_cast<size_t>(end - text));
    }
    return out;
}

void add_ipv6(Details& details, const std::string& proc) {
    auto text = read_file_at(AT_FDCWD, (proc + "/net/if_inet6").c_str(), 1 << 20);
    if (!text) return;
    for (const std::string& line : split(*text, '\n')) {
        // Scope 0x10 is the loopback's.
        std::vector<std::string> words = split(line, ' ');
        if (words.size() >= 4 && words[0].size() == 32 && words[3] != "10")
            details.addresses.push_back(ipv6_text(words[0]));
    }
}

bool same_namespace(const std::string& proc, const char* kind) {
    struct stat a = {}, b = {};
    return stat(cat(proc, "/ns/", kind).c_str(), &a) == 0 &&
           stat(cat("/proc/self/ns/", kind).c_str(), &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

void add_network(Details& details) {
    std::string proc = cat("/proc/", details.machine.record.leader.pid);
    details.host_network = same_namespace(proc, "net");
    if (details.host_network) return;
    add_ipv4(details, proc);
    add_ipv6(details, proc);
}

// Out-of-memory kills are the commonest reason that no log shows.
std::string why_failed(const Machine& machine) {
    std::string text = launch::describe(machine.outcome);
    if (machine.state == State::lost) return "its keeper was killed, so how it ended is not known";
    if (!machine.outcome.text.empty()) text += cat(": ", machine.outcome.text);
    if (machine.record.waits_ready && !machine.ready && machine.record.boot) text += ", before it was ready";
    return text;
}

}  // namespace

Result<Details> details(const Paths& paths, std::string_view name) {
    Details out;
    out.machine = TRY(find_any(paths, name));
    if (out.machine.state == State::failed || out.machine.state == State::lost) {
        out.why = why_failed(out.machine);
        out.last_output = last_lines(paths, name, 10);
    }
    if (!out.machine.mistake.empty()) out.why = out.machine.mistake;
    out.root = root_text(paths, name);
    if (!out.machine.alive() || !is_alive(out.machine.record.leader)) return out;
    add_limit(out, "memory", "memory.current", "memory.max", "bytes");
    add_limit(out, "swap", "memory.swap.current", "memory.swap.max", "bytes");
    add_limit(out, "tasks", "pids.current", "pids.max", "tasks");
    add_cpu(out);
    out.processes = static_cast<unsigned>(count_processes(out.machine.record.cgroup));
    add_mounts(out);
    add_network(out);
    out.system_state = ask_system_state(paths, out.machine);
    if (out.system_state == "degraded" || out.system_state == "maintenance")
        out.machine.state = State::degraded;
    return out;
}

}  // namespace croft::manager
