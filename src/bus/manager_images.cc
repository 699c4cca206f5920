// /org/croft/Croft1: what is about images.
#include "bus/image_words.h"
#include "bus/manager_methods.h"

namespace croft::bus {

namespace {
int list_images(sd_bus_message* call, void* data, sd_bus_error*) {
    Service& service = service_of(data);
    Message reply;
    int r = sd_bus_message_new_method_return(call, reply.put());
    if (r >= 0) r = sd_bus_message_open_container(reply.get(), 'a', "(sstbo)");
    for (const auto& [name, image] : service.images().all()) {
        if (r < 0 || !service.gate().sees_image(name)) continue;
        r = sd_bus_message_append(reply.get(), "(sstbo)", name.c_str(), image.named.manifest.text().c_str(), image.bytes,
                                  static_cast<int>(image.complete), path_of(image_prefix, name).c_str());
    }
    if (r >= 0) r = sd_bus_message_close_container(reply.get());
    return r < 0 ? r : sd_bus_send(nullptr, reply.get(), nullptr);
}

int get_image(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* word = nullptr;
    int r = sd_bus_message_read(call, "s", &word);
    if (r < 0) return r;
    service_of(data).requests().seen_images(
        call, [word = std::string(word)](sd_bus_message* asker, const std::vector<store::Named>& seen) {
            auto named = store::choose_reference(seen, word);
            if (!named)
                reply_error(asker, named.error());
            else if (!*named)
                reply_error(asker, no_such_image(word));
            else
                sd_bus_reply_method_return(asker, "o", path_of(image_prefix, (*named)->name).c_str());
        });
    return 1;
}

// Without a name the second word is left out: the store then calls it as the place does.
int pull_image(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* source = nullptr;
    int r = sd_bus_message_read(call, "s", &source);
    if (r < 0) return r;
    auto asked = read_verb_and_word(call, verb_word::image_pull, source);
    if (asked && asked->words.back().empty()) asked->words.pop_back();
    service_of(data).requests().handle(call, std::move(asked));
    return 1;
}

int import_image(sd_bus_message* call, void* data, sd_bus_error*) {
    service_of(data).requests().handle(call, read_import(call));
    return 1;
}

int prune_images(sd_bus_message* call, void* data, sd_bus_error*) {
    service_of(data).requests().handle(call, read_verb(call, verb_word::image_prune));
    return 1;
}

int export_image(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* name = nullptr;
    int r = sd_bus_message_read(call, "s", &name);
    if (r < 0) return r;
    service_of(data).requests().handle(call, read_export(call, name));
    return 1;
}

const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("ListImages", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sstbo)", images), list_images, all_may),
    SD_BUS_METHOD_WITH_ARGS("GetImage", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", image), get_image, all_may),
    SD_BUS_METHOD_WITH_ARGS("PullImage", SD_BUS_ARGS("s", source, "s", name, "a{sv}", options), SD_BUS_RESULT("o", job),
                            pull_image, all_may),
    SD_BUS_METHOD_WITH_ARGS("ImportImage", SD_BUS_ARGS("h", archive, "s", name, "a{sv}", options),
                            SD_BUS_RESULT("o", job), import_image, all_may),
    SD_BUS_METHOD_WITH_ARGS("ExportImage", SD_BUS_ARGS("s", image, "h", archive, "a{sv}", options),
                            SD_BUS_RESULT("o", job), export_image, all_may),
    CROFT_WORD_METHOD("PushImage", image, target, image_push),
    CROFT_WORD_METHOD("CopyImage", source, target, image_copy),
    CROFT_WORD_METHOD("TagImage", image, name, image_tag),
    CROFT_WORD_METHOD("RenameImage", image, name, image_rename),
    CROFT_VERB_METHOD("RemoveImage", image, image_rm),
    CROFT_VERB_METHOD("VerifyImage", image, image_verify),
    SD_BUS_METHOD_WITH_ARGS("PruneImages", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job), prune_images, all_may),
    SD_BUS_VTABLE_END,
};
}  // namespace

Result<> add_manager_images(Service& service) {
    int r = sd_bus_add_object_vtable(service.bus(), nullptr, root_path, manager_interface, vtable, &service);
    if (r < 0) return bus_error(r, "offering what is about images");
    return {};
}

}  // namespace croft::bus
