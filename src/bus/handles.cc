#include "bus/handles.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"

namespace croft::bus {

namespace {
struct Append {
    sd_bus_message* message;
    int operator()(bool value) const { return sd_bus_message_append(message, "b", static_cast<int>(value)); }
    int operator()(int32_t value) const { return sd_bus_message_append(message, "i", value); }
    int operator()(uint32_t value) const { return sd_bus_message_append(message, "u", value); }
    int operator()(uint64_t value) const { return sd_bus_message_append(message, "t", value); }
    int operator()(const std::string& value) const {
        // A string of D-Bus is UTF-8; what a machine calls itself need not be.
        if (sd_bus_message_append(message, "s", value.c_str()) >= 0) return 1;
        std::string ascii = value;
        for (char& c : ascii)
            if (static_cast<unsigned char>(c) >= 0x80) c = '?';
        return sd_bus_message_append(message, "s", ascii.c_str());
    }
    int operator()(const std::vector<std::string>& values) const {
        int r = sd_bus_message_open_container(message, 'a', "s");
        for (size_t i = 0; r >= 0 && i < values.size(); ++i) r = (*this)(values[i]);
        return r < 0 ? r : sd_bus_message_close_container(message);
    }
    int operator()(const std::map<std::string, std::string>& values) const {
        int r = sd_bus_message_open_container(message, 'a', "{ss}");
        for (const auto& [key, value] : values) {
            if (r >= 0) r = sd_bus_message_open_container(message, 'e', "ss");
            if (r >= 0) r = (*this)(key);
            if (r >= 0) r = (*this)(value);
            if (r >= 0) r = sd_bus_message_close_container(message);
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
    }
};

Error wrong_arguments(int r) {
    return error(Errc::invalid, cat("the message's arguments cannot be read: ", errno_text(-r)));
}

// One variant as the words of an option; a flag that is false is the word "no".
Result<std::vector<std::string>> read_variant(sd_bus_message* message, std::string_view key) {
    const char* contents = nullptr;
    char type = 0;
    int r = sd_bus_message_peek_type(message, &type, &contents);
    if (r >= 0) r = sd_bus_message_enter_container(message, 'v', contents);
    if (r < 0) return wrong_arguments(r);
    std::vector<std::string> out;
    std::string_view kind = contents;
    union {
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        const char* s;
    } value = {};
    if (kind == "as") {
        out = TRY(read_strings(message));
    } else if (kind == "s" || kind == "o") {
        r = sd_bus_message_read_basic(message, kind[0], &value);
        if (r >= 0) out.emplace_back(value.s);
    } else if (kind == "b" || kind == "i" || kind == "u" || kind == "x" || kind == "t") {
        r = sd_bus_message_read_basic(message, kind[0], &value);
        out.push_back(kind == "b"   ? value.i ? "yes" : "no"
                      : kind == "i" ? cat(value.i)
                      : kind == "u" ? cat(value.u)
                      : kind == "x" ? cat(value.x)
                                    : cat(value.t));
    } else {
        return error(Errc::invalid, cat("option ", quoted(key), " is a ", quoted(kind),
                                        "; it may be a string, a boolean, a number or an array of strings"));
    }
    if (r < 0 || (r = sd_bus_message_exit_container(message)) < 0) return wrong_arguments(r);
    return out;
}
}  // namespace

int append_value(sd_bus_message* message, const Value& value) {
    return std::visit(Append{message}, value);
}

const char* signature_of(const Value& value) {
    constexpr const char* signatures[] = {"b", "i", "u", "t", "s", "as", "a{ss}"};
    return signatures[value.index()];
}

int append_member(sd_bus_message* message, const char* name, const Value& value) {
    int r = sd_bus_message_open_container(message, 'e', "sv");
    if (r >= 0) r = sd_bus_message_append(message, "s", name);
    if (r >= 0) r = sd_bus_message_open_container(message, 'v', signature_of(value));
    if (r >= 0) r = append_value(message, value);
    if (r >= 0) r = sd_bus_message_close_container(message);
    return r < 0 ? r : sd_bus_message_close_container(message);
}

int reply_error(sd_bus_message* call, const Error& why) {
    return sd_bus_reply_method_errorf(call, errc_row(why.code).dbus_name, "%s", why.text.c_str());
}

Error error_from(const sd_bus_error& why, std::string_view doing) {
    size_t count = 0;
    const ErrcRow* rows = errc_rows(count);
    for (size_t i = 0; why.name && i < count; ++i)
        if (std::string_view(why.name) == rows[i].dbus_name)
            return error(rows[i].code, why.message ? why.message : why.name);
    return systemd::error_from(why, doing);
}

Result<std::vector<std::string>> read_strings(sd_bus_message* message) {
    std::vector<std::string> out;
    int r = sd_bus_message_enter_container(message, 'a', "s");
    const char* text = nullptr;
    while (r >= 0 && (r = sd_bus_message_read_basic(message, 's', &text)) > 0) out.emplace_back(text);
    if (r >= 0) r = sd_bus_message_exit_container(message);
    if (r < 0) return wrong_arguments(r);
    return out;
}

Result<std::vector<std::pair<std::string, std::string>>> read_options(sd_bus_message* message) {
    std::vector<std::pair<std::string, std::string>> out;
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        const char* key = nullptr;
        r = sd_bus_message_read_basic(message, 's', &key);
        if (r < 0) break;
        for (std::string& value : TRY(read_variant(message, key))) out.emplace_back(key, std::move(value));
        r = sd_bus_message_exit_container(message);
    }
    if (r >= 0) r = sd_bus_message_exit_container(message);
    if (r < 0) return wrong_arguments(r);
    return out;
}

Result<std::vector<Fd>> read_descriptors(sd_bus_message* message) {
    std::vector<Fd> out;
    int r = sd_bus_message_enter_container(message, 'a', "h"), fd = -1;
    while (r >= 0 && (r = sd_bus_message_read_basic(message, 'h', &fd)) > 0) {
        // The message's own is closed with it.
        Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
        if (!copy) return os_error(errno, "a descriptor of the message");
        out.push_back(std::move(copy));
    }
    if (r >= 0) r = sd_bus_message_exit_container(message);
    if (r < 0) return wrong_arguments(r);
    return out;
}

std::string path_of(const char* prefix, const std::string& name) {
    char* path = nullptr;
    if (sd_bus_path_encode(prefix, name.c_str(), &path) < 0) return prefix;
    std::string out = path;
    free(path);
    return out;
}

std::string name_in(const char* prefix, const char* path) {
    char* name = nullptr;
    if (sd_bus_path_decode(path, prefix, &name) <= 0) return "";
    std::string out = name;
    free(name);
    return out;
}

}  // namespace croft::bus
