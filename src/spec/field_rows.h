// How rows of the field table are written: set, get and reset made from a codec (spec/values.h) and a slot,
// the place in MachineSpec. Only fields_*.cc include this.
//
//   {.name = "umask", …, ROW_VALUE(Umask, process.user.umask)}     one value, replaced
//   {.name = "cap-add", …, ROW_LIST(Capability, security.cap_add)} a list, each value may be "A,B C"
//   {.name = "port", …, ROW_ITEMS(Port, network.ports)}            a list, each value is one item
#pragma once

#include <algorithm>
#include <span>
#include <type_traits>

#include "spec/fields.h"
#include "spec/values.h"

namespace croft::spec {

// What an unset field holds.
const MachineSpec& default_spec();

// The rows of one subject each, in the order of help pages.
std::span<const Field> machine_rows(), exec_rows(), process_rows(), limit_rows(), file_rows(), mount_rows(),
    network_rows(), security_rows(), isolation_rows(), resource_rows(), property_rows(), kernel_rows(),
    device_rows(), integration_rows(), unit_rows();

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <auto Slot>
void row_reset(MachineSpec& s) {
    Slot(s) = Slot(default_spec());
}

template <class Codec, auto Slot>
Result<> row_set(MachineSpec& s, std::string_view text) {
    auto value = Codec::parse(text);
    if (!value) return value.error();
    using T = std::remove_cvref_t<decltype(Slot(s))>;
    if constexpr (IsOptional<T>::value)
        Slot(s) = static_cast<typename T::value_type>(std::move(*value));
    else
        Slot(s) = static_cast<T>(std::move(*value));
    return {};
}

template <class Codec, auto Slot>
std::vector<std::string> row_get(const MachineSpec& s) {
    const auto& value = Slot(s);
    if (value == Slot(default_spec())) return {};
    if constexpr (IsOptional<std::remove_cvref_t<decltype(value)>>::value)
        return {Codec::text(*value)};
    else
        return {Codec::text(value)};
}

// A later one of the same text takes the place of the earlier, so that a list never holds doubles.
template <class T>
void add_once(std::vector<T>& list, T item) {
    if (auto at = std::ranges::find(list, item); at != list.end()) list.erase(at);
    list.push_back(std::move(item));
}

template <class Codec, auto Slot>
Result<> row_add(MachineSpec& s, std::string_view text) {
    auto value = Codec::parse(text);
    if (!value) return value.error();
    add_once(Slot(s), std::move(*value));
    return {};
}

template <class Codec, auto Slot>
Result<> row_add_list(MachineSpec& s, std::string_view text) {
    std::vector<std::string> parts = split_list(text);
    if (parts.empty()) return wrong_value(text, "holds no name");
    for (const std::string& part : parts) TRY((row_add<Codec, Slot>(s, part)));
    return {};
}

// NAME=VALUE lists: a later value of the same name takes the place of the earlier.
template <class Codec, auto Slot>
Result<> row_add_pair(MachineSpec& s, std::string_view text) {
    auto value = Codec::parse(text);
    if (!value) return value.error();
    std::erase_if(Slot(s), [&](const auto& pair) { return pair.first == value->first; });
    Slot(s).push_back(std::move(*value));
    return {};
}

template <class Codec, auto Slot>
std::vector<std::string> row_get_list(const MachineSpec& s) {
    std::vector<std::string> out;
    for (const auto& item : Slot(s)) out.push_back(Codec::text(item));
    return out;
}

inline std::vector<std::string> row_get_nothing(const MachineSpec&) {
    return {};
}
inline void row_reset_nothing(MachineSpec&) {}

}  // namespace croft::spec

#define ROW_SLOT(path) ([](auto& spec_) -> auto& { return spec_.path; })
#define ROW_OPS(setter, getter, codec, path)             \
    .set = ::croft::spec::setter<codec, ROW_SLOT(path)>, \
    .get = ::croft::spec::getter<codec, ROW_SLOT(path)>, .reset = ::croft::spec::row_reset<ROW_SLOT(path)>
#define ROW_VALUE(codec, path) ROW_OPS(row_set, row_get, codec, path)
#define ROW_ITEMS(codec, path) ROW_OPS(row_add, row_get_list, codec, path)
#define ROW_LIST(codec, path) ROW_OPS(row_add_list, row_get_list, codec, path)
#define ROW_PAIRS(codec, path) ROW_OPS(row_add_pair, row_get_list, codec, path)
