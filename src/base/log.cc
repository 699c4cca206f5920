#include "base/log.h"

#include <unistd.h>

#include "base/text.h"

namespace croft {

namespace {
std::string program_name = "croft";
LogLevel shown_level = LogLevel::info;
LogSink log_sink = nullptr;
}  // namespace

void set_log(std::string_view program, LogLevel shown) {
    program_name = program;
    shown_level = shown;
}

LogLevel log_level() { return shown_level; }

void set_log_sink(LogSink sink) { log_sink = sink; }

void log(LogLevel level, std::string_view text) {
    if (level > shown_level) return;
    if (log_sink) return log_sink(level, text);
    std::string_view mark = level == LogLevel::warning ? "warning: " : "";
    std::string line = cat(program_name, ": ", mark, text, "\n");
    // One write, so that lines of several programs do not mix; nobody can be told when it fails.
    [[maybe_unused]] ssize_t ignored = write(2, line.data(), line.size());
}

}  // namespace croft
