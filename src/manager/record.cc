#include "manager/record.h"

#include <unistd.h>

#include <limits>

#include "base/fd.h"
#include "base/names.h"
#include "base/text.h"

namespace croft::manager {
namespace {

// Values are one line: control characters and the backslash become \xNN.
std::string escape(std::string_view value) {
    std::string out;
    for (char c : value) {
        auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f && c != '\\')
            out += c;
        else
            out += cat("\\x", hex({&c, 1}));
    }
    return out;
}

std::optional<std::string> unescape(std::string_view value) {
    std::string out;
    while (!value.empty()) {
        if (value[0] != '\\') {
            out += value[0];
            value.remove_prefix(1);
            continue;
        }
        auto byte = value.size() >= 4 && value[1] == 'x' ? parse_uint(value.substr(2, 2), 16) : std::nullopt;
        if (!byte) return std::nullopt;
        out += static_cast<char>(*byte);
        value.remove_prefix(4);
    }
    return out;
}

std::string process_text(const ProcessId& process) {
    return cat(process.pid, " ", process.start);
}

bool parse_process(std::string_view text, ProcessId& process) {
    size_t space = text.find(' ');
    if (space == text.npos) return false;
    auto pid = parse_uint(text.substr(0, space)), start = parse_uint(text.substr(space + 1));
    // pid 1 and below are never ours to signal, whatever a damaged record says.
    if (!pid || !start || *pid > 1u << 22 || *pid == 1) return false;
    process = {static_cast<int>(*pid), *start};
    return true;
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
    auto value = parse_uint(text);
    if (!value || *value > static_cast<uint64_t>(std::numeric_limits<Number>::max())) return false;
    number = static_cast<Number>(*value);
    return true;
}

bool parse_flag(std::string_view text, bool& flag) {
    if (text != "yes" && text != "no") return false;
    flag = text == "yes";
    return true;
}

// A path that came from us has no dots to climb with.
bool parse_path(std::string value, std::string& path) {
    if (!value.starts_with('/') || cat(value, "/").find("/../") != std::string::npos) return false;
    path = std::move(value);
    return true;
}

bool append_path(std::string value, std::vector<std::string>& paths) {
    return parse_path(std::move(value), paths.emplace_back());
}

bool append_device(std::string_view value, std::vector<DiskDevice>& devices) {
    auto device = parse_disk_device(value);
    if (device) devices.push_back(std::move(*device));
    return bool(device);
}

bool take(Record& r, std::string_view key, std::string value) {
    if (key == "name") return check_machine_name(value) ? (r.name = std::move(value), true) : false;
    if (key == "mode") return value == "boot" || value == "app" ? (r.boot = value == "boot", true) : false;
    if (key == "detached") return parse_flag(value, r.detached);
    if (key == "remove") return parse_flag(value, r.remove);
    if (key == "terminal") return parse_flag(value, r.terminal);
    if (key == "waits-ready") return parse_flag(value, r.waits_ready);
    if (key == "prepared") return parse_flag(value, r.prepared);
    if (key == "stop-signal") return parse_number(value, r.stop_signal) && r.stop_signal <= 64;
    if (key == "stop-timeout") return parse_number(value, r.stop_timeout);
    if (key == "init") return r.init_kind = std::move(value), true;
    if (key == "leader") return parse_process(value, r.leader);
    if (key == "keeper") return parse_process(value, r.keeper);
    if (key == "created") return parse_number(value, r.created);
    if (key == "started") return parse_number(value, r.started);
    if (key == "restarts") return parse_number(value, r.restarts);
    if (key == "tree") return parse_path(std::move(value), r.tree);
    if (key == "tree-read-only") return parse_flag(value, r.tree_read_only);
    if (key == "id-base") return parse_number(value, r.id_base.emplace());
    if (key == "id-count") return parse_number(value, r.id_count);
    if (key == "ids-picked") return parse_flag(value, r.ids_picked);
    if (key == "cgroup") return parse_path(std::move(value), r.cgroup);
    if (key == "unit") return r.unit = std::move(value), true;
    if (key == "invocation") return r.invocation = std::move(value), true;
    if (key == "remove-tree") return append_path(std::move(value), r.remove_trees);
    if (key == "lock") return append_path(std::move(value), r.locks);
    if (key == "disk-device") return append_device(value, r.devices);
    if (key == "argument") return r.command.push_back(std::move(value)), true;
    return true;  // of a newer croft
}

}  // namespace

