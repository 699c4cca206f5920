// The bytes of a kept plan: magic, a fingerprint of the members' names, then every member in the order of
// fields(). Numbers are LEB128 (signed ones zigzag), text and lists are counted, an optional is a flag, a
// step is its index in the variant. The same value always gives the same bytes, and decode takes no others.
//
// A record may be read by a newer croft than wrote it. The fingerprint changes with any member, so such a
// plan is refused as a whole; it is never misread.
#include <cstring>
#include <limits>

#include "base/text.h"
#include "launch/launch_plan.h"
#include "launch/reflect.h"

namespace croft::launch {

namespace {

using namespace reflect;

constexpr std::string_view magic = "croft-plan\n";
// StepFailure counts steps in 16 bits; no list of a real plan comes near it.
constexpr uint64_t most_items = 65535;

uint64_t zigzag(int64_t value) {
    return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
int64_t unzigzag(uint64_t value) {
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// FNV-1a over the names of all members, in depth; made by the compiler, for it is two hundred names.
class Fingerprint {
  public:
    constexpr uint64_t value() const { return hash_; }
    constexpr void text(std::string_view text) {
        for (char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    constexpr void number(uint64_t value) {
        if (value >= 10) number(value / 10);
        const char digit = static_cast<char>('0' + value % 10);
        text({&digit, 1});
    }
    template <class T>
    constexpr void type() {
        if constexpr (Struct<T>) {
            T sample{};
            text("{");
            T::fields(*this, sample);
            text("}");
        } else if constexpr (Vector<T> || Optional<T>) {
            text(Vector<T> ? "[" : "?");
            type<typename T::value_type>();
        } else if constexpr (Variant<T>) {
            alternatives<T>(std::make_index_sequence<std::variant_size_v<T>>());
        } else if constexpr (Pair<T>) {
            type<typename T::first_type>(), type<typename T::second_type>();
        } else if constexpr (Enum<T>) {
            text("e"), number(enum_end(T{}));
        } else if constexpr (std::integral<T>) {
            text(std::is_signed_v<T> ? "i" : "u"), number(sizeof(T));
        } else {
            text("s");
        }
    }
    template <class T>
    constexpr void operator()(const char* name, T&) {
        text(name), text(":"), type<T>(), text(";");
    }

  private:
    template <class T, size_t... I>
    constexpr void alternatives(std::index_sequence<I...>) {
        static_assert(std::is_same_v<T, Step>);
        ((text(step_kinds[I]), type<std::variant_alternative_t<I, T>>()), ...);
    }
    uint64_t hash_ = 0xcbf29ce484222325;
};

constexpr uint64_t fingerprint() {
    Fingerprint print;
    print.type<LaunchPlan>();
    return print.value();
}
// By the compiler; but clang, which the fuzzers need, takes the strings of g++ 12's library for no constants, and leaves it
// to the start.
const uint64_t plan_fingerprint = fingerprint();

class Writer {
  public:
    std::string out;

    void number(uint64_t value) {
        for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
        out += static_cast<char>(value);
    }
    template <class T>
    void operator()(const char*, const T& member) {
        put(member);
    }
    void put(const std::string& text) { number(text.size()), out += text; }
    template <class T>
    void put(const T& value) {
        if constexpr (Struct<T>) {
            T::fields(*this, value);
        } else if constexpr (Vector<T>) {
            number(value.size());
            for (const auto& item : value) put(item);
        } else if constexpr (Optional<T>) {
            number(value.has_value());
            if (value) put(*value);
        } else if constexpr (Pair<T>) {
            put(value.first), put(value.second);
        } else if constexpr (Variant<T>) {
            number(value.index());
            std::visit([this](const auto& step) { put(step); }, value);
        } else if constexpr (std::is_same_v<T, char>) {
            out += value;
        } else if constexpr (std::signed_integral<T>) {
            number(zigzag(value));
        } else {
            number(static_cast<uint64_t>(value));
        }
    }
};

class Reader {
  public:
    explicit Reader(std::string_view in) : in_(in), size_(in.size()) {}

    // The first thing that was wrong, or null.
    const char* wrong() const { return wrong_; }
    size_t position() const { return size_ - in_.size(); }
    size_t left() const { return in_.size(); }

    template <class T>
    void operator()(const char*, T& member) {
        if (!wrong_) get(member);
    }

    uint64_t number() {
        uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (in_.empty()) return fail("a number is cut off");
            auto byte = static_cast<unsigned char>(in_.front());
            in_.remove_prefix(1);
            if (shift == 63 && byte > 1) return fail("a number is too large");
            value |= uint64_t{byte & 0x7fu} << shift;
            if (byte & 0x80) continue;
            if (byte == 0 && shift > 0) return fail("a number is longer than it must be");
            return value;
        }
        return fail("a number is too large");
    }

    void get(std::string& text) {
        uint64_t length = number();
        if (length > in_.size()) return void(fail("a text is cut off"));
        text.assign(in_.substr(0, length));
        in_.remove_prefix(length);
    }
    template <class T>
    void get(T& value) {
        if constexpr (Struct<T>) {
            T::fields(*this, value);
        } else if constexpr (Vector<T>) {
            items(value);
        } else if constexpr (Optional<T>) {
            if (flag()) get(value.emplace());
        } else if constexpr (Pair<T>) {
            get(value.first);
            if (!wrong_) get(value.second);
        } else if constexpr (Variant<T>) {
            alternative(value, std::make_index_sequence<std::variant_size_v<T>>());
        } else if constexpr (Enum<T>) {
            uint64_t n = number();
            if (n >= enum_end(T{})) return void(fail("a choice is out of range"));
            value = static_cast<T>(n);
        } else {
            integer(value);
        }
    }

  private:
    // Nothing is read after a failure: what follows sees an empty input and zeros.
    uint64_t fail(const char* why) {
        if (!wrong_) wrong_ = why;
        return 0;
    }
    bool flag() {
        uint64_t n = number();
        if (n > 1) fail("a flag is neither 0 nor 1");
        return n == 1 && !wrong_;
    }
    void integer(bool& value) { value = flag(); }
    void integer(char& value) {
        if (in_.empty()) return void(fail("a character is cut off"));
        value = in_.front();
        in_.remove_prefix(1);
    }
    template <std::integral T>
    void integer(T& value) {
        if constexpr (std::signed_integral<T>) {
            int64_t n = unzigzag(number());
            if (n < std::numeric_limits<T>::min() || n > std::numeric_limits<T>::max())
                return void(fail("a number is out of range"));
            value = static_cast<T>(n);
        } else {
            uint64_t n = number();
            if (n > std::numeric_limits<T>::max()) return void(fail("a number is out of range"));
            value = static_cast<T>(n);
        }
    }
    // Each item takes a byte at least, so a forged count cannot ask for more memory than the input's own size
    // allows, and nothing is reserved ahead.
    template <class T>
    void items(std::vector<T>& list) {
        uint64_t count = number();
        if (count > in_.size() || count > most_items) return void(fail("a list is cut off"));
        list.clear();
        for (; count > 0 && !wrong_; --count) get(list.emplace_back());
    }
    template <class T, size_t... I>
    void alternative(T& value, std::index_sequence<I...>) {
        uint64_t index = number();
        if (index >= sizeof...(I)) return void(fail("an unknown kind of step"));
        ((index == I ? get(value.template emplace<I>()) : void()), ...);
    }

    std::string_view in_;
    size_t size_;
    const char* wrong_ = nullptr;
};

}  // namespace

std::string encode(const LaunchPlan& plan) {
    Writer writer;
    writer.out = magic;
    writer.number(plan_fingerprint);
    writer.put(plan);
    return std::move(writer.out);
}

Result<LaunchPlan> decode(std::string_view bytes) {
    if (!bytes.starts_with(magic)) return error(Errc::invalid, "this is no launch plan of croft");
    Reader reader(bytes.substr(magic.size()));
    uint64_t print = reader.number();
    if (!reader.wrong() && print != plan_fingerprint)
        return error(Errc::invalid, "the launch plan was written by another version of croft");
    LaunchPlan plan;
    if (!reader.wrong()) reader.get(plan);
    const char* why = reader.wrong();
    if (!why && reader.left() > 0) why = "something follows its end";
    if (why)
        return error(Errc::invalid, cat("the launch plan is damaged: at byte ",
                                        magic.size() + reader.position(), ", ", why));
    return plan;
}

}  // namespace croft::launch
