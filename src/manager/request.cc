#include "manager/request.h"

#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "dialect/host_files.h"
#include "dialect/settings.h"
#include "manager/find_tree.h"
#include "manager/host_words.h"
#include "manager/image_root.h"
#include "plan/capabilities.h"
#include "spec/fields.h"

namespace croft::manager {

namespace {
std::string environment(const char* name) {
    const char* value = getenv(name);
    return value ? value : "";
}

// The last value of an option; "": it was not given.
std::string option_value(const spec::SpecPatch& options, std::string_view field) {
    std::string value;
    for (const spec::Assignment& assignment : options.assignments)
        if (assignment.field->name == field) value = assignment.value;
    return value;
}

// Files are called after the machine: --name, else the tree's own name.
std::string settings_name(const spec::SpecPatch& options, const std::string& tree_name) {
    std::string name = option_value(options, "name");
    return name.empty() ? tree_name : name;
}

Result<dialect::FileSettings> read_files(const Paths& paths, const std::string& name, const std::string& tree,
                                         dialect::Settings settings) {
    dialect::Places where = places(paths);
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

dialect::Places places(const Paths& paths) {
    constexpr std::string_view below_home = "/croft/machines";
    std::string_view home = paths.config;
    home = home.ends_with(below_home) ? home.substr(0, home.size() - below_home.size()) : "";
    dialect::Places where = paths.system ? dialect::system_places()
                                         : dialect::user_places(home, environment("XDG_RUNTIME_DIR"));
    // CROFT_CONFIG_DIR: that directory alone, so that tests meet no machine of the host.
    if (!paths.config.empty() && (where.machines.empty() || where.machines.front() != paths.config))
        where.machines = {paths.config};
    return where;
}

Result<> complete(spec::MachineSpec& spec) {
    TRY(spec::validate(spec));
    dialect::SeccompHost host = TRY(seccomp_host(spec));
    return dialect::read_host_files(spec, host);
}

namespace {

bool is_path(const std::string& word) {
    return word.find('/') != word.npos || word == "." || word == ".." || word.starts_with("raw:");
}

// A disk image of the host is a tree like any other.
bool is_disk(std::string_view image) {
    return image.starts_with("raw:") || image.starts_with('/');
}

// The image that the word means; "" for a tree. A tree of that name or path, or a machine that a file declares, comes first.
Result<std::string> image_of(const Paths& paths, const std::string& word, const Result<Tree>& tree, bool declared) {
    bool foreign = names_foreign_image(word);
    bool there = tree && (!is_path(word) || exists_at(AT_FDCWD, tree->directory.c_str()));
    if (!foreign && (there || declared)) return std::string();
    auto named = TRY(find_image(paths, word));
    if (named) return std::move(named->name);
    return foreign ? word : std::string();
}

}  // namespace

Result<Requested> read_request(const Paths& paths, const Request& request) {
    const std::string image = option_value(request.options, "image");
    const std::string& word = image.empty() ? request.tree : image;
    auto tree = find_tree(word);
    std::string tree_name = tree ? tree->name : word;
    std::string directory = tree ? tree->directory : "";
    dialect::FileSettings files = TRY(
        read_files(paths, settings_name(request.options, tree_name), directory, request.settings));

    Requested out{{}, std::move(files.files), std::move(files.warnings)};
    spec::MachineSpec& spec = out.spec;
    RootWords words{is_disk(image) ? "" : image, tree_name, request.mode};
    if (words.image.empty()) words.image = TRY(image_of(paths, word, tree, files.declared));
    spec::SpecPatch patch = dialect::in_order(std::move(files.patch), request.options, request.settings);
    TRY(apply_with_image(paths, patch, words, spec, out.warnings));
    // A path is the tree. A name is the machine that a file declares with a directory or an image, or else the tree of
    // that name.
    if (spec.root.layers.empty() && (is_path(word) || spec.root.directory.empty())) {
        if (!tree) return std::move(tree).error();
        spec.root.directory = directory;
    }
    if (files.declared && spec.mode == spec::Mode::boot && spec.name.empty()) spec.name = tree_name;
    TRY(complete(spec));
    return out;
}

}  // namespace croft::manager
