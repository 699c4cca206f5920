#include "oci/messages.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "format/json_writer.h"

namespace croft::oci {

namespace {
int log_file = -1;
bool log_json = false;
// Where this program's own lines begin and end (-1: the file is none that can be cut), and what they say.
off_t log_begin = -1, log_end = -1;
std::vector<std::pair<LogLevel, std::string>> told;

// RFC 3339, in UTC.
std::string now() {
    timespec time = {};
    clock_gettime(CLOCK_REALTIME, &time);
    tm parts = {};
    gmtime_r(&time.tv_sec, &parts);
    char text[40];
    text[strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)] = 0;
    return text;
}

const char* word(LogLevel level) {
    constexpr const char* words[] = {"error", "warning", "info", "debug"};
    return words[static_cast<size_t>(level)];
}

void write_line(LogLevel level, std::string_view text) {
    std::string line;
    if (log_json) {
        format::JsonWriter json(format::JsonStyle::compact);
        json.begin_object().member("level", word(level)).member("msg", text).member("time", now()).end_object();
        line = json.take() + "\n";
    } else {
        line = cat("time=\"", now(), "\" level=", word(level), " msg=", format::json_quoted(text), "\n");
    }
    // Nobody can be told when it fails.
    (void)!write(log_file, line.data(), line.size());
    log_end += static_cast<off_t>(line.size());
}

void note_line(LogLevel level, std::string_view text) {
    write_line(level, text);
    told.emplace_back(level, text);
}

// podman's conmon reads the whole file as one JSON object and tells by its message what kind of error it is: with a warning
// in front it understands nothing. So an error stands there alone, and the warnings go where it goes as well. Lines of
// others are left.
void take_warnings_back() {
    struct stat st = {};
    if (!log_json || told.empty() || log_begin < 0 || fstat(log_file, &st) < 0 || st.st_size != log_end) return;
    if (ftruncate(log_file, log_begin) < 0) return;
    set_log_sink(nullptr);
    for (const auto& [level, text] : told) log(level, text);
}
}  // namespace

Result<> open_log(const std::string& path, const std::string& format) {
    if (format != "text" && format != "json")
        return error(Errc::usage, cat("--log-format: ", quoted(format), " is neither text nor json"));
    log_json = format == "json";
    if (path.empty()) return {};
    log_file = TRY(open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0644).within("--log")).release();
    struct stat st = {};
    if (fstat(log_file, &st) == 0 && S_ISREG(st.st_mode)) log_begin = log_end = st.st_size;
    set_log_sink(note_line);
    return {};
}

void tell_error(const Error& error) {
    if (log_file >= 0) {
        take_warnings_back();
        write_line(LogLevel::error, error.text);
        set_log_sink(nullptr);
    }
    log(LogLevel::error, error.text);
}

}  // namespace croft::oci
