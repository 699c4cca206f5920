// Rows: resource limits of getrlimit(2), one key each and one option for all.
#include <array>

#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

bool counts_bytes(string_view name) {
    for (string_view bytes : {"FSIZE", "DATA", "STACK", "CORE", "RSS", "MEMLOCK", "AS", "MSGQUEUE"})
        if (name == bytes) return true;
    return false;
}

// Bytes may have suffixes, and a limit of CPU time is in seconds or has a unit, as in systemd.exec(5).
// LimitNICE takes the kernel's 1…40 or a nice level with its sign ("+19", "-20").
Result<uint64_t> parse_one(string_view name, string_view text) {
    if (text == "infinity" || text == "unlimited" || text == "-1") return UINT64_MAX;
    std::optional<uint64_t> value = parse_uint(text);
    if (name == "NICE" && (text.starts_with('+') || text.starts_with('-'))) {
        int64_t level =
            TRY(parse_range(text.starts_with('+') ? text.substr(1) : text, -20, 19, "nice level"));
        return static_cast<uint64_t>(20 - level);
    }
    if (!value && counts_bytes(name)) value = parse_size(text);
    if (!value && (name == "CPU" || name == "RTTIME")) {
        value = parse_duration(text);
        if (value && name == "CPU") value = (*value + 999999) / 1000000;
    }
    if (value) return *value;
    return wrong_value(text, cat("is no value of the limit ", name,
                                 counts_bytes(name) ? " (512M, 2G, infinity, …)" : " (1024, infinity, …)"));
}

Result<Rlimit> parse_limit(string_view name, string_view text) {
    size_t colon = text.find(':');
    Rlimit limit;
    limit.name = name;
    limit.soft = TRY(parse_one(name, text.substr(0, colon)));
    limit.hard = colon == text.npos ? limit.soft : TRY(parse_one(name, text.substr(colon + 1)));
    if (limit.soft > limit.hard) return wrong_value(text, "has a soft limit above its hard one (SOFT:HARD)");
    return limit;
}

std::string number_text(string_view name, uint64_t value) {
    return value != UINT64_MAX && !counts_bytes(name) ? cat(value) : size_text(value);
}
std::string limit_text(const Rlimit& limit) {
    std::string soft = number_text(limit.name, limit.soft);
    return limit.soft == limit.hard ? soft : cat(soft, ":", number_text(limit.name, limit.hard));
}

Result<> store(MachineSpec& s, Rlimit limit) {
    std::erase_if(s.process.rlimits, [&](const Rlimit& old) { return old.name == limit.name; });
    s.process.rlimits.push_back(std::move(limit));
    return {};
}

Result<> set_rlimit(MachineSpec& s, string_view text) {
    size_t equals = text.find('=');
    if (equals == text.npos) return wrong_value(text, "is no NAME=SOFT[:HARD]");
    std::string name = TRY(rlimit_name(text.substr(0, equals)));
    return store(s, TRY(parse_limit(name, text.substr(equals + 1))));
}
std::vector<std::string> get_rlimits(const MachineSpec& s) {
    std::vector<std::string> out;
    for (const Rlimit& limit : s.process.rlimits) out.push_back(cat(limit.name, "=", limit_text(limit)));
    return out;
}

