// /org/croft/Croft1/image/NAME: one object for each name of the store that the caller may look at.
#include "bus/object_methods.h"

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

int export_image(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_export(call, name_of(data)));
    return 1;
}

const sd_bus_vtable methods[] = {
    CROFT_OBJECT_WORD("Tag", name, image_tag),
    CROFT_OBJECT_WORD("Rename", name, image_rename),
    CROFT_OBJECT_WORD("Push", target, image_push),
    SD_BUS_METHOD_WITH_ARGS("Export", SD_BUS_ARGS("h", archive, "a{sv}", options), SD_BUS_RESULT("o", job), export_image,
                            all_may),
    CROFT_OBJECT_VERB("Verify", image_verify),
    CROFT_OBJECT_VERB("Remove", image_rm),
};

Objects<Summary> objects = {image_prefix, image_interface, image_properties, find_image, image_names, methods};
}  // namespace

Result<> add_image_objects(Service& service) {
    return add_objects<Summary, objects>(service);
}

}  // namespace croft::bus
