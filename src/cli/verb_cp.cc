#include "base/text.h"
#include "manager/find_tree.h"
#include "cli/verbs.h"
#include "manager/bind.h"
#include "manager/copy.h"

namespace croft::cli {

namespace {
// "NAME:PATH". A path here that holds a colon is written with a slash before it: ./a:b.
struct Place {
    std::string machine, path;  // machine "": here
};
Place place(const std::string& text) {
    size_t colon = text.find(':');
    if (colon == text.npos || colon == 0 || text.find('/') < colon) return {"", text};
    return {text.substr(0, colon), text.substr(colon + 1)};
}
}  // namespace

Result<int> verb_cp(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 2));
    Place from = place(args.operands[0]), to = place(args.operands[1]);
    if (from.machine.empty() == to.machine.empty())
        return error(Errc::usage,
                     from.machine.empty()
                         ? "one side must be inside a machine, written NAME:PATH (croft cp web:/etc/hosts .)"
                         : "both sides are inside a machine; copy through a path here");
    bool in = from.machine.empty();
    Place& inside = in ? to : from;
    Place& here = in ? from : to;
    if (!inside.path.starts_with('/'))
        return error(Errc::usage,
                     cat(quoted(cat(inside.machine, ":", inside.path)), ": a path inside is absolute"));
    here.path = TRY(manager::absolute_path(here.path));
    manager::Paths paths = TRY(manager::find_paths());
    TRY(manager::copy(paths, inside.machine, in ? manager::Direction::in : manager::Direction::out, from.path,
                      to.path));
    return 0;
}

Result<int> verb_bind(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 3));
    manager::BindOptions options;
    options.source = TRY(manager::absolute_path(args.operands[1]));
    options.target = args.operands.size() == 3 ? args.operands[2] : options.source;
    if (!options.target.starts_with('/'))
        return error(Errc::usage, cat(quoted(options.target), ": a path inside is absolute"));
    options.read_only = args.has("--read-only");
    options.make_target = args.has("--mkdir");
    options.idmap = !args.has("--no-idmap");
    manager::Paths paths = TRY(manager::find_paths());
    TRY(manager::bind(paths, args.operands[0], options));
    return 0;
}

Result<int> verb_unbind(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 2));
    if (!args.operands[1].starts_with('/'))
        return error(Errc::usage, cat(quoted(args.operands[1]), ": a path inside is absolute"));
    manager::Paths paths = TRY(manager::find_paths());
    TRY(manager::unbind(paths, args.operands[0], args.operands[1]));
    return 0;
}

}  // namespace croft::cli
