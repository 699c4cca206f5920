// list, history, df: what is in the store.
#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "images/functions.h"
#include "images/open_store.h"
#include "manager/image_root.h"
#include "store/images.h"
#include "store/layers.h"
#include "store/machine_roots.h"
#include "store/names.h"
#include "store/usage.h"

namespace croft::images {
namespace {

using cli::Arguments;
using cli::Table;

std::string table_of(const std::vector<store::Summary>& all) {
    if (all.empty()) return "No images.\n";
    Table table({"NAME", "DIGEST", "PLATFORM", "SIZE", "SINCE", "STATE"});
    for (const store::Summary& one : all)
        table.add({one.named.name, one.named.manifest.brief(), one.platform, human_size(one.bytes),
                   cli::local_time(one.named.made * 1'000'000), one.complete ? "" : "incomplete"});
    return cat(table.text(), "\n", all.size(), all.size() == 1 ? " image.\n" : " images.\n");
}

std::string json_of(const std::vector<store::Summary>& all) {
    format::JsonWriter json;
    json.begin_array();
    for (const store::Summary& one : all) {
        json.begin_object().member("name", one.named.name).member("digest", one.named.manifest.text());
        json.key("index");
        if (one.named.top)
            json.value(one.named.top->text());
        else
            json.null();
        json.member("platform", one.platform).member("bytes", one.bytes).member("created", one.config.created);
        json.member("made", one.named.made).member("source", one.named.source);
        json.member("state", one.complete ? "complete" : "incomplete").end_object();
    }
    json.end_array();
    return json.take();
}

}  // namespace

Result<int> verb_list(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 0, 0));
    manager::Paths paths = TRY(manager::find_paths());
    // Completion asks for this too, of users who have no store.
    auto store = TRY(store::Store::find(manager::store_path(paths)));
    std::vector<store::Summary> all;
    if (store)
        for (store::Named& named : TRY(store::references(*store))) all.push_back(store::summarize(*store, std::move(named)));
    for (const store::Summary& one : all)
        if (!one.mistake.empty()) warn(one.mistake);
    std::string out;
    if (args.has("--quiet"))
        for (const store::Summary& one : all) out += cat(one.named.name, "\n");
    else
        out = args.has("--json") ? json_of(all) : table_of(all);
    TRY(cli::print(out));
    return 0;
}

namespace {

// History has more entries than there are layers: those that changed nothing have none.
Result<std::string> history_of(const store::Store& store, const store::Image& image) {
    Table table({"LAYER", "SIZE", "CREATED", "BY"});
    size_t next = 0;
    auto ids = image.layers();
    auto row = [&](bool has_layer, const std::string& created, const std::string& by) -> Result<> {
        std::string id, size;
        if (has_layer && next < ids.size()) {
            auto layer = TRY(store::find_layer(store, ids[next]));
            id = image.config.diff_ids[next].brief(), size = layer ? human_size(layer->bytes) : "not here";
            ++next;
        }
        table.add({id, size, created, by});
        return {};
    };
    for (const image::History& entry : image.config.history)
        TRY(row(!entry.empty_layer, entry.created, entry.created_by.empty() ? entry.comment : entry.created_by));
    while (next < ids.size()) TRY(row(true, "", ""));
    return table.text();
}

}  // namespace

Result<int> verb_history(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, 1));
    StorePtr kept = TRY(open_store());
    const store::Store& store = *kept;
    store::Image image = TRY(store::get_image(store, args.operands[0]));
    std::string text = TRY(history_of(store, image));
    TRY(cli::print(text));
    return 0;
}

namespace {

struct Part {
    const char* name;
    const char* what;
};
// All directories of the store, so that the sum is what du says (but for the top's own few blocks).
constexpr Part parts[] = {{"blobs", "compressed layers and manifests"}, {"layers", "unpacked layers"},
                          {"machines", "machines' own files"},         {"uses", "throwaway files of running machines"},
                          {"snapshots", "snapshots of machines"},      {"refs", "names"},
                          {"partial", "unfinished"},                   {"trash", "being deleted"}};

}  // namespace

Result<int> verb_df(const cli::Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 0, 0));
    StorePtr kept = TRY(open_store());
    const store::Store& store = *kept;
    Table table({"PART", "SIZE", "WHAT"});
    format::JsonWriter json;
    json.begin_object();
    const uint64_t total = TRY(store::disk_usage(store, "."));
    for (const Part& part : parts) {
        uint64_t bytes = TRY(store::disk_usage(store, part.name));
        table.add({part.name, human_size(bytes), part.what});
        json.member(part.name, bytes);
    }
    table.add({"all", human_size(total), store.path()});
    json.member("all", total).end_object();
    TRY(cli::print(args.has("--json") ? json.take() : table.text()));
    return 0;
}

}  // namespace croft::images
