#include "oci/command_line.h"

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "manager/supervisor.h"
#include "oci/arguments.h"
#include "oci/container.h"
#include "oci/help.h"
#include "oci/manual.h"
#include "oci/messages.h"
#include "oci/output.h"

namespace croft::oci {

namespace {
Result<LogLevel> level_of(const std::string& word) {
    constexpr std::pair<const char*, LogLevel> words[] = {
        {"error", LogLevel::error},  {"fatal", LogLevel::error}, {"panic", LogLevel::error},
        {"warning", LogLevel::warning}, {"warn", LogLevel::warning}, {"info", LogLevel::info},
        {"debug", LogLevel::debug}, {"trace", LogLevel::debug}};
    for (const auto& [name, level] : words)
        if (lower(word) == name) return level;
    return error(Errc::usage, cat("--log-level: ", quoted(word), " is none of error, warning, info, debug"));
}

Result<> apply(Global& global) {
    LogLevel level = TRY(level_of(global.flags.text("--log-level", "info")));
    set_log("croft-oci", global.flags.has("--debug") ? LogLevel::debug : level);
    TRY(open_log(global.flags.text("--log"), global.flags.text("--log-format", "text")));
    std::string manager = global.flags.text("--cgroup-manager", "cgroupfs");
    if (manager != "cgroupfs" && manager != "systemd" && manager != "disabled")
        return error(Errc::usage, cat("--cgroup-manager: ", quoted(manager), " is none of cgroupfs, systemd, disabled"));
    global.systemd = global.flags.has("--systemd-cgroup") || manager == "systemd";
    global.cgroups = manager != "disabled";
    return {};
}

Result<> check_operands(const Verb& verb, const Call& call) {
    size_t count = call.operands.size();
    if (count >= verb.least && count <= verb.most) return {};
    std::string usage = cat("croft-oci ", verb.name, " [FLAGS] ", verb.synopsis);
    if (count > verb.most)
        return error(Errc::usage, cat(verb.name, ": ", quoted(call.operands[verb.most]), " is too much (", usage, ")"));
    return error(Errc::usage, cat(verb.name, " needs the id of a container (", usage, ")"));
}

// What tools/generate asks for; null for every other word.
std::string (*hidden_text(std::span<char* const> words))() {
    std::string_view first = words[0], second = words.size() > 1 ? words[1] : "";
    if (first == "_man") return manual;
    if (first != "_complete") return nullptr;
    return second == "bash" ? bash_completion : second == "zsh" ? zsh_completion : second == "fish" ? fish_completion : nullptr;
}

Result<int> call_verb(const Global& global, const Verb& verb, std::span<char* const> words) {
    Call call{global, verb, {}, {}};
    size_t taken = TRY(parse_flags(verb.flags, words, !verb.payload_follows, call.flags, call.operands));
    for (char* word : words.subspan(taken)) call.operands.emplace_back(word);
    if (call.flags.has("--help")) {
        TRY(print(help_of(verb)));
        return 0;
    }
    TRY(check_operands(verb, call));
    if (global.systemd && verb.asks_systemd && !manager::supervisor()) TRY(leave_to_systemd(global));
    return verb.function(call);
}

// The flags in front of the verb, and the verb.
Result<int> dispatch(Global& global, std::span<char* const> words, int& error_status) {
    std::vector<std::string> none;
    size_t taken = TRY(parse_flags(global_flags(), words, false, global.flags, none));
    TRY(apply(global));
    if (global.flags.has("--version")) return TRY(print(version_text())), 0;
    words = words.subspan(taken);
    if (global.flags.has("--help") || words.empty() || std::string_view(words[0]) == "help") {
        TRY(print(general_help()));
        return words.empty() && !global.flags.has("--help") ? 1 : 0;
    }
    const Verb* verb = find_verb(words[0]);
    if (auto text = verb ? nullptr : hidden_text(words)) return TRY(print(text())), 0;
    if (!verb) {
        std::vector<std::string> names;
        for (const Verb& one : verbs()) names.emplace_back(one.name);
        std::string near = closest(words[0], names);
        return error(Errc::usage, cat("unknown verb ", quoted(words[0]), near.empty() ? "" : cat("; did you mean ", near, "?"),
                                      " (croft-oci --help lists them)"));
    }
    error_status = verb->error_status;
    return call_verb(global, *verb, words.subspan(1));
}
// Engines tell by these words, and not by an exit status, that it is the command which is wrong.
Error in_engines_words(Error error) {
    if (error.code == Errc::no_command) error.text += " (executable file not found in $PATH: no such file or directory)";
    if (error.code == Errc::not_executable) error.text += " (permission denied)";
    return error;
}
}  // namespace

Result<> leave_to_systemd(const Global& global) {
    Places places = TRY(find_places(global));
    std::string program = places.paths.helpers + "/croft-oci-systemd";
    std::vector<char*> words = global.words;
    words.push_back(nullptr);
    execv(program.c_str(), words.data());
    return os_error(errno, cat("executing ", quoted(program), ", which speaks with systemd of the container's control group"));
}

int run_command_line(int argc, char** argv) {
    fill_standard_streams();
    set_log("croft-oci", LogLevel::info);
    Global global;
    global.words.assign(argv, argv + argc);
    int error_status = 1;
    Result<int> status = dispatch(global, std::span<char* const>(argv + 1, argc > 0 ? static_cast<size_t>(argc) - 1 : 0), error_status);
    if (status) return *status;
    tell_error(in_engines_words(std::move(status).error()));
    return error_status;
}

}  // namespace croft::oci
