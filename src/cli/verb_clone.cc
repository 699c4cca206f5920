// clone, snapshot, restore, rebuild: a machine's files as a whole.
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/bring_image.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "format/json_writer.h"
#include "manager/root_copies.h"

namespace croft::cli {

Result<int> verb_clone(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 2));
    manager::Paths paths = TRY(manager::find_paths());
    auto identity = args.has("--exact") ? manager::Identity::same : manager::Identity::fresh;
    manager::Cloned cloned = TRY(manager::clone_machine(paths, args.operands[0], args.operands[1], identity));
    for (const std::string& warning : cloned.warnings) warn(warning);
    TRY(print(cat(cloned.file, "\n")));
    return 0;
}

namespace {

Result<> list_snapshots(const manager::Paths& paths, const std::string& name, bool as_json) {
    auto all = TRY(manager::machine_snapshots(paths, name));
    Table table({"SNAPSHOT", "SINCE", "IMAGE"});
    format::JsonWriter json;
    json.begin_array();
    for (const manager::Snapshot& each : all) {
        table.add({each.name, local_time(each.made * 1'000'000), each.image});
        json.begin_object().member("name", each.name).member("made", each.made).member("image", each.image).end_object();
    }
    json.end_array();
    return print(as_json ? json.take() : all.empty() ? "No snapshots.\n" : table.text());
}

}  // namespace

Result<int> verb_snapshot(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    bool list = args.has("--list");
    TRY(expect_operands(verb, args, list ? 1 : 2, list ? 1 : 2));
    manager::Paths paths = TRY(manager::find_paths());
    if (list) {
        TRY(list_snapshots(paths, args.operands[0], args.has("--json")));
        return 0;
    }
    auto change = args.has("--remove") ? manager::remove_machine_snapshot : manager::snapshot_machine;
    TRY(change(paths, args.operands[0], args.operands[1]));
    return 0;
}

Result<int> verb_restore(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 2));
    manager::Paths paths = TRY(manager::find_paths());
    TRY(manager::restore_machine(paths, args.operands[0], args.operands[1]));
    return 0;
}

Result<int> verb_rebuild(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    manager::Paths paths = TRY(manager::find_paths());
    const std::string* image = args.value("--image");
    std::string name = image ? TRY(bring_image(paths, *image, args.has("--quiet"))) : "";
    TRY(manager::rebuild_machine(paths, args.operands[0], name, args.values("--keep")));
    return 0;
}

}  // namespace croft::cli
