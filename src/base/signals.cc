#include "base/signals.h"

#include <csignal>
#include <iterator>

#include "base/text.h"

namespace croft {

namespace {

struct Row {
    int number;
    const char* name;  // without SIG
};
constexpr Row rows[] = {
    {SIGHUP, "HUP"},       {SIGINT, "INT"},   {SIGQUIT, "QUIT"},   {SIGILL, "ILL"},   {SIGTRAP, "TRAP"},
    {SIGABRT, "ABRT"},     {SIGBUS, "BUS"},   {SIGFPE, "FPE"},     {SIGKILL, "KILL"}, {SIGUSR1, "USR1"},
    {SIGSEGV, "SEGV"},     {SIGUSR2, "USR2"}, {SIGPIPE, "PIPE"},   {SIGALRM, "ALRM"}, {SIGTERM, "TERM"},
    {SIGSTKFLT, "STKFLT"}, {SIGCHLD, "CHLD"}, {SIGCONT, "CONT"},   {SIGSTOP, "STOP"}, {SIGTSTP, "TSTP"},
    {SIGTTIN, "TTIN"},     {SIGTTOU, "TTOU"}, {SIGURG, "URG"},     {SIGXCPU, "XCPU"}, {SIGXFSZ, "XFSZ"},
    {SIGVTALRM, "VTALRM"}, {SIGPROF, "PROF"}, {SIGWINCH, "WINCH"}, {SIGIO, "IO"},     {SIGPWR, "PWR"},
    {SIGSYS, "SYS"},       {SIGIO, "POLL"},   {SIGABRT, "IOT"},
};
// glibc keeps the kernel's 32 and 33 for its threads.
constexpr int realtime_first = 34, realtime_last = 64;

}  // namespace

std::optional<int> signal_number(std::string_view name) {
    if (auto number = parse_int(name)) {
        if (*number < 1 || *number > realtime_last) return std::nullopt;
        return static_cast<int>(*number);
    }
    if (name.starts_with("SIG")) name.remove_prefix(3);
    for (const Row& row : rows)
        if (name == row.name) return row.number;
    bool from_first = name.starts_with("RTMIN");
    if (!from_first && !name.starts_with("RTMAX")) return std::nullopt;
    name.remove_prefix(5);
    if (name.empty()) return from_first ? realtime_first : realtime_last;
    if (name.front() != (from_first ? '+' : '-')) return std::nullopt;
    auto offset = parse_uint(name.substr(1));
    if (!offset || *offset > realtime_last - realtime_first) return std::nullopt;
    int distance = static_cast<int>(*offset);
    return from_first ? realtime_first + distance : realtime_last - distance;
}

std::string signal_name(int number) {
    for (const Row& row : rows)
        if (number == row.number) return cat("SIG", row.name);
    if (number == realtime_first) return "SIGRTMIN";
    if (number > realtime_first && number <= realtime_last) return cat("SIGRTMIN+", number - realtime_first);
    return cat("signal ", number);
}

}  // namespace croft
