#include "bus/image_words.h"

#include <algorithm>

#include "base/names.h"
#include "base/text.h"
#include "image/reference.h"
#include "manager/image_root.h"

namespace croft::bus {

namespace {
using cli::Access;
using cli::Named;
using image::Transport;

constexpr size_t longest_word = 512;

// It becomes a line of a job's file, and part of a path.
Result<> check_word(std::string_view word) {
    bool fits = !word.empty() && word.size() <= longest_word &&
                std::none_of(word.begin(), word.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    if (fits) return {};
    return error(Errc::invalid, cat(quoted(word), " is no image: a name or place has 1 to ", longest_word,
                                    " characters, and no control characters"));
}

// What a word without a transport in front is to the verb: a name of the store, or one of a registry; nothing: a file.
std::optional<Transport> plain_word(std::string_view verb) {
    if (verb == "image import" || verb == "image export") return std::nullopt;
    return verb == "image inspect" || verb == "image copy" ? Transport::store : Transport::registry;
}

// Where the verb finds or puts an image; its access is raised to what that takes.
struct Place {
    bool in_store = false;
    std::string source;  // as it is told to polkit
};

Result<Place> place_of(Command& command, std::string word) {
    TRY(check_word(word));
    if (word == "-") return Place{.in_store = false, .source = word};
    auto plain = plain_word(command.verb->name);
    auto parsed = image::parse_reference(word);
    // A path is no reference, but a file's name to those that take one.
    if (!parsed && plain) return std::move(parsed).error();
    image::Reference reference = parsed ? *parsed : image::Reference();
    if (reference.transport == Transport::store && plain == Transport::store) return Place{.in_store = true, .source = ""};
    bool registry = reference.transport == Transport::registry ||
                    (reference.transport == Transport::store && plain == Transport::registry);
    command.access = std::max(command.access, registry ? Access::image_manage : Access::image_transfer);
    if (registry && reference.transport == Transport::store) reference = TRY(image::parse_reference("docker://" + word));
    return Place{.in_store = false, .source = reference.transport == Transport::store ? word : reference.text()};
}

// Options that name files, or say whom to trust otherwise than this host does.
bool reaches_further(const cli::Verb& verb, const cli::Arguments& args) {
    return std::any_of(verb.options.begin(), verb.options.end(), [&](const cli::OptionRow& row) {
        std::string_view values = row.values;
        bool further = values == "path" || values == "dir" || std::string_view(row.name).ends_with("tls-verify");
        return further && args.has(row.name);
    });
}

// Operand `i`, which names an image that is there.
Result<> add_known(Command& command, const cli::Arguments& args, size_t i) {
    TRY(check_word(args.operands[i]));
    command.lookups.push_back({command.words.size() - args.operands.size() + i, command.images.size()});
    command.images.push_back(args.operands[i]);
    return {};
}

Result<> add_new(Command& command, const std::string& name) {
    TRY(check_word(name));
    command.images.push_back(name);
    return {};
}

Result<> add_source(Command& command, const cli::Arguments& args) {
    Place place = TRY(place_of(command, args.operands[0]));
    command.source = place.source;
    if (args.operands.size() > 1) return add_new(command, args.operands[1]);
    if (place.source == "-") return error(Errc::usage, "import from standard input needs a NAME behind the '-'");
    if (command.access == Access::image_manage) command.images.push_back(TRY(manager::store_name(place.source)));
    return {};
}

Result<> add_places(Command& command, const cli::Arguments& args) {
    for (size_t i = 0; i < args.operands.size(); ++i) {
        Place place = TRY(place_of(command, args.operands[i]));
        // The last of two is where it goes: a name that need not be there.
        bool target = args.operands.size() > 1 && i + 1 == args.operands.size();
        if (place.in_store) TRY(target ? add_new(command, args.operands[i]) : add_known(command, args, i));
        if (!place.in_store && command.source.empty()) command.source = place.source;
    }
    return {};
}

Result<> add_all(Command& command, const cli::Arguments& args) {
    if (args.operands.empty()) command.images = {"*"};
    for (size_t i = 0; i < args.operands.size(); ++i) TRY(add_known(command, args, i));
    return {};
}

size_t least_operands(Named named) {
    if (named == Named::renamed || named == Named::committed) return 2;
    return named == Named::none || named == Named::images ? 0 : 1;
}
}  // namespace

Result<> add_images(Command& command, const cli::Arguments& args, Named named) {
    TRY(cli::expect_operands(*command.verb, args, least_operands(named), SIZE_MAX));
    if (reaches_further(*command.verb, args)) command.access = Access::image_transfer;
    switch (named) {
        case Named::image:
            return add_known(command, args, 0);
        case Named::images:
            return add_all(command, args);
        case Named::renamed:
            TRY(add_known(command, args, 0));
            return add_new(command, args.operands[1]);
        case Named::source:
            return add_source(command, args);
        case Named::target:
            TRY(add_known(command, args, 0));
            if (args.operands.size() > 1) TRY(place_of(command, args.operands[1]));
            return {};
        case Named::places:
            return add_places(command, args);
        case Named::committed:
            TRY(check_machine_name(args.operands[0]));
            command.machines = {args.operands[0]};
            return add_new(command, args.operands[1]);
        default:
            return {};
    }
}

Result<> name_images(Command& command, const std::vector<store::Named>& seen) {
    for (const Command::Lookup& lookup : command.lookups) {
        std::string& word = command.words[lookup.word];
        auto named = TRY(store::choose_reference(seen, word));
        if (!named) return no_such_image(word);
        command.images[lookup.image] = word = named->name;
    }
    return {};
}

Error no_such_image(std::string_view word) {
    return error(Errc::not_found,
                 cat("there is no image ", quoted(word), " in the store; `croft image list` shows those that are"));
}

}  // namespace croft::bus
