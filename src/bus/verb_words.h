// What the objects' methods have in common: each is a verb of the command line, with its name as a constant
// that a template can be made from. Called by manager_object.cc and machine_object.cc.
#pragma once

#include <string>

#include "bus/requests.h"

namespace croft::bus {

namespace verb_word {
inline constexpr const char* run = "run";
inline constexpr const char* boot = "boot";
inline constexpr const char* exec = "exec";
inline constexpr const char* start = "start";
inline constexpr const char* set = "set";
inline constexpr const char* unset = "unset";
inline constexpr const char* stop = "stop";
inline constexpr const char* poweroff = "poweroff";
inline constexpr const char* reboot = "reboot";
inline constexpr const char* kill = "kill";
inline constexpr const char* pause = "pause";
inline constexpr const char* resume = "resume";
inline constexpr const char* rm = "rm";
}  // namespace verb_word

// (a{sv} options) that follow: `croft VERB OPTIONS -- OPERAND`.
Result<Asked> read_verb(sd_bus_message* call, const char* verb, const std::string& operand);
// The same with a new terminal as its streams.
Result<Asked> read_terminal(sd_bus_message* call, const char* verb, const std::string& operand);
// (as command, a{sv} options, ah streams) that follow the operand.
Result<Asked> read_program(sd_bus_message* call, const char* verb, const std::string& operand);
// A machine file's text as standard input of `croft edit --file=-`.
Result<Asked> read_define(const std::string& name, std::string_view text);
// (ah streams): none or three.
Result<> read_streams(sd_bus_message* call, Asked& asked);

}  // namespace croft::bus
