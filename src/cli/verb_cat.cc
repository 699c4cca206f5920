// cat, diff, verify: what machine files say.
#include "base/log.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "format/json_writer.h"
#include "cli/sanitize.h"
#include "manager/declared.h"
#include "manager/kept.h"
#include "manager/request.h"
#include "manager/states.h"
#include "manager/verify.h"
#include "manager/root_copies.h"
#include "spec/differences.h"

namespace croft::cli {

Result<int> verb_cat(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, SIZE_MAX));
    manager::Paths paths = TRY(manager::find_paths());
    std::string out;
    for (const std::string& name : args.operands) {
        auto files = TRY(dialect::read_machine_files(manager::places(paths), name));
        if (files.empty()) return manager::not_declared(paths, name);
        for (const dialect::SourceFile& file : files)
            out += cat(out.empty() ? "" : "\n", "# ", file.path, "\n", file.text,
                       file.text.ends_with('\n') || file.text.empty() ? "" : "\n");
    }
    TRY(print(out));
    return 0;
}

namespace {
struct Side {
    std::string title;
    spec::MachineSpec spec;
};

Result<Side> from_file(const manager::Paths& paths, const std::string& name) {
    manager::LoadedMachine loaded = TRY(manager::load_declared(paths, name));
    return Side{cat(name, " (", loaded.files.front(), ")"), std::move(loaded.spec)};
}

Result<Side> as_it_runs(const manager::Paths& paths, const manager::Machine& machine) {
    return Side{cat(machine.name, " (", manager::state_name(machine.state), ")"),
                TRY(manager::kept_spec(paths, machine.name))};
}

// What runs counts more than what would.
Result<Side> side_of(const manager::Paths& paths, const std::string& name) {
    manager::Machine machine = TRY(manager::find_any(paths, name));
    if (machine.alive()) return as_it_runs(paths, machine);
    if (machine.file.empty())
        return error(Errc::wrong_state,
                     cat("machine ", quoted(name), " is ", manager::state_name(machine.state),
                         ", and no file declares it: there is nothing to compare"));
    return from_file(paths, name);
}

std::string lines(char mark, const spec::Field& field, const std::vector<std::string>& values) {
    std::string out;
    bool wildcard = std::string_view(field.key) == "*";
    for (const std::string& value : values)
        out += cat(mark, wildcard ? "" : cat(field.key, "="), value, "\n");
    return out;
}

std::string diff_text(const Side& left, const Side& right, const std::vector<spec::Difference>& found) {
    std::string out = cat("--- ", left.title, "\n+++ ", right.title, "\n"), section;
    for (const spec::Difference& one : found) {
        if (section != one.field->section) out += cat("[", section = one.field->section, "]\n");
        out += lines('-', *one.field, one.left) + lines('+', *one.field, one.right);
    }
    return out;
}

void values_json(format::JsonWriter& json, const char* key, const std::vector<std::string>& values) {
    json.key(key).begin_array();
    for (const std::string& value : values) json.value(value);
    json.end_array();
}

std::string diff_json(const std::vector<spec::Difference>& found) {
    format::JsonWriter json;
    json.begin_array();
    for (const spec::Difference& one : found) {
        json.begin_object().member("name", one.field->name).member("section", one.field->section);
        json.member("key", one.field->key);
        values_json(json, "left", one.left);
        values_json(json, "right", one.right);
        json.end_object();
    }
    json.end_array();
    return json.take();
}
}  // namespace

namespace {
// Exit status 1 when there are some, as of diff(1).
Result<int> diff_files(const manager::Paths& paths, const std::string& name, bool as_json) {
    constexpr const char *letters[] = {"A", "C", "D"}, *words[] = {"added", "changed", "removed"};
    auto changed = TRY(manager::changed_paths(paths, name));
    std::string text;
    format::JsonWriter json;
    json.begin_array();
    for (const manager::ChangedPath& one : changed) {
        auto which = static_cast<size_t>(one.change);
        // Anything may stand in a name that a machine has made.
        text += cat(letters[which], " ", Sanitizer().feed(one.path), "\n");
        json.begin_object().member("change", words[which]).member("path", one.path).end_object();
    }
    json.end_array();
    TRY(print(as_json ? json.take() : text));
    return changed.empty() ? 0 : 1;
}
}  // namespace

Result<int> verb_diff(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    const bool files = args.has("--files");
    TRY(expect_operands(verb, args, 1, files ? 1 : 2));
    manager::Paths paths = TRY(manager::find_paths());
    if (files) return diff_files(paths, args.operands[0], args.has("--json"));
    const std::string& name = args.operands[0];
    Side left, right;
    if (args.operands.size() == 2) {
        left = TRY(side_of(paths, name)), right = TRY(side_of(paths, args.operands[1]));
    } else {
        manager::Machine machine = TRY(manager::find_any(paths, name));
        if (!machine.alive())
            return error(Errc::wrong_state,
                         cat("machine ", quoted(name), " is ", manager::state_name(machine.state),
                             " and not running, so there is nothing to compare its file with"));
        left = TRY(as_it_runs(paths, machine)), right = TRY(from_file(paths, name));
    }
    std::vector<spec::Difference> found = spec::differences(left.spec, right.spec);
    if (args.has("--json"))
        TRY(print(diff_json(found)));
    else if (!found.empty())
        TRY(print(diff_text(left, right, found)));
    return found.empty() ? 0 : 1;
}

namespace {
void findings_json(format::JsonWriter& json, const manager::Verdict& verdict) {
    json.key("findings").begin_array();
    for (const manager::FileFinding& one : manager::findings(verdict)) {
        json.begin_object().member("file", one.file).key("line").value(one.line);
        json.member("severity", one.mistake ? "error" : "warning").member("sentence", one.sentence).end_object();
    }
    json.end_array();
}
}  // namespace

Result<int> verb_verify(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    manager::Paths paths = TRY(manager::find_paths());
    std::vector<manager::Verdict> verdicts;
    if (args.operands.empty()) verdicts = TRY(manager::verify_all(paths));
    for (const std::string& word : args.operands) verdicts.push_back(TRY(manager::verify(paths, word)));
    bool wrong = false;
    format::JsonWriter json;
    json.begin_array();
    for (const manager::Verdict& verdict : verdicts) {
        wrong = wrong || !verdict.mistakes.empty();
        json.begin_object().member("name", verdict.name);
        values_json(json, "mistakes", verdict.mistakes);
        values_json(json, "warnings", verdict.warnings);
        findings_json(json, verdict);
        json.end_object();
        if (args.has("--json")) continue;
        for (const std::string& warning : verdict.warnings) warn(warning);
        for (const std::string& mistake : verdict.mistakes) log(LogLevel::error, mistake);
    }
    json.end_array();
    if (args.has("--json")) TRY(print(json.text()));
    return wrong ? 1 : 0;
}

}  // namespace croft::cli
