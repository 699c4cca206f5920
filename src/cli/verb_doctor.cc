#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "format/json_writer.h"
#include "manager/doctor.h"

namespace croft::cli {

namespace {
using manager::Finding;

const char* level_name(Finding::Level level) {
    return level == Finding::Level::ok ? "ok" : level == Finding::Level::note ? "note" : "problem";
}

std::string text_of(const Finding& finding) {
    unsigned columns = terminal_columns();
    std::string head = cat(level_name(finding.level), ":");
    head.resize(9, ' ');
    std::string out = cat(head, wrapped(cat(finding.topic, ": ", finding.text), columns, 9), "\n");
    if (finding.repaired)
        out += "         Repaired.\n";
    else if (!finding.advice.empty())
        out += cat("         ", wrapped(cat("What to do: ", finding.advice), columns, 9), "\n");
    return out;
}

std::string summary(size_t problems, size_t notes) {
    if (!problems && !notes) return "\nAll is well.\n";
    return cat("\n", problems, problems == 1 ? " problem, " : " problems, ", notes,
               notes == 1 ? " note.\n" : " notes.\n");
}

std::string json_of(const std::vector<Finding>& findings) {
    format::JsonWriter json;
    json.begin_array();
    for (const Finding& finding : findings)
        json.begin_object()
            .member("level", level_name(finding.level))
            .member("topic", finding.topic)
            .member("text", finding.text)
            .member("advice", finding.advice)
            .member("repairable", finding.repairable)
            .member("repaired", finding.repaired)
            .end_object();
    json.end_array();
    return json.take();
}
}  // namespace

Result<int> verb_doctor(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 0, 0));
    manager::Paths paths = TRY(manager::find_paths());
    auto repair = args.has("--repair") ? manager::Repair::yes : manager::Repair::no;
    std::vector<Finding> findings = TRY(manager::doctor(paths, repair));
    size_t problems = 0, notes = 0;
    std::string out;
    for (const Finding& finding : findings) {
        problems += finding.level == Finding::Level::problem && !finding.repaired;
        notes += finding.level == Finding::Level::note && !finding.repaired;
        out += text_of(finding);
    }
    TRY(print(args.has("--json") ? json_of(findings) : out + summary(problems, notes)));
    return problems ? 1 : 0;
}

}  // namespace croft::cli
