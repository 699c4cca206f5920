#include "dialect/settings.h"

#include <algorithm>
#include <map>

#include "base/names.h"
#include "base/text.h"
#include "dialect/regular_file.h"

namespace croft::dialect {

namespace {
using std::string_view;

// Name → path of each drop-in, in the order in which they apply.
Result<std::map<std::string, std::string>> find_drop_ins(const Places& places, string_view name) {
    std::map<std::string, std::string> found;
    for (const std::string& directory : drop_in_directories(places, name))
        for (const std::string& file : TRY(list_directory(directory)))
            // emplace() keeps the first: it is of the more important directory.
            if (file.ends_with(".conf") && !file.starts_with('.'))
                found.emplace(file, cat(directory, "/", file));
    return found;
}

Result<> add_file(FileSettings& out, const std::string& path, const std::string& text,
                  const Specifiers& specifiers) {
    out.patch.append(TRY(parse_machine_file(text, path, specifiers)));
    out.files.push_back(path);
    return {};
}

Result<> load_machine_file(FileSettings& out, const Places& places, string_view name,
                           const Specifiers& specifiers) {
    for (const std::string& path : machine_file_paths(places, name)) {
        std::optional<std::string> text = TRY(read_if_there(path));
        if (!text) continue;
        if (TRY(is_masked(path)))
            return error(Errc::wrong_state,
                         cat("machine '", name, "' is masked: ", path, " is a link to /dev/null; remove it"));
        out.declared = true;
        TRY(add_file(out, path, *text, specifiers));
        break;
    }
    if (!out.declared) return {};
    for (const auto& [file, path] : TRY(find_drop_ins(places, name))) {
        std::optional<std::string> text = TRY(read_if_there(path));
        // An empty drop-in, or a link to /dev/null, only hides the one of its name.
        if (text && !text->empty()) TRY(add_file(out, path, *text, specifiers));
    }
    return {};
}

Result<> load_nspawn_file(FileSettings& out, const Places& places, string_view name, string_view tree,
                          Settings settings) {
    for (const NspawnPath& candidate : nspawn_file_paths(places, name, tree, settings)) {
        std::optional<std::string> text = TRY(read_if_there(candidate.path));
        if (!text) continue;
        out.patch = parse_nspawn_file(*text, candidate.path, candidate.trust, out.warnings);
        out.files.push_back(candidate.path);
        return {};
    }
    return {};
}
}  // namespace

Result<FileSettings> load_settings(const Places& places, string_view name, string_view tree,
                                   Settings settings, Specifiers specifiers) {
    FileSettings out;
    // A name is a part of paths here: what cannot be a machine's name has no files.
    if (settings == Settings::no || !check_machine_name(name)) return out;
    specifiers.name = name;
    TRY(load_machine_file(out, places, name, specifiers));
    if (!out.declared) TRY(load_nspawn_file(out, places, name, tree, settings));
    return out;
}

spec::SpecPatch in_order(spec::SpecPatch files, spec::SpecPatch options, Settings settings) {
    if (settings == Settings::override_options) std::swap(files, options);
    files.append(std::move(options));
    return files;
}

}  // namespace croft::dialect
