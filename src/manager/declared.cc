#include "manager/declared.h"

#include <algorithm>
#include <map>

#include "base/fd.h"
#include "base/names.h"
#include "base/text.h"
#include "dialect/regular_file.h"
#include "dialect/settings.h"
#include "manager/find_tree.h"
#include "manager/host_words.h"
#include "manager/image_root.h"
#include "manager/install_mark.h"
#include "manager/request.h"
#include "spec/fields.h"

namespace croft::manager {

namespace {
constexpr std::string_view suffix = ".machine";

// Name → its file, the most important directory's.
Result<std::map<std::string, std::string>> machine_files(const dialect::Places& where) {
    std::map<std::string, std::string> found;
    for (const std::string& directory : where.machines)
        for (const std::string& file : TRY(dialect::list_directory(directory))) {
            if (!file.ends_with(suffix)) continue;
            std::string name = file.substr(0, file.size() - suffix.size());
            if (check_machine_name(name)) found.emplace(std::move(name), cat(directory, "/", file));
        }
    return found;
}

// One file with its drop-ins, applied to a fresh spec. `spec` is filled as far as it goes.
Result<LoadedMachine> read_machine_files(const dialect::Places& where, std::string_view name,
                                         const dialect::Specifiers& specifiers, spec::MachineSpec& spec,
                                         const dialect::Draft* draft = nullptr) {
    dialect::FileSettings files =
        TRY(dialect::load_settings(where, name, "", dialect::Settings::yes, specifiers, draft));
    if (!files.declared) return error(Errc::not_found, cat("no file declares a machine ", quoted(name)));
    LoadedMachine out{{}, std::move(files.files), std::move(files.warnings), std::move(files.patch)};
    Result<> applied = spec::apply(out.patch, spec, out.warnings);
    // A file is called after its machine: there is no key for the name.
    spec.name = name;
    if (spec.root.directory.empty() && spec.root.image.empty()) spec.root.directory = default_tree(name);
    if (!applied) return std::move(applied).error();
    return out;
}

// Every assignment by itself, so that one wrong value does not hide the next.
void apply_each(spec::SpecPatch patch, Reading& reading) {
    std::vector<spec::Warning> warnings;
    for (spec::Assignment& assignment : patch.assignments) {
        spec::SpecPatch one;
        one.assignments.push_back(std::move(assignment));
        Result<> applied = spec::apply(one, reading.spec, warnings);
        if (!applied) reading.mistakes.push_back(std::move(applied).error().text);
    }
    for (spec::Warning& warning : warnings) reading.warnings.push_back(std::move(warning.text));
}

Reading read_each(std::vector<dialect::SourceFile> files, const std::string& name,
                  dialect::Specifiers specifiers) {
    Reading out;
    specifiers.name = name;
    for (dialect::SourceFile& file : files) {
        std::vector<dialect::Mistake> mistakes;
        spec::SpecPatch patch = dialect::read_machine_file(file.text, file.path, specifiers, mistakes);
        for (dialect::Mistake& mistake : mistakes) out.mistakes.push_back(std::move(mistake.error.text));
        apply_each(std::move(patch), out);
        out.files.push_back(std::move(file.path));
    }
    out.spec.name = name;
    if (out.spec.root.directory.empty() && out.spec.root.image.empty()) out.spec.root.directory = default_tree(name);
    return out;
}

// Of a machine on an image: the directory that it gets in the store.
std::string own_tree(const Paths& paths, const std::string& name) {
    return cat(store_path(paths), "/machines/", name, "/upper");
}

Declared look_at(const Paths& paths, const dialect::Places& where, const std::string& name, const std::string& file,
                 const dialect::Specifiers& specifiers) {
    Declared out;
    out.name = name, out.file = file, out.tree = default_tree(name);
    auto masked = dialect::is_masked(file);
    out.masked = masked && *masked;
    if (out.masked) return out;
    auto files = dialect::read_machine_files(where, name);
    if (!files) {
        out.wrong = std::move(files).error();
        return out;
    }
    Reading reading = read_each(std::move(*files), name, specifiers);
    out.boot = reading.spec.mode == spec::Mode::boot;
    out.image = reading.spec.root.image;
    out.tree = out.image.empty() ? reading.spec.root.directory : own_tree(paths, name);
    out.autostart = reading.spec.autostart;
    Result<> valid = spec::validate(reading.spec).within(file);
    if (!reading.mistakes.empty()) valid = error(Errc::invalid, reading.mistakes.front());
    if (!valid) out.wrong = std::move(valid).error();
    return out;
}
}  // namespace

Error not_declared(const Paths& paths, std::string_view name) {
    std::vector<std::string> names;
    if (auto all = declared_names(paths)) names = std::move(*all);
    std::string near = closest(name, names);
    return error(Errc::not_found,
                 cat("no file declares a machine ", quoted(name), " (looked for ", name, suffix, " in ",
                     join(places(paths).machines, ", "), ")",
                     near.empty() ? std::string("; `croft create` makes one")
                                  : cat("; did you mean ", quoted(near), "?")));
}

Result<std::vector<std::string>> declared_names(const Paths& paths) {
    std::vector<std::string> names;
    for (auto& [name, file] : TRY(machine_files(places(paths)))) names.push_back(name);
    return names;
}

Result<std::vector<Declared>> declared(const Paths& paths) {
    dialect::Places where = places(paths);
    std::vector<Declared> out;
    auto files = TRY(machine_files(where));
    if (files.empty()) return out;
    dialect::Specifiers specifiers = host_specifiers();
    for (const auto& [name, file] : files) out.push_back(look_at(paths, where, name, file, specifiers));
    return out;
}

Result<Declared> find_declared(const Paths& paths, std::string_view name) {
    dialect::Places where = places(paths);
    if (check_machine_name(name))
        for (const std::string& file : dialect::machine_file_paths(where, name))
            if (exists_at(AT_FDCWD, file.c_str()))
                return look_at(paths, where, std::string(name), file, host_specifiers());
    return not_declared(paths, name);
}

Result<Reading> read_with_mistakes(const Paths& paths, const dialect::Places& where,
                                   const std::string& name) {
    auto files = TRY(dialect::read_machine_files(where, name));
    if (files.empty()) return not_declared(paths, name);
    return read_each(std::move(files), name, host_specifiers());
}

Result<LoadedMachine> parse_declared(const Paths& paths, std::string_view name, const dialect::Draft* draft) {
    spec::MachineSpec spec;
    if (!draft && is_marked_incomplete(paths, name))
        return error(Errc::wrong_state, cat("machine ", quoted(name),
                                            " is incomplete: the copy of its tree was "
                                            "interrupted or goes on; `croft rm --config ",
                                            name, "` removes it"));
    auto read = read_machine_files(places(paths), name, host_specifiers(), spec, draft);
    if (!read && read.error().code == Errc::not_found) return not_declared(paths, name);
    if (!read) return std::move(read).error();
    TRY(spec::validate(spec).within(read->files.front()));
    read->spec = std::move(spec);
    return read;
}

Result<LoadedMachine> load_declared(const Paths& paths, std::string_view name, const dialect::Draft* draft) {
    LoadedMachine loaded = TRY(parse_declared(paths, name, draft));
    if (!loaded.spec.root.image.empty()) {
        RootWords words{"", std::string(name), std::nullopt};
        loaded.spec = {};
        loaded.warnings.clear();
        TRY(apply_with_image(paths, loaded.patch, words, loaded.spec, loaded.warnings).within(loaded.files.front()));
        loaded.spec.name = name;
    }
    TRY(complete(loaded.spec).within(loaded.files.front()));
    return loaded;
}

}  // namespace croft::manager
