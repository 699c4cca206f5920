#include "base/names.h"

#include <sys/random.h>

#include "base/text.h"

namespace croft {

namespace {
bool label_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}
}  // namespace

Result<> check_machine_name(std::string_view name) {
    auto wrong = [&](std::string_view why) {
        return error(Errc::invalid, cat(quoted(name), " is no machine name: ", why,
                                        " (letters, digits, '-' and '.', at most 64 characters)"));
    };
    if (name.empty()) return wrong("it is empty");
    if (name.size() > 64) return wrong("it is too long");
    for (const std::string& label : split(name, '.')) {
        if (label.empty()) return wrong("it has an empty part");
        if (label.front() == '-' || label.back() == '-') return wrong("a part starts or ends with '-'");
        for (char c : label)
            if (!label_char(c)) return wrong(cat(quoted(std::string_view(&c, 1)), " is not allowed"));
    }
    return {};
}

std::string machine_name_from_path(std::string_view path) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    path = path.substr(path.rfind('/') + 1);
    if (path.ends_with(".raw")) path.remove_suffix(4);
    std::string name;
    for (char c : path) {
        char kept = label_char(c) || c == '.' ? c : '-';
        bool separator = kept == '-' || kept == '.';
        if (separator && (name.empty() || name.back() == '-' || name.back() == '.')) continue;
        if (name.size() < 64) name += kept;
    }
    while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
    return name.empty() ? "machine" : name;
}

std::string random_machine_name(std::string_view stem) {
    char bytes[4] = {};
    // Four bytes are always delivered at once after boot; the name is only probably unique, the lock decides.
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) bytes[0] = 1;
    return cat(stem.substr(0, 55), "-", hex(std::string_view(bytes, sizeof bytes)));
}

}  // namespace croft
