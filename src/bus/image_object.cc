// /org/croft/Croft1/image/NAME: one object for each name of the store that the caller may look at.
#include "bus/objects.h"
#include "bus/verb_words.h"

namespace croft::bus {

namespace {
using store::Summary;
extern Objects<Summary> objects;

const std::string& name_of(void* data) {
    return static_cast<const Summary*>(data)->named.name;
}

Summary* find_image(Service& service, const std::string& name) {
    Summary* image = service.images().find(name);
    return image && service.gate().sees_image(name) ? image : nullptr;
}

std::vector<std::string> image_names(Service& service) {
    std::vector<std::string> out;
    for (const auto& [name, image] : service.images().all())
        if (service.gate().sees_image(name)) out.push_back(name);
    return out;
}

template <const char* const& verb>
int verb_method(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_verb(call, verb, name_of(data)));
    return 1;
}

template <const char* const& verb>
int word_method(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_verb_and_word(call, verb, name_of(data)));
    return 1;
}

int export_image(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_export(call, name_of(data)));
    return 1;
}

constexpr uint64_t all_may = SD_BUS_VTABLE_UNPRIVILEGED;  // the gate and polkit decide, not sd-bus
#define VERB(method, verb)                                                                  \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job), \
                            verb_method<verb_word::verb>, all_may)
#define WORD(method, word, verb)                                                                       \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("s", word, "a{sv}", options), SD_BUS_RESULT("o", job), \
                            word_method<verb_word::verb>, all_may)

const sd_bus_vtable methods[] = {
    WORD("Tag", name, image_tag),
    WORD("Rename", name, image_rename),
    WORD("Push", target, image_push),
    SD_BUS_METHOD_WITH_ARGS("Export", SD_BUS_ARGS("h", archive, "a{sv}", options), SD_BUS_RESULT("o", job), export_image,
                            all_may),
    VERB("Verify", image_verify),
    VERB("Remove", image_rm),
};

Objects<Summary> objects = {image_prefix, image_interface, image_properties, find_image, image_names, methods};
}  // namespace

Result<> add_image_objects(Service& service) {
    return add_objects<Summary, objects>(service);
}

}  // namespace croft::bus
