// Tables of properties: one row for each, from which come the object's introspection, Get and GetAll, what
// InterfacesAdded tells, and which properties PropertiesChanged names. Called by the files of the objects.
#pragma once

#include <span>
#include <vector>

#include "bus/handles.h"
#include "bus/jobs.h"
#include "bus/store.h"
#include "store/images.h"

namespace croft::bus {

enum class Emits : unsigned char { constant, changes, never };  // never: live figures, asked at each reading

template <class T>
struct Property {
    const char* name;
    const char* signature;
    Emits emits;
    Value (*get)(const T&);
};
std::span<const Property<manager::Machine>> machine_properties();
std::span<const Property<Job>> job_properties();
std::span<const Property<store::Summary>> image_properties();

// The row's entry in a table for sd-bus.
template <class T>
sd_bus_vtable vtable_entry(const Property<T>& row, sd_bus_property_get_t get) {
    uint64_t flags = 0;
    if (row.emits == Emits::constant) flags = SD_BUS_VTABLE_PROPERTY_CONST;
    if (row.emits == Emits::changes) flags = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
    return SD_BUS_PROPERTY(row.name, row.signature, get, 0, flags);
}

// What differs between two, as rows.
template <class T>
std::vector<const Property<T>*> differences(std::span<const Property<T>> rows, const T& before,
                                            const T& now) {
    std::vector<const Property<T>*> out;
    for (const Property<T>& row : rows)
        if (row.emits == Emits::changes && row.get(before) != row.get(now)) out.push_back(&row);
    return out;
}

template <class T>
int append_property(std::span<const Property<T>> rows, const char* name, sd_bus_message* reply,
                    const T& object) {
    for (const Property<T>& row : rows)
        if (std::string_view(row.name) == name) return append_value(reply, row.get(object));
    return -ENOENT;
}

// PropertiesChanged and InterfacesAdded, sent to `destination` (null: everybody).
void send_properties_changed(sd_bus* bus, const char* destination, const char* path, const char* interface,
                             const std::vector<std::pair<const char*, Value>>& values);
void send_interfaces_added(sd_bus* bus, const char* destination, const char* path, const char* interface,
                           const std::vector<std::pair<const char*, Value>>& values);
void send_interfaces_removed(sd_bus* bus, const char* destination, const char* path, const char* interface);

// All values of an object, live ones too.
template <class T>
std::vector<std::pair<const char*, Value>> values_of(std::span<const Property<T>> rows, const T& object) {
    std::vector<std::pair<const char*, Value>> out;
    for (const Property<T>& row : rows) out.emplace_back(row.name, row.get(object));
    return out;
}

}  // namespace croft::bus
