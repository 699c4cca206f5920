#include "dialect/specifiers.h"

#include "base/text.h"

namespace croft::dialect {

namespace {
using std::string_view;

bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// nullptr: no such specifier.
const std::string* lookup(char c, const Specifiers& s) {
    static const std::string tmp = "/tmp", var_tmp = "/var/tmp";
    switch (c) {
        case 'i':
        case 'I':
        case 'n':
        case 'N':
        case 'p':
            return &s.name;
        case 'H':
            return &s.host_name;
        case 'm':
            return &s.machine_id;
        case 'b':
            return &s.boot_id;
        case 'v':
            return &s.kernel;
        case 'a':
            return &s.architecture;
        case 'o':
            return &s.os_id;
        case 'w':
            return &s.os_version_id;
        case 'u':
            return &s.user;
        case 'U':
            return &s.uid;
        case 'h':
            return &s.home;
        case 't':
            return &s.runtime_directory;
        case 'S':
            return &s.state_directory;
        case 'C':
            return &s.cache_directory;
        case 'T':
            return &tmp;
        case 'V':
            return &var_tmp;
        default:
            return nullptr;
    }
}
}  // namespace

Result<std::string> expand_specifiers(string_view text, const Specifiers& specifiers) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        char next = text[i] == '%' && i + 1 < text.size() ? text[i + 1] : 0;
        if (next != '%' && !letter(next)) {
            out += text[i];
            continue;
        }
        ++i;
        if (next == '%') {
            out += '%';
        } else if (next == 'l') {
            out += specifiers.host_name.substr(0, specifiers.host_name.find('.'));
        } else if (const std::string* value = lookup(next, specifiers)) {
            out += *value;
        } else {
            return error(Errc::invalid,
                         cat("'%", next, "' is no specifier (a percent sign is written '%%')"));
        }
    }
    return out;
}

std::string escape_specifiers(string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        char next = i + 1 < text.size() ? text[i + 1] : 0;
        out += text[i] == '%' && (next == '%' || letter(next)) ? "%%" : std::string(1, text[i]);
    }
    return out;
}

}  // namespace croft::dialect
