// What the objects' methods have in common: each is a verb of the command line, with its name as a constant
// that a template can be made from. Called by the files of the objects.
#pragma once

#include <string>

#include "bus/requests.h"

namespace croft::bus {

// Every method that is a verb has this flag: the gate and polkit decide, not sd-bus.
inline constexpr uint64_t all_may = SD_BUS_VTABLE_UNPRIVILEGED;

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
inline constexpr const char* clone = "clone";
inline constexpr const char* snapshot = "snapshot";
inline constexpr const char* restore = "restore";
inline constexpr const char* rebuild = "rebuild";
inline constexpr const char* image_copy = "image copy";
inline constexpr const char* image_prune = "image prune";
inline constexpr const char* image_pull = "image pull";
inline constexpr const char* image_push = "image push";
inline constexpr const char* image_rename = "image rename";
inline constexpr const char* image_rm = "image rm";
inline constexpr const char* image_tag = "image tag";
inline constexpr const char* image_verify = "image verify";
}  // namespace verb_word

// (a{sv} options) that follow: `croft VERB OPTIONS -- OPERAND`.
Result<Asked> read_verb(sd_bus_message* call, const char* verb, const std::string& operand);
// (a{sv} options) of a verb without an operand.
Result<Asked> read_verb(sd_bus_message* call, const char* verb);
// (s word, a{sv} options) that follow: `croft VERB OPTIONS -- OPERAND WORD`.
Result<Asked> read_verb_and_word(sd_bus_message* call, const char* verb, const std::string& operand);
// (h archive, s name, a{sv} options): the archive is standard input of `croft image import - NAME`.
Result<Asked> read_import(sd_bus_message* call);
// (h archive, a{sv} options) that follow the image: the archive is standard output of `croft image export`.
Result<Asked> read_export(sd_bus_message* call, const std::string& image);
// The same with a new terminal as its streams.
Result<Asked> read_terminal(sd_bus_message* call, const char* verb, const std::string& operand);
// (as command, a{sv} options, ah streams) that follow the operand.
Result<Asked> read_program(sd_bus_message* call, const char* verb, const std::string& operand);
// A machine file's text as standard input of `croft edit --file=-`.
Result<Asked> read_define(const std::string& name, std::string_view text);
// (ah streams): none or three.
Result<> read_streams(sd_bus_message* call, Asked& asked);

}  // namespace croft::bus
