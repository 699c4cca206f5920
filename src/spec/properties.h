// Properties of systemd.resource-control(5) in a spec: kept as text for the unit, and for those that croft
// applies itself as a typed field too. Only fields_resources.cc and fields_properties.cc include this.
#pragma once

#include "spec/field_rows.h"

namespace croft::spec {

// Keeps NAME=VALUE for the unit: a list property is added to, any other replaced.
void set_property(MachineSpec& s, std::string_view name, std::string value);
std::vector<std::string> property_values(const MachineSpec& s, std::string_view name);
void drop_property(MachineSpec& s, std::string_view name);

// Get and reset of a row, and the end of its set; P::name is the property.
template <class P>
std::vector<std::string> property_get(const MachineSpec& s) {
    return property_values(s, P::name);
}
template <class P, auto Slot>
void property_reset(MachineSpec& s) {
    row_reset<Slot>(s);
    drop_property(s, P::name);
}
template <class P, auto Slot, class T>
void property_store(MachineSpec& s, T value, std::string text) {
    Slot(s) = std::move(value);
    set_property(s, P::name, std::move(text));
}

}  // namespace croft::spec

#define OWN_ROW(setter, tag, slot) \
    .set = setter, .get = property_get<tag>, .reset = property_reset<tag, ROW_SLOT(resources.slot)>
