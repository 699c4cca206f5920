// What the objects below a prefix (machines, jobs) have in common: they are found by their path, listed as far as the
// caller sees them, and offered to sd-bus with one table made of methods and rows of properties. Called by the files of
// the objects; all that differs is in an Objects<T>.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/text.h"
#include "bus/properties.h"
#include "bus/service.h"

namespace croft::bus {

template <class T>
struct Objects {
    const char *prefix, *interface;
    std::span<const Property<T>> (*properties)();
    // Null: not there, or not for the caller to see.
    T* (*find)(Service& service, const std::string& name);
    // That the caller sees.
    std::vector<std::string> (*names)(Service& service);
    std::span<const sd_bus_vtable> methods;
    // One for the program. sd-bus gives a method the object that was found, so the service stands beside it.
    Service* service = nullptr;
    std::vector<sd_bus_vtable> vtable = {};
};

// The list of paths that sd-bus wants, and frees.
int give_paths(const char* prefix, const std::vector<std::string>& names, char*** nodes);

template <class T, Objects<T>& objects>
Result<> add_objects(Service& service) {
    objects.service = &service;
    auto find = [](sd_bus*, const char* path, const char*, void*, void** found, sd_bus_error*) {
        std::string name = name_in(objects.prefix, path);
        return (*found = name.empty() ? nullptr : objects.find(*objects.service, name)) ? 1 : 0;
    };
    auto enumerate = [](sd_bus*, const char*, void*, char*** nodes, sd_bus_error*) {
        return give_paths(objects.prefix, objects.names(*objects.service), nodes);
    };
    auto get = [](sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply, void* data,
                  sd_bus_error*) {
        return append_property(objects.properties(), property, reply, *static_cast<const T*>(data));
    };
    objects.vtable = {SD_BUS_VTABLE_START(0)};
    objects.vtable.insert(objects.vtable.end(), objects.methods.begin(), objects.methods.end());
    for (const Property<T>& row : objects.properties()) objects.vtable.push_back(vtable_entry(row, get));
    objects.vtable.push_back(SD_BUS_VTABLE_END);
    int r = sd_bus_add_fallback_vtable(service.bus(), nullptr, objects.prefix, objects.interface,
                                       objects.vtable.data(), find, nullptr);
    if (r >= 0) r = sd_bus_add_node_enumerator(service.bus(), nullptr, objects.prefix, enumerate, nullptr);
    if (r < 0) return bus_error(r, cat("offering ", objects.interface));
    return {};
}

}  // namespace croft::bus
