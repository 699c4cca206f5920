#include "cli/request.h"

#include <unistd.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/host_words.h"
#include "cli/tree.h"
#include "dialect/host_files.h"
#include "dialect/options.h"
#include "dialect/settings.h"
#include "plan/capabilities.h"
#include "spec/fields.h"

namespace croft::cli {

namespace {
std::string environment(const char* name) {
    const char* value = getenv(name);
    return value ? value : "";
}

dialect::Places places() {
    if (geteuid() == 0) return dialect::system_places();
    std::string config = environment("XDG_CONFIG_HOME");
    if (config.empty() && !environment("HOME").empty()) config = environment("HOME") + "/.config";
    return dialect::user_places(config, environment("XDG_RUNTIME_DIR"));
}

// Files are called after the machine: --name, else the tree's own name.
std::string settings_name(const spec::SpecPatch& options, const std::string& tree_name) {
    std::string name = tree_name;
    for (const spec::Assignment& assignment : options.assignments)
        if (std::string_view(assignment.field->name) == "name") name = assignment.value;
    return name;
}

Result<dialect::Settings> settings_option(const Arguments& arguments) {
    const std::string* text = arguments.value("--settings");
    if (!text) return dialect::Settings::yes;
    return dialect::parse_settings(*text).within("--settings");
}

Result<dialect::FileSettings> read_files(const std::string& name, const std::string& tree,
                                         dialect::Settings settings) {
    dialect::Places where = places();
    dialect::Specifiers specifiers;
    // What specifiers stand for is asked only when there is a file that may use them.
    for (const std::string& path : dialect::machine_file_paths(where, name))
        if (exists_at(AT_FDCWD, path.c_str())) specifiers = host_specifiers();
    return dialect::load_settings(where, name, tree, settings, specifiers);
}

// What a profile's conditions are about.
Result<dialect::SeccompHost> seccomp_host(const spec::MachineSpec& spec) {
    dialect::SeccompHost host = host_of_profiles();
    constexpr uint64_t last_capability = 63;
    uint64_t start = spec.mode == spec::Mode::boot ? plan::boot_capabilities() : plan::app_capabilities();
    host.capabilities = TRY(plan::adjusted_set(start, spec.security, last_capability));
    return host;
}
}  // namespace

Result<spec::MachineSpec> machine_request(const Arguments& arguments, spec::Mode mode) {
    const std::string& word = arguments.operands[0];
    dialect::Settings settings = TRY(settings_option(arguments));
    auto tree = find_tree(word);
    std::string tree_name = tree ? tree->name : word;
    std::string directory = tree ? tree->directory : "";
    dialect::FileSettings files =
        TRY(read_files(settings_name(arguments.patch, tree_name), directory, settings));

    spec::SpecPatch options = arguments.patch;
    options.append(dialect::command_patch(std::span(arguments.operands).subspan(1)));
    spec::MachineSpec spec;
    std::vector<spec::Warning> warnings = std::move(files.warnings);
    TRY(spec::apply(dialect::in_order(std::move(files.patch), std::move(options), settings), spec, warnings));
    for (const spec::Warning& warning : warnings) warn(warning.text);

    // A path is the tree. A name is the machine that a file declares with a directory, or else the tree of
    // that name.
    bool is_path = word.find('/') != word.npos || word == "." || word == "..";
    if (is_path || spec.root.directory.empty()) {
        if (!tree) return std::move(tree).error();
        spec.root.directory = directory;
    }
    if (files.declared && mode == spec::Mode::boot && spec.name.empty()) spec.name = tree_name;
    spec.mode = mode;
    TRY(spec::validate(spec));
    dialect::SeccompHost host = TRY(seccomp_host(spec));
    TRY(dialect::read_host_files(spec, host));
    return spec;
}

}  // namespace croft::cli
