#include "systemd/properties.h"

#include <algorithm>
#include <cstring>

#include "base/signals.h"
#include "base/text.h"
#include "systemd/bus.h"

namespace croft::systemd {
namespace {

using std::string_view;

enum class Form {
    text,      // s
    boolean,   // b
    signal,    // i, by name
    integer,   // i
    count,     // t: a number, or infinity
    bytes,     // t: 512M, infinity; a share of memory as NAMEScale u
    tasks,     // t: a number, infinity; a share as NAMEScale u
    time,      // t: µs, under another name (…Sec is …USec)
    cpu,       // CPUQuota=50% is CPUQuotaPerSecUSec t
    words,     // as: blank-separated, each occurrence adds
    variable,  // as: one NAME=VALUE an occurrence
    field,     // aay: one FIELD=VALUE an occurrence
    exec,      // a(sasb): one command line an occurrence; "-" in front: its failure does not count
    statuses,  // (aiai): exit statuses and signals
    unsigned32,  // u
    pids,        // au
    set,         // ay: "0-3,6" as bits
};
struct Row {
    const char* name;
    Form form;
    const char* bus_name = nullptr;  // where it is another one
};
constexpr Row rows[] = {
    {"Description", Form::text},
    {"Documentation", Form::words},
    {"After", Form::words},
    {"Before", Form::words},
    {"Requires", Form::words},
    {"Requisite", Form::words},
    {"Wants", Form::words},
    {"BindsTo", Form::words},
    {"PartOf", Form::words},
    {"Conflicts", Form::words},
    {"OnFailure", Form::words},
    {"OnSuccess", Form::words},
    {"PropagatesReloadTo", Form::words},
    {"RequiresMountsFor", Form::words},
    {"CollectMode", Form::text},
    {"StartLimitBurst", Form::unsigned32},
    {"StartLimitIntervalSec", Form::time, "StartLimitIntervalUSec"},
    {"Type", Form::text},
    {"NotifyAccess", Form::text},
    {"FileDescriptorStoreMax", Form::unsigned32},
    {"ExecStart", Form::exec},
    {"ExecStartPre", Form::exec},
    {"ExecStartPost", Form::exec},
    {"ExecStop", Form::exec},
    {"ExecStopPost", Form::exec},
    {"TimeoutStartSec", Form::time, "TimeoutStartUSec"},
    {"TimeoutStopSec", Form::time, "TimeoutStopUSec"},
    {"RuntimeMaxSec", Form::time, "RuntimeMaxUSec"},
    {"WatchdogSec", Form::time, "WatchdogUSec"},
    {"WatchdogSignal", Form::signal},
    {"Restart", Form::text},
    {"RestartSec", Form::time, "RestartUSec"},
    {"RestartForceExitStatus", Form::statuses},
    {"RestartPreventExitStatus", Form::statuses},
    {"SuccessExitStatus", Form::statuses},
    {"KillMode", Form::text},
    {"KillSignal", Form::signal},
    {"FinalKillSignal", Form::signal},
    {"SendSIGHUP", Form::boolean},
    {"SendSIGKILL", Form::boolean},
    {"RemainAfterExit", Form::boolean},
    {"OOMPolicy", Form::text},
    {"OOMScoreAdjust", Form::integer},
    {"SyslogIdentifier", Form::text},
    {"LogExtraFields", Form::field},
    {"Environment", Form::variable},
    {"Slice", Form::text},
    {"Delegate", Form::boolean},
    {"DevicePolicy", Form::text},
    {"MemoryMin", Form::bytes},
    {"MemoryLow", Form::bytes},
    {"MemoryHigh", Form::bytes},
    {"MemoryMax", Form::bytes},
    {"MemorySwapMax", Form::bytes},
    {"TasksMax", Form::tasks},
    {"CPUWeight", Form::count},
    {"IOWeight", Form::count},
    {"CPUQuota", Form::cpu, "CPUQuotaPerSecUSec"},
    {"PIDs", Form::pids},
    {"DefaultDependencies", Form::boolean},
    {"CPUAccounting", Form::boolean},
    {"MemoryAccounting", Form::boolean},
    {"IOAccounting", Form::boolean},
    {"TasksAccounting", Form::boolean},
    {"AllowedCPUs", Form::set},
    {"AllowedMemoryNodes", Form::set},
    {"CPUQuotaPeriodSec", Form::time, "CPUQuotaPeriodUSec"},
};

const Row* find_row(string_view name) {
    for (const Row& row : rows)
        if (name == row.name) return &row;
    return nullptr;
}

Error wrong(const Row& row, string_view text, string_view what) {
    return error(Errc::invalid, cat(row.name, "=", quoted(text), " is no ", what));
}

int check(int r, string_view name, Result<>& result) {
    if (r < 0 && result) result = bus_error(r, cat("sending ", name));
    return r;
}

// A share of what there is: 10% is 0.1 × 2^32.
std::optional<uint32_t> scale(string_view text) {
    if (!text.ends_with('%')) return std::nullopt;
    auto percent = parse_percent(text);
    if (!percent || *percent > 10000) return std::nullopt;
    return static_cast<uint32_t>((*percent * UINT64_C(0xffffffff) + 5000) / 10000);
}

Result<> append_number(sd_bus_message* m, const Row& row, string_view text) {
    const char* name = row.bus_name ? row.bus_name : row.name;
    uint64_t value = UINT64_MAX;
    auto take = [&](auto parsed, string_view what) -> Result<> {
        if (!parsed) return wrong(row, text, what);
        value = *parsed;
        return {};
    };
    if ((row.form == Form::bytes || row.form == Form::tasks) && scale(text)) {
        int r = sd_bus_message_append(m, "(sv)", cat(row.name, "Scale").c_str(), "u", *scale(text));
        return r < 0 ? Result<>(bus_error(r, row.name)) : Result<>();
    }
    if (text == "infinity") {
        // UINT64_MAX, as everywhere in systemd's interface.
    } else if (row.form == Form::bytes) {
        TRY(take(parse_size(text), "size"));
    } else if (row.form == Form::time) {
        TRY(take(parse_duration(text), "time span"));
    } else if (row.form == Form::cpu) {
        auto percent = parse_percent(text);
        if (!percent) return wrong(row, text, "share of CPUs (150%)");
        value = *percent * 100;  // hundredths of a percent to µs a second
    } else {
        TRY(take(parse_uint(text), "number"));
    }
    int r = sd_bus_message_append(m, "(sv)", name, "t", value);
    return r < 0 ? Result<>(bus_error(r, row.name)) : Result<>();
}

// The words of a command line as plan_unit.cc writes them: blanks separate, double quotes hold together, a backslash
// takes the next character, "$$" is a dollar.
std::vector<std::string> exec_words(string_view line) {
    std::vector<std::string> out;
    bool quoted = false, open = false;
    for (size_t i = 0; i < line.size(); ++i) {
        char c = line[i];
        if (!quoted && (c == ' ' || c == '\t')) {
            open = false;
            continue;
        }
        if (!open) out.emplace_back(), open = true;
        if (c == '"')
            quoted = !quoted;
        else if ((c == '\\' || c == '$') && i + 1 < line.size())
            out.back() += line[++i];
        else
            out.back() += c;
    }
    return out;
}

Result<> append_exec(sd_bus_message* m, string_view line) {
    bool ignore = line.starts_with('-');
    std::vector<std::string> words = exec_words(line.substr(ignore));
    if (words.empty()) return error(Errc::invalid, "a command line of the unit is empty");
    Result<> result;
    check(sd_bus_message_open_container(m, 'r', "sasb"), "a command", result);
    check(sd_bus_message_append(m, "s", words[0].c_str()), "a command", result);
    check(sd_bus_message_open_container(m, 'a', "s"), "a command", result);
    for (const std::string& word : words) check(sd_bus_message_append(m, "s", word.c_str()), "a command", result);
    check(sd_bus_message_close_container(m), "a command", result);
    check(sd_bus_message_append(m, "b", static_cast<int>(ignore)), "a command", result);
    check(sd_bus_message_close_container(m), "a command", result);
    return result;
}

Result<int> signal_of(const Row& row, string_view text) {
    if (auto number = signal_number(text)) return *number;
    return wrong(row, text, "signal");
}

Result<> append_statuses(sd_bus_message* m, const Row& row, string_view text) {
    std::vector<int> statuses, signals;
    for (const std::string& word : split(text, ' ')) {
        if (word.empty()) continue;
        if (auto number = parse_uint(word); number && *number < 256)
            statuses.push_back(static_cast<int>(*number));
        else
            signals.push_back(TRY(signal_of(row, word)));
    }
    Result<> result;
    check(sd_bus_message_open_container(m, 'r', "aiai"), row.name, result);
    check(sd_bus_message_append_array(m, 'i', statuses.data(), statuses.size() * sizeof(int)), row.name, result);
    check(sd_bus_message_append_array(m, 'i', signals.data(), signals.size() * sizeof(int)), row.name, result);
    check(sd_bus_message_close_container(m), row.name, result);
    return result;
}

// All occurrences of one list as a single value.
Result<> append_list(sd_bus_message* m, const Row& row, const std::vector<string_view>& texts) {
    const char* element = row.form == Form::exec ? "(sasb)" : row.form == Form::field ? "ay" : "s";
    Result<> result;
    check(sd_bus_message_open_container(m, 'r', "sv"), row.name, result);
    check(sd_bus_message_append(m, "s", row.name), row.name, result);
    check(sd_bus_message_open_container(m, 'v', cat("a", element).c_str()), row.name, result);
    check(sd_bus_message_open_container(m, 'a', element), row.name, result);
    for (string_view text : texts) {
        if (row.form == Form::exec)
            TRY(append_exec(m, text));
        else if (row.form == Form::field)
            check(sd_bus_message_append_array(m, 'y', text.data(), text.size()), row.name, result);
        else if (row.form == Form::variable)
            check(sd_bus_message_append(m, "s", std::string(text).c_str()), row.name, result);
        else
            for (const std::string& word : split(text, ' '))
                if (!word.empty()) check(sd_bus_message_append(m, "s", word.c_str()), row.name, result);
    }
    for (int i = 0; i < 3; ++i) check(sd_bus_message_close_container(m), row.name, result);
    return result;
}

Result<> append_array(sd_bus_message* m, const Row& row, char type, const void* values, size_t size) {
    const char contents[] = {'a', type, 0};
    Result<> result;
    check(sd_bus_message_open_container(m, 'r', "sv"), row.name, result);
    check(sd_bus_message_append(m, "s", row.name), row.name, result);
    check(sd_bus_message_open_container(m, 'v', contents), row.name, result);
    check(sd_bus_message_append_array(m, type, values, size), row.name, result);
    for (int i = 0; i < 2; ++i) check(sd_bus_message_close_container(m), row.name, result);
    return result;
}

// The nth bit of the set is the nth CPU.
Result<> append_set(sd_bus_message* m, const Row& row, string_view text) {
    std::vector<uint8_t> bits;
    for (const std::string& range : split(text, ',')) {
        size_t dash = range.find('-');
        auto first = parse_uint(range.substr(0, dash));
        auto last = dash == range.npos ? first : parse_uint(range.substr(dash + 1));
        if (!first || !last || *first > *last || *last > 8191) return wrong(row, text, "list of numbers (0-3,6)");
        bits.resize(std::max<size_t>(bits.size(), *last / 8 + 1));
        for (uint64_t n = *first; n <= *last; ++n) bits[n / 8] |= static_cast<uint8_t>(1 << n % 8);
    }
    return append_array(m, row, 'y', bits.data(), bits.size());
}

Result<> append_pids(sd_bus_message* m, const Row& row, string_view text) {
    std::vector<uint32_t> pids;
    for (const std::string& word : split(text, ' ')) {
        auto pid = parse_uint(word);
        if (!pid || !*pid || *pid > INT32_MAX) return wrong(row, text, "list of processes");
        pids.push_back(static_cast<uint32_t>(*pid));
    }
    return append_array(m, row, 'u', pids.data(), pids.size() * sizeof pids[0]);
}

Result<> append_one(sd_bus_message* m, const Row& row, string_view text) {
    std::string value(text);
    int r = 0;
    switch (row.form) {
        case Form::text: r = sd_bus_message_append(m, "(sv)", row.name, "s", value.c_str()); break;
        case Form::boolean: {
            auto yes = parse_bool(text);
            if (!yes) return wrong(row, text, "yes or no");
            r = sd_bus_message_append(m, "(sv)", row.name, "b", static_cast<int>(*yes));
            break;
        }
        case Form::signal: {
            int number = TRY(signal_of(row, text));
            r = sd_bus_message_append(m, "(sv)", row.name, "i", number);
            break;
        }
        case Form::integer: {
            auto number = parse_int(text);
            if (!number) return wrong(row, text, "number");
            r = sd_bus_message_append(m, "(sv)", row.name, "i", static_cast<int>(*number));
            break;
        }
        case Form::unsigned32: {
            auto number = parse_uint(text);
            if (!number || *number > UINT32_MAX) return wrong(row, text, "number");
            r = sd_bus_message_append(m, "(sv)", row.name, "u", static_cast<uint32_t>(*number));
            break;
        }
        case Form::statuses: {
            Result<> result;
            check(sd_bus_message_open_container(m, 'r', "sv"), row.name, result);
            check(sd_bus_message_append(m, "s", row.name), row.name, result);
            check(sd_bus_message_open_container(m, 'v', "(aiai)"), row.name, result);
            TRY(append_statuses(m, row, text));
            for (int i = 0; i < 2; ++i) check(sd_bus_message_close_container(m), row.name, result);
            return result;
        }
        case Form::pids: return append_pids(m, row, text);
        case Form::set: return append_set(m, row, text);
        default: return append_number(m, row, text);
    }
    return r < 0 ? Result<>(bus_error(r, row.name)) : Result<>();
}

bool is_list(Form form) {
    return form == Form::words || form == Form::variable || form == Form::field || form == Form::exec;
}

}  // namespace

bool all_known(const Settings& settings) {
    return std::ranges::all_of(settings, [](const auto& s) {
        const Row* row = find_row(s.first);
        // An empty value resets a list, which is a matter of unit files.
        return row && (!s.second.empty() || row->form == Form::text);
    });
}

Result<> append_settings(sd_bus_message* message, const Settings& settings) {
    for (size_t i = 0; i < settings.size(); ++i) {
        const Row* row = find_row(settings[i].first);
        if (!row) return error(Errc::failed, cat(settings[i].first, "= is not known here"));
        if (!is_list(row->form)) {
            TRY(append_one(message, *row, settings[i].second));
            continue;
        }
        auto same = [&](const auto& s) { return s.first == settings[i].first; };
        if (std::any_of(settings.begin(), settings.begin() + static_cast<ptrdiff_t>(i), same)) continue;
        std::vector<string_view> texts;
        for (const auto& [name, value] : settings)
            if (name == settings[i].first) texts.push_back(value);
        TRY(append_list(message, *row, texts));
    }
    return {};
}

}  // namespace croft::systemd
