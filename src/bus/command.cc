#include "bus/command.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/names.h"
#include "base/text.h"
#include "bus/image_words.h"
#include "cli/arguments.h"
#include "spec/fields.h"

namespace croft::bus {

namespace {
using cli::Access;
using cli::Named;

Result<> add_machine(Command& command, std::string_view name) {
    TRY(check_machine_name(name));
    command.machines.emplace_back(name);
    return {};
}

// "user@name" of shell; --user of exec.
Result<> add_login(Command& command, const cli::Arguments& args) {
    std::string_view who = args.operands[0];
    size_t at = command.verb->function == cli::verb_shell ? who.rfind('@') : who.npos;
    if (at != who.npos) command.user = who.substr(0, at);
    if (const std::string* user = args.value("--user")) command.user = *user;
    return add_machine(command, at == who.npos ? who : who.substr(at + 1));
}

// Of SOURCE and TARGET the one that is NAME:PATH. Which side is a machine is the verb's to say; here it is
// only told.
Result<> add_copied(Command& command, const cli::Arguments& args) {
    for (const std::string& operand : args.operands) {
        size_t colon = operand.find(':');
        if (colon != operand.npos && check_machine_name(operand.substr(0, colon)))
            return add_machine(command, operand.substr(0, colon));
    }
    return {};
}

// The name a new machine is given, where one is.
void add_named(Command& command, const cli::Arguments& args) {
    for (const spec::Assignment& one : args.patch.assignments)
        if (std::string_view(one.field->name) == "name" && one.assign == spec::Assign::value)
            command.machines = {one.value};
}

Result<> add_machines(Command& command, const cli::Arguments& args, Named named) {
    if (args.has("--all")) {
        command.machines = {"*"};
        return {};
    }
    if (named == Named::none) {
        add_named(command, args);
        return {};
    }
    if (named == Named::copy) return add_copied(command, args);
    if (named == Named::every && args.operands.empty()) {
        command.machines = {"*"};
        return {};
    }
    TRY(cli::expect_operands(*command.verb, args, 1, SIZE_MAX));
    if (command.access == Access::login) return add_login(command, args);
    size_t count = named == Named::first ? 1 : args.operands.size();
    for (size_t i = 0; i < count; ++i) TRY(add_machine(command, args.operands[i]));
    return {};
}
}  // namespace

Result<Command> make_command(std::string_view name, std::span<const std::string> words) {
    Command command;
    command.verb = cli::find_verb(name);
    const cli::AccessRow* row = command.verb ? cli::access_of(command.verb->name) : nullptr;
    if (!row || row->access == Access::local)
        return error(Errc::usage, cat(quoted(name), " is no verb that croftd does for others"));
    command.access = row->access;
    std::vector<const char*> raw;
    for (const std::string& word : words) {
        if (word.find('\0') != word.npos) return error(Errc::usage, "a word has a zero byte in it");
        raw.push_back(word.c_str());
    }
    cli::Arguments args = TRY(cli::parse_words(*command.verb, raw));
    if (!cli::is_about_images(row->access)) TRY(add_machines(command, args, row->named));
    for (const spec::Assignment& one : args.patch.assignments)
        if (!*one.field->option)
            return error(Errc::usage, cat(one.origin.text, ": ", quoted(one.value),
                                          " names a variable of the caller, whom croftd cannot ask; "
                                          "write NAME=VALUE"));
    command.words = args.words();
    std::vector<std::string> verb = split(command.verb->name, ' ');
    command.words.insert(command.words.begin(), verb.begin(), verb.end());
    if (cli::is_about_images(row->access)) TRY(add_images(command, args, row->named));
    return command;
}

void narrow_list(Command& command, const std::vector<std::string>& visible) {
    auto dashes = std::find(command.words.begin(), command.words.end(), "--");
    std::vector<std::string> patterns(dashes + 1, command.words.end());
    command.words.erase(dashes + 1, command.words.end());
    for (const std::string& name : visible) {
        bool wanted = patterns.empty();
        for (const std::string& pattern : patterns)
            wanted = wanted || fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
        if (wanted) command.words.push_back(name);
    }
    if (command.words.back() == "--") command.words.emplace_back("/");
}

const ErrcRow* failure_of(const cli::Verb& verb, int status) {
    if (status == 0) return nullptr;
    bool apart = verb.own_status == cli::OwnStatus::apart;
    if (apart && (status < 125 || status > 127)) return nullptr;
    size_t count = 0;
    const ErrcRow* rows = errc_rows(count);
    // From the end: of the two that share status 2 it is a wrong value, since the words themselves were
    // judged before.
    for (size_t i = count; i-- > 0;)
        if (rows[i].exit_status == status) return &rows[i];
    return &rows[0];
}

std::string sentence_of(std::string_view text) {
    text = trim(text);
    size_t last = text.rfind("\ncroft: ");
    if (last != text.npos) text.remove_prefix(last + 1);
    if (text.starts_with("croft: ")) text.remove_prefix(7);
    return std::string(text);
}

bool is_terminal_kind(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '+' || c == '.' || c == '_';
    });
}

bool is_directory_word(std::string_view text) {
    return text.starts_with('/') && text.size() < 4096 && text.find('\0') == text.npos;
}

}  // namespace croft::bus