// One row of a key such as LimitNOFILE=; the limits differ in their name only.
struct Row {
    const char *name, *field, *key, *help, *doc, *example;
};
#define DEFAULT " Default: what the kernel gave the host's PID 1."
constexpr Row limits[] = {
    {"CPU", "limit-cpu", "LimitCPU", "CPU time of each process",
     "Seconds, or a duration with a unit. At the soft limit the process gets SIGXCPU, at the hard one "
     "SIGKILL." DEFAULT,
     "LimitCPU=60:90"},
    {"FSIZE", "limit-fsize", "LimitFSIZE", "Size of a file a process may write",
     "Bytes, suffixes K M G T allowed." DEFAULT, "LimitFSIZE=1G"},
    {"DATA", "limit-data", "LimitDATA", "Data segment of each process", "Bytes, suffixes allowed." DEFAULT,
     "LimitDATA=512M"},
    {"STACK", "limit-stack", "LimitSTACK", "Stack of each process", "Bytes, suffixes allowed." DEFAULT,
     "LimitSTACK=8M"},
    {"CORE", "limit-core", "LimitCORE", "Size of a core dump",
     "Bytes, suffixes allowed; 0 makes none." DEFAULT, "LimitCORE=0"},
    {"RSS", "limit-rss", "LimitRSS", "Resident memory of each process",
     "Bytes. Linux ignores it since 2.4.30: use MemoryMax=." DEFAULT, "LimitRSS=512M"},
    {"NOFILE", "limit-nofile", "LimitNOFILE", "Open files of each process",
     "One more than the highest number of a file descriptor." DEFAULT, "LimitNOFILE=1024:524288"},
    {"AS", "limit-as", "LimitAS", "Address space of each process", "Bytes, suffixes allowed." DEFAULT,
     "LimitAS=4G"},
    {"NPROC", "limit-nproc", "LimitNPROC", "Processes of the user",
     "Counted by user in its user namespace; TasksMax= counts the machine." DEFAULT, "LimitNPROC=4096"},
    {"MEMLOCK", "limit-memlock", "LimitMEMLOCK", "Locked memory of each process",
     "Bytes, suffixes allowed." DEFAULT, "LimitMEMLOCK=8M"},
    {"LOCKS", "limit-locks", "LimitLOCKS", "File locks", "Linux ignores it since 2.4.25." DEFAULT,
     "LimitLOCKS=100"},
    {"SIGPENDING", "limit-sigpending", "LimitSIGPENDING", "Queued signals of the user", "A count." DEFAULT,
     "LimitSIGPENDING=4096"},
    {"MSGQUEUE", "limit-msgqueue", "LimitMSGQUEUE", "POSIX message queues of the user",
     "Bytes, suffixes allowed." DEFAULT, "LimitMSGQUEUE=819200"},
    {"NICE", "limit-nice", "LimitNICE", "How far a process may raise its nice level",
     "From 1 to 40 (20 minus the nice level), or a level with its sign from -20 to +19." DEFAULT,
     "LimitNICE=-5"},
    {"RTPRIO", "limit-rtprio", "LimitRTPRIO", "Highest real-time priority", "From 0 to 99." DEFAULT,
     "LimitRTPRIO=10"},
    {"RTTIME", "limit-rttime", "LimitRTTIME", "Real-time CPU time without a blocking call",
     "Microseconds, or a duration with a unit." DEFAULT, "LimitRTTIME=200ms"},
};
#undef DEFAULT
constexpr size_t limit_count = std::size(limits);

template <size_t I>
constexpr Field limit_row() {
    return Field{.name = limits[I].field,
                 .section = "Exec",
                 .key = limits[I].key,
                 .key_of = KeyOf::nspawn,
                 .argument = "SOFT[:HARD]",
                 .offered = Offered::file_only,
                 .help = limits[I].help,
                 .doc = limits[I].doc,
                 .example = limits[I].example,
                 .set = [](MachineSpec& s, string_view text) -> Result<> {
                     return store(s, TRY(parse_limit(limits[I].name, text)));
                 },
                 .get = [](const MachineSpec& s) -> std::vector<std::string> {
                     for (const Rlimit& limit : s.process.rlimits)
                         if (limit.name == limits[I].name) return {limit_text(limit)};
                     return {};
                 },
                 .reset =
                     [](MachineSpec& s) {
                         std::erase_if(s.process.rlimits,
                                       [](const Rlimit& limit) { return limit.name == limits[I].name; });
                     }};
}

constexpr Field rlimit_row = {
    .name = "rlimit",
    .option = "--rlimit",
    .argument = "NAME=SOFT[:HARD]",
    .repeat = Repeat::adds,
    .values = "rlimit",
    .help = "A resource limit of getrlimit(2)",
    .doc =
        "NAME is one of CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE "
        "RTPRIO RTTIME; a value is a number, with a suffix K M G T where it counts bytes, or infinity. One "
        "value sets both limits. Keys: LimitNOFILE= and so on. Default: what the kernel gave the host's PID "
        "1.",
    .example = "--rlimit=NOFILE=1024:524288",
    .set = set_rlimit,
    .get = get_rlimits,
    .reset = row_reset<ROW_SLOT(process.rlimits)>};

template <size_t... I>
constexpr std::array<Field, limit_count + 1> all_rows(std::index_sequence<I...>) {
    return {rlimit_row, limit_row<I>()...};
}
constexpr auto table = all_rows(std::make_index_sequence<limit_count>());
}  // namespace

std::span<const Field> limit_rows() {
    return table;
}

}  // namespace croft::spec
