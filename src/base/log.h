// Messages for people on standard error. Errors are printed once, by the top; everything below returns Results.
#pragma once

#include <string_view>

namespace croft {

enum class LogLevel { error, warning, info, debug };
// The program's name in front of every line ("croft"), and the least important level that is shown.
void set_log(std::string_view program, LogLevel shown);
LogLevel log_level();
// Takes the lines instead of standard error; null gives them back.
using LogSink = void (*)(LogLevel level, std::string_view text);
void set_log_sink(LogSink sink);
void log(LogLevel level, std::string_view text);
inline void warn(std::string_view text) { log(LogLevel::warning, text); }
inline void info(std::string_view text) { log(LogLevel::info, text); }
inline void debug(std::string_view text) { log(LogLevel::debug, text); }

}  // namespace croft
