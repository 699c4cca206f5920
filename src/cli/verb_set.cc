// set and unset: settings of a declared machine, one by one.
#include "base/log.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "manager/change.h"
#include "spec/fields.h"

namespace croft::cli {

namespace {
Result<std::vector<manager::Setting>> settings(const Arguments& args, bool with_values) {
    std::vector<manager::Setting> out;
    for (size_t i = 1; i < args.operands.size(); ++i) {
        const std::string& word = args.operands[i];
        size_t equals = word.find('=');
        if (with_values && equals == word.npos)
            return error(Errc::usage,
                         cat("set: ", quoted(word), " is no KEY=VALUE (croft set web memory=2G)"));
        if (!with_values && equals != word.npos)
            return error(Errc::usage, cat("unset: ", quoted(word), " is no KEY; `croft set` gives values"));
        out.push_back({word.substr(0, equals), equals == word.npos ? "" : word.substr(equals + 1)});
    }
    return out;
}

// The same, written as for `croft run`: `croft set web --memory=2G`.
void add_options(const spec::SpecPatch& patch, std::vector<manager::Setting>& out) {
    for (const spec::Assignment& assignment : patch.assignments) {
        const std::string& value = assignment.value;
        if (std::string_view(assignment.field->key) == "*")
            out.push_back({cat(assignment.field->section, ".", value.substr(0, value.find('='))),
                           value.find('=') == value.npos ? "" : value.substr(value.find('=') + 1)});
        else
            out.push_back({assignment.field->name, value});
    }
}

const char* when(const manager::Changed& changed, const manager::ChangedSetting& setting) {
    if (setting.live) return "in effect now";
    return changed.alive ? "from the next start on; the machine that runs keeps what it has"
                         : "from the next start on";
}

Result<int> tell(const Arguments& args, const std::string& name, const manager::Changed& changed) {
    if (!args.has("--quiet"))
        for (const manager::ChangedSetting& setting : changed.settings)
            TRY(print(cat(setting.key, "=", setting.text, ": ", when(changed, setting), "\n")));
    if (!changed.not_applied) return 0;
    log(LogLevel::error, cat("it is kept in ", changed.file, ", but machine ", quoted(name),
                             " could not be given it while it runs: ", changed.not_applied->text));
    return status_of(*changed.not_applied, OwnStatus::by_kind);
}
}  // namespace

Result<int> verb_set(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, args.patch.assignments.empty() ? 2 : 1, SIZE_MAX));
    auto wanted = TRY(settings(args, true));
    add_options(args.patch, wanted);
    manager::Paths paths = TRY(manager::find_paths());
    const std::string& name = args.operands[0];
    return tell(args, name, TRY(manager::set_properties(paths, name, wanted)));
}

Result<int> verb_unset(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, SIZE_MAX));
    auto wanted = TRY(settings(args, false));
    manager::Paths paths = TRY(manager::find_paths());
    const std::string& name = args.operands[0];
    return tell(args, name, TRY(manager::unset_properties(paths, name, wanted)));
}

}  // namespace croft::cli
