#include "manager/verify.h"

#include <algorithm>

#include "base/fd.h"
#include "base/names.h"
#include "base/text.h"
#include "dialect/regular_file.h"
#include "manager/declared.h"
#include "manager/find_tree.h"
#include "manager/install_mark.h"
#include "manager/request.h"
#include "manager/start.h"

namespace croft::manager {
namespace {

constexpr std::string_view suffix = ".machine";

// What the words do not show: what the whole must obey, and what this host would refuse.
void judge_whole(const Paths& paths, spec::MachineSpec spec, const std::string& file, Verdict& verdict) {
    if (Result<> whole = complete(spec); !whole) {
        verdict.mistakes.push_back(cat(file, ": ", whole.error().text));
        return;
    }
    if (!spec.root.image.empty()) {
        auto loaded = load_declared(paths, spec.name);
        if (!loaded) {
            verdict.mistakes.push_back(std::move(loaded).error().text);
            return;
        }
        spec = std::move(loaded->spec);
    } else if (!exists_at(AT_FDCWD, spec.root.directory.c_str())) {
        verdict.mistakes.push_back(cat(file, ": the tree ", quoted(spec.root.directory), " is not there"));
        return;
    }
    auto plan = preview(paths, std::move(spec));
    if (!plan) {
        verdict.mistakes.push_back(cat(file, ": a start would be refused: ", plan.error().text));
        return;
    }
    for (std::string& warning : plan->warnings) verdict.warnings.push_back(cat(file, ": ", warning));
}

Result<Verdict> judge(const Paths& paths, const dialect::Places& where, const std::string& name) {
    Reading reading = TRY(read_with_mistakes(paths, where, name));
    Verdict out{name, std::move(reading.mistakes), std::move(reading.warnings)};
    if (out.mistakes.empty()) judge_whole(paths, std::move(reading.spec), reading.files[0], out);
    return out;
}

// Sentences about a file begin with its path, and its line where they are about one: "/etc/…/web.machine:3: …".
FileFinding take_apart(const std::string& text, bool mistake) {
    size_t end = text.starts_with('/') ? text.find(": ") : text.npos;
    if (end == text.npos) return {"", 0, mistake, text};
    FileFinding out{text.substr(0, end), 0, mistake, text.substr(end + 2)};
    size_t colon = out.file.rfind(':');
    auto line = colon == out.file.npos ? std::nullopt : parse_uint(std::string_view(out.file).substr(colon + 1));
    if (!line) return out;
    out.line = *line;
    out.file.resize(colon);
    return out;
}

}  // namespace

std::vector<FileFinding> findings(const Verdict& verdict) {
    std::vector<FileFinding> out;
    for (const std::string& text : verdict.mistakes) out.push_back(take_apart(text, true));
    for (const std::string& text : verdict.warnings) out.push_back(take_apart(text, false));
    return out;
}

Result<Verdict> verify(const Paths& paths, const std::string& word) {
    if (word.find('/') == word.npos && !word.ends_with(suffix)) {
        if (is_marked_incomplete(paths, word))
            return Verdict{word,
                           {cat("machine ", quoted(word),
                                " is incomplete: the copy of its tree was interrupted, "
                                "or goes on")},
                           {}};
        return judge(paths, places(paths), word);
    }
    std::string path = TRY(absolute_path(word));
    size_t slash = path.rfind('/');
    if (!path.ends_with(suffix))
        return error(Errc::invalid, cat(quoted(word), " is no machine file: its name must be NAME", suffix));
    std::string name = path.substr(slash + 1, path.size() - slash - 1 - suffix.size());
    if (auto good = check_machine_name(name); !good) return std::move(good).error().within(word);
    if (!exists_at(AT_FDCWD, path.c_str()))
        return error(Errc::not_found, cat("there is no file ", quoted(word)));
    return judge(paths, {{path.substr(0, slash)}, {}}, name);
}

Result<std::vector<Verdict>> verify_all(const Paths& paths) {
    std::vector<Verdict> out;
    std::vector<std::string> names = TRY(declared_names(paths));
    for (const std::string& name : names) {
        auto masked = find_declared(paths, name);
        if (masked && masked->masked) continue;
        auto verdict = verify(paths, name);
        if (verdict)
            out.push_back(std::move(*verdict));
        else
            out.push_back({name, {std::move(verdict).error().text}, {}});
    }
    for (const std::string& directory : places(paths).machines)
        for (const std::string& file : TRY(dialect::list_directory(directory))) {
            std::string path = cat(directory, "/", file);
            bool machine = file.ends_with(suffix), drop_ins = file.ends_with(".machine.d");
            std::string name = file.substr(0, file.rfind(suffix));
            if (machine && !check_machine_name(name))
                out.push_back(
                    {path,
                     {cat(path, ": ", quoted(name), " can be no machine's name, so the file does nothing")},
                     {}});
            if (drop_ins && std::ranges::find(names, name) == names.end())
                out.push_back({path, {}, {cat(path, ": there is no machine file for these drop-ins")}});
        }
    return out;
}

}  // namespace croft::manager