std::string to_text(const Record& r) {
    std::string out;
    auto line = [&](std::string_view key, std::string_view value) {
        out += cat(key, "=", escape(value), "\n");
    };
    auto flag = [&](std::string_view key, bool value) { line(key, value ? "yes" : "no"); };
    line("name", r.name);
    line("mode", r.boot ? "boot" : "app");
    flag("detached", r.detached);
    flag("remove", r.remove);
    flag("terminal", r.terminal);
    flag("waits-ready", r.waits_ready);
    if (r.prepared) flag("prepared", true);
    line("stop-signal", cat(r.stop_signal));
    line("stop-timeout", cat(r.stop_timeout));
    if (!r.init_kind.empty()) line("init", r.init_kind);
    if (r.leader.pid) line("leader", process_text(r.leader));
    if (r.keeper.pid) line("keeper", process_text(r.keeper));
    line("created", cat(r.created));
    line("started", cat(r.started));
    line("restarts", cat(r.restarts));
    if (!r.tree.empty()) line("tree", r.tree);
    flag("tree-read-only", r.tree_read_only);
    if (r.id_base) line("id-base", cat(*r.id_base));
    line("id-count", cat(r.id_count));
    if (r.ids_picked) flag("ids-picked", true);
    if (!r.cgroup.empty()) line("cgroup", r.cgroup);
    if (!r.unit.empty()) line("unit", r.unit);
    if (!r.invocation.empty()) line("invocation", r.invocation);
    for (const std::string& path : r.remove_trees) line("remove-tree", path);
    for (const std::string& path : r.locks) line("lock", path);
    for (const DiskDevice& device : r.devices) line("disk-device", to_text(device));
    for (const std::string& argument : r.command) line("argument", argument);
    return out;
}

Result<Record> parse_record(std::string_view text) {
    Record record;
    for (unsigned number = 1; !text.empty(); ++number) {
        size_t end = text.find('\n');
        if (end == text.npos) return error(Errc::invalid, cat("line ", number, " of the record has no end"));
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        size_t equals = line.find('=');
        auto value = equals == line.npos ? std::nullopt : unescape(line.substr(equals + 1));
        if (!value || !take(record, line.substr(0, equals), std::move(*value)))
            return error(Errc::invalid, cat("line ", number, " of the record is wrong: ", quoted(line)));
    }
    if (record.name.empty()) return error(Errc::invalid, "the record has no name");
    return record;
}

namespace {
struct ProcessStat {
    char state = 0;
    uint64_t start = 0;
};

std::optional<ProcessStat> process_stat(int pid) {
    char text[1024];
    int fd = open(cat("/proc/", pid, "/stat").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    if (n <= 0) return std::nullopt;
    // The command's name is in parentheses and may hold spaces and parentheses itself; field 3 follows the
    // last one.
    std::string_view rest(text, static_cast<size_t>(n));
    size_t close_parenthesis = rest.rfind(')');
    if (close_parenthesis == rest.npos) return std::nullopt;
    rest.remove_prefix(close_parenthesis + 1);
    ProcessStat out;
    for (int field = 3; field <= 22; ++field) {
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        std::string_view word = rest.substr(0, rest.find(' '));
        if (field == 3 && !word.empty()) out.state = word[0];
        if (field == 22) {
            auto start = parse_uint(word);
            if (!start) return std::nullopt;
            out.start = *start;
        }
        rest.remove_prefix(std::min(rest.find(' '), rest.size()));
    }
    return out;
}
}  // namespace

std::optional<uint64_t> process_start(int pid) {
    auto stat = process_stat(pid);
    return stat ? std::optional(stat->start) : std::nullopt;
}

bool is_alive(const ProcessId& process) {
    return process.pid > 1 && process_start(process.pid) == process.start;
}

bool is_running(const ProcessId& process) {
    auto stat = process.pid > 1 ? process_stat(process.pid) : std::nullopt;
    return stat && stat->start == process.start && stat->state != 'Z' && stat->state != 'X';
}

}  // namespace croft::manager
