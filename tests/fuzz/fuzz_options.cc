// An argv, one word a line.
#include "base/text.h"
#include "dialect/options.h"
#include "property.h"

using namespace croft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::vector<std::string> words = split(fuzz::text_of(data, size), '\n');
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    static const dialect::ExtraOption extras[] = {{"--detach", 'd', "", ""}, {"--settings", 0, "MODE", ""}};
    auto parsed = dialect::parse_options(
        arguments, {.fields = dialect::FieldOptions::run, .extras = extras, .directory = "/home/me"});
    if (!parsed) return 0;
    parsed->patch.append(dialect::command_patch(parsed->rest));
    spec::MachineSpec spec;
    std::vector<spec::Warning> warnings;
    if (!spec::apply(parsed->patch, spec, warnings)) return 0;
    fuzz::promise(warnings.empty(), "options are trusted", "");
    (void)spec::validate(spec).has_value();
    fuzz::promise_round_trip(spec);
    return 0;
}
