// Plans as JSON, for people and golden files. Members at their default are left out, so that what is there is
// what matters; bits are written by name.
#include <sched.h>
#include <sys/mount.h>

#include <concepts>

#include "base/text.h"
#include "format/json_writer.h"
#include "launch/launch_plan.h"
#include "launch/reflect.h"
#include "launch/unit_plan.h"

namespace croft::launch {

namespace {

using namespace reflect;
using format::JsonWriter;

struct Bit {
    uint64_t bit;
    const char* name;
};
// MOUNT_ATTR_*: strictatime and noatime share a field, which a plan only ever sets to one of them.
constexpr Bit attr_bits[] = {{0x1, "ro"},          {0x2, "nosuid"},     {0x4, "nodev"},
                             {0x8, "noexec"},      {0x10, "noatime"},   {0x20, "strictatime"},
                             {0x80, "nodiratime"}, {0x100000, "idmap"}, {0x200000, "nosymfollow"}};
constexpr Bit propagation_bits[] = {
    {MS_UNBINDABLE, "unbindable"}, {MS_PRIVATE, "private"}, {MS_SLAVE, "slave"}, {MS_SHARED, "shared"}};
constexpr Bit namespace_bits[] = {
    {CLONE_NEWNS, "mount"},  {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWUTS, "uts"},     {CLONE_NEWIPC, "ipc"},
    {CLONE_NEWUSER, "user"}, {CLONE_NEWPID, "pid"},       {CLONE_NEWNET, "network"}, {0x80, "time"}};

template <size_t N>
std::string bit_names(uint64_t value, const Bit (&bits)[N]) {
    std::string out;
    auto add = [&out](std::string_view name) {
        out += out.empty() ? "" : ",";
        out += name;
    };
    for (const Bit& bit : bits) {
        if (value & bit.bit) add(bit.name);
        value &= ~bit.bit;
    }
    if (value != 0) add(cat(value));
    return out;
}

std::string octal(uint64_t value) {
    std::string digits;
    for (; value != 0; value >>= 3) digits.insert(digits.begin(), static_cast<char>('0' + (value & 7)));
    return cat("0", digits);
}

std::string hexadecimal(uint64_t value) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (; value != 0; value >>= 4) text.insert(text.begin(), digits[value & 15]);
    return cat("0x", text.empty() ? "0" : text);
}

const char* create_name(Create create) {
    static constexpr const char* names[] = {"no", "directory", "file", "like-source"};
    return names[static_cast<size_t>(create)];
}

const char* existing_name(ExistingGroup existing) {
    static constexpr const char* names[] = {"replace", "without-processes", "take"};
    return names[static_cast<size_t>(existing)];
}

// A number whose member's name says that it is not just a number.
std::string bits_text(std::string_view name, uint64_t value) {
    if (name == "mode" || name == "umask") return octal(value);
    if (name == "set" || name == "clear" || name == "attr" || name == "top_set" || name == "top_clear")
        return bit_names(value, attr_bits);
    if (name == "propagation") return bit_names(value, propagation_bits);
    if (name == "new_namespaces" || name == "type") return bit_names(value, namespace_bits);
    if (name.starts_with("cap_")) return hexadecimal(value);
    return "";
}

// The members of a default-made value, by address and in order, for comparison.
struct Defaults {
    std::vector<const void*> members;
    template <class T>
    void operator()(const char*, const T& member) {
        members.push_back(&member);
    }
};

template <class T>
bool same(const T& a, const T& b) {
    if constexpr (Vector<T>)
        return a.empty() && b.empty();
    else if constexpr (std::equality_comparable<T>)
        return a == b;
    else
        return false;
}

// Structs that mean something only as a whole.
template <class T>
inline constexpr bool is_tuple =
    std::is_same_v<T, IdMap> || std::is_same_v<T, DeviceAccess> || std::is_same_v<T, ResourceLimit>;

class Printer {
  public:
    JsonWriter json;
    explicit Printer(format::JsonStyle style) : json(style) {}

    template <class T>
    void structure(const T& value, const char* kind) {
        T sample{};
        if constexpr (requires { sample.slot; }) sample.slot = no_slot;
        if constexpr (requires { sample.base; }) sample.base = no_slot;
        Defaults defaults;
        T::fields(defaults, std::as_const(sample));
        json.begin_object();
        if (kind) json.member("step", kind);
        Members members{*this, is_tuple<T> ? nullptr : defaults.members.data()};
        T::fields(members, value);
        json.end_object();
    }

  private:
    struct Members {
        Printer& printer;
        const void* const* next;
        template <class T>
        void operator()(const char* name, const T& member) {
            if (next && same(member, *static_cast<const T*>(*next++))) return;
            printer.json.key(name);
            printer.value(name, member);
        }
    };

    template <class T>
    void one_line(const char* name, const T& item) {
        Printer line(format::JsonStyle::line);
        line.value(name, item);
        json.raw(line.json.text());
    }

    template <class T>
    void value(const char* name, const T& v) {
        if constexpr (Struct<T>) {
            structure(v, nullptr);
        } else if constexpr (Variant<T>) {
            std::visit([&](const auto& step) { structure(step, kind_name(v)); }, v);
        } else if constexpr (Vector<T>) {
            json.begin_array();
            for (const auto& item : v) one_line(name, item);
            json.end_array();
        } else if constexpr (Optional<T>) {
            value(name, *v);
        } else if constexpr (Pair<T>) {
            json.begin_array().value(v.first).value(v.second).end_array();
        } else if constexpr (std::is_same_v<T, Create>) {
            json.value(create_name(v));
        } else if constexpr (std::is_same_v<T, ExistingGroup>) {
            json.value(existing_name(v));
        } else if constexpr (std::is_same_v<T, char>) {
            json.value(std::string_view(&v, 1));
        } else if constexpr (std::unsigned_integral<T> && !std::is_same_v<T, bool>) {
            std::string text = bits_text(name, v);
            text.empty() ? json.value(v) : json.value(text);
        } else {
            json.value(v);
        }
    }
};

void settings(JsonWriter& json, const char* name,
              const std::vector<std::pair<std::string, std::string>>& list) {
    json.key(name).begin_array();
    for (const auto& [key, value] : list) json.begin_array().value(key).value(value).end_array();
    json.end_array();
}

}  // namespace

std::string to_json(const LaunchPlan& plan) {
    Printer printer(format::JsonStyle::pretty);
    printer.structure(plan, nullptr);
    return printer.json.take();
}

std::string to_json(const UnitPlan& plan) {
    JsonWriter json;
    json.begin_object().member("name", plan.name);
    settings(json, "unit", plan.unit);
    settings(json, "service", plan.service);
    json.end_object();
    return json.take();
}

}  // namespace croft::launch
