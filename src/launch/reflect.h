// What the codec and the JSON printer share: telling the shapes of a plan's members apart at compile time.
// Only for the .cc files of launch/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "launch/launch_plan.h"

namespace croft::launch::reflect {

struct AnyVisitor {
    template <class T>
    void operator()(const char*, T&) {}
};
template <class T>
concept Struct = requires(T& t, AnyVisitor& v) {
    T::fields(v, t);
};

template <class T, template <class...> class Template>
inline constexpr bool is_a = false;
template <template <class...> class Template, class... Args>
inline constexpr bool is_a<Template<Args...>, Template> = true;

template <class T>
concept Vector = is_a<T, std::vector>;
template <class T>
concept Optional = is_a<T, std::optional>;
template <class T>
concept Pair = is_a<T, std::pair>;
template <class T>
concept Variant = is_a<T, std::variant>;
template <class T>
concept Enum = std::is_enum_v<T>;

// One past the last enumerator; each enum that a plan holds has its overload.
constexpr uint64_t enum_end(Create) {
    return static_cast<uint64_t>(Create::like_source) + 1;
}
constexpr uint64_t enum_end(ExistingGroup) {
    return static_cast<uint64_t>(ExistingGroup::take) + 1;
}

}  // namespace croft::launch::reflect
