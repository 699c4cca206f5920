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
Result<std::map<std::string, std::string>> find_drop_ins(const Places& places, string_view name,
                                                         const Draft* draft) {
    std::map<std::string, std::string> found;
    for (const std::string& directory : drop_in_directories(places, name)) {
        std::vector<std::string> files = TRY(list_directory(directory));
        if (draft && draft->path.starts_with(directory + "/"))
            files.push_back(draft->path.substr(directory.size() + 1));
        for (const std::string& file : files)
            // emplace() keeps the first: it is of the more important directory.
            if (file.ends_with(".conf") && !file.starts_with('.'))
                found.emplace(file, cat(directory, "/", file));
    }
    return found;
}

Result<std::optional<std::string>> text_of(const std::string& path, const Draft* draft) {
    if (draft && draft->path == path) return std::optional(draft->text);
    return read_if_there(path);
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

Result<std::vector<SourceFile>> read_machine_files(const Places& places, string_view name,
                                                   const Draft* draft) {
    std::vector<SourceFile> out;
    // A name is a part of paths here: what cannot be a machine's name has no files.
    if (!check_machine_name(name)) return out;
    for (const std::string& path : machine_file_paths(places, name)) {
        std::optional<std::string> text = TRY(text_of(path, draft));
        if (!text) continue;
        if (!(draft && draft->path == path) && TRY(is_masked(path)))
            return error(Errc::wrong_state,
                         cat("machine '", name, "' is masked: ", path, " is a link to /dev/null; remove it"));
        out.push_back({path, std::move(*text)});
        break;
    }
    if (out.empty()) return out;
    for (const auto& [file, path] : TRY(find_drop_ins(places, name, draft))) {
        std::optional<std::string> text = TRY(text_of(path, draft));
        // An empty drop-in, or a link to /dev/null, only hides the one of its name.
        if (text && !text->empty()) out.push_back({path, std::move(*text)});
    }
    return out;
}

Result<FileSettings> load_settings(const Places& places, string_view name, string_view tree,
                                   Settings settings, Specifiers specifiers, const Draft* draft) {
    FileSettings out;
    // A name is a part of paths here: what cannot be a machine's name has no files.
    if (settings == Settings::no || !check_machine_name(name)) return out;
    specifiers.name = name;
    for (SourceFile& file : TRY(read_machine_files(places, name, draft))) {
        out.patch.append(TRY(parse_machine_file(file.text, file.path, specifiers)));
        out.files.push_back(std::move(file.path));
        out.declared = true;
    }
    if (!out.declared) TRY(load_nspawn_file(out, places, name, tree, settings));
    return out;
}

spec::SpecPatch in_order(spec::SpecPatch files, spec::SpecPatch options, Settings settings) {
    if (settings == Settings::override_options) std::swap(files, options);
    files.append(std::move(options));
    return files;
}

}  // namespace croft::dialect
