// Golden patches: each input in golden/ (NAME.args: an argv, one word a line; NAME.machine; NAME.nspawn, read
// as an untrusted file beside a tree) and what it means in NAME.*.patch: the patch, then the warnings, then
// the spec as a machine file. CROFT_GOLDEN=update writes them anew; review them as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "dialect/machine_file.h"
#include "dialect/options.h"
#include "dialect/print.h"
#include "dialect/regular_file.h"
#include "spec/fields.h"

namespace croft::dialect {
namespace {

const std::string directory = CROFT_GOLDEN_DIRECTORY;

struct Meaning {
    spec::SpecPatch patch;
    std::vector<spec::Warning> warnings;
    std::string rest;
};

Result<Meaning> read(const std::string& name, const std::string& text) {
    Meaning out;
    Specifiers specifiers;
    specifiers.name = "web";
    specifiers.host_name = "host.example.org";
    if (name.ends_with(".machine")) {
        out.patch = TRY(parse_machine_file(text, name, specifiers));
    } else if (name.ends_with(".nspawn")) {
        out.patch = parse_nspawn_file(text, name, FileTrust::untrusted, out.warnings);
    } else {
        std::vector<std::string> words = split(std::string_view(text).substr(0, text.size() - 1), '\n');
        std::vector<const char*> argv;
        for (const std::string& word : words) argv.push_back(word.c_str());
        ParsedOptions parsed =
            TRY(parse_options(argv, {.fields = FieldOptions::run, .directory = "/home/me"}));
        out.patch = std::move(parsed.patch);
        out.rest = join(parsed.rest, " ");
    }
    return out;
}

std::string describe(const std::string& name, const std::string& text) {
    auto meaning = read(name, text);
    if (!meaning) return cat("error: ", meaning.error().text, "\n");
    std::string out;
    for (const spec::Assignment& one : meaning->patch.assignments)
        out += cat(one.origin.text, one.origin.trusted ? " -> " : " (untrusted) -> ", one.field->name,
                   one.assign == spec::Assign::reset ? " reset" : cat(" ", croft::quoted(one.value)), "\n");
    spec::MachineSpec spec;
    auto applied = spec::apply(meaning->patch, spec, meaning->warnings);
    if (!applied) return cat(out, "error: ", applied.error().text, "\n");
    for (const spec::Warning& warning : meaning->warnings) out += cat("warning: ", warning.text, "\n");
    auto valid = spec::validate(spec);
    if (!valid) out += cat("refused: ", valid.error().text, "\n");
    if (!meaning->rest.empty()) out += cat("operands: ", meaning->rest, "\n");
    return cat(out, "\n", print_machine_file(spec));
}

TEST(Golden, EveryInputMeansWhatItDid) {
    auto names = list_directory(directory);
    ASSERT_TRUE(names) << names.error().text;
    std::ranges::sort(*names);
    Fd folder = open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY).value();
    const char* update = getenv("CROFT_GOLDEN");
    int inputs = 0;
    for (const std::string& name : *names) {
        if (name.ends_with(".patch") || name.starts_with('.')) continue;
        ++inputs;
        std::string meaning = describe(name, read_file_at(folder.get(), name.c_str()).value());
        std::string golden = cat(name, ".patch");
        if (update && std::string_view(update) == "update") {
            ASSERT_TRUE(replace_file_at(folder.get(), golden.c_str(), meaning));
        }
        auto expected = read_file_at(folder.get(), golden.c_str());
        ASSERT_TRUE(expected) << golden << " is missing: run with CROFT_GOLDEN=update";
        EXPECT_EQ(meaning, *expected) << name;
    }
    EXPECT_GE(inputs, 6);
}

}  // namespace
}  // namespace croft::dialect
