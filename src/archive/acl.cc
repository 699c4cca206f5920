#include "archive/acl.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "base/text.h"

namespace croft::archive {

namespace {

// linux/posix_acl.h, linux/posix_acl_xattr.h; little endian everywhere, as every machine that croft runs on.
struct AclEntry {
    uint16_t tag, permissions;
    uint32_t id;
};
constexpr uint32_t version = 2, no_id = 0xffffffff;
constexpr size_t header_size = sizeof version;

struct Tag {
    std::string_view word;
    uint16_t owner, named;  // without and with an id; 0: it cannot have one
};
constexpr std::array<Tag, 4> tags = {
    {{"user", 0x01, 0x02}, {"group", 0x04, 0x08}, {"mask", 0x10, 0}, {"other", 0x20, 0}}};

std::optional<uint16_t> permissions_of(std::string_view text) {
    uint16_t bits = 0;
    for (char c : text) {
        if (c == 'r') bits |= 4;
        if (c == 'w') bits |= 2;
        if (c == 'x') bits |= 1;
        if (std::string_view("rwx-").find(c) == std::string_view::npos) return {};
    }
    return bits;
}

std::optional<uint32_t> id_of(const std::vector<std::string>& words) {
    for (size_t i : {size_t{3}, size_t{1}})
        if (words.size() > i)
            if (auto id = parse_uint(words[i]); id && *id < no_id) return static_cast<uint32_t>(*id);
    return {};
}

// None: its id cannot be told.
Result<std::optional<AclEntry>> parse_entry(std::string_view text) {
    auto wrong = [&] {
        return error(Errc::invalid,
                     cat("its ACL has an entry ", quoted(text.substr(0, 80)), ", which is none"));
    };
    std::vector<std::string> words = split(text, ':');
    for (const Tag& tag : tags) {
        if (words.empty() || (words[0] != tag.word && words[0] != tag.word.substr(0, 1))) continue;
        bool short_form = !tag.named && words.size() == 2;  // "other:r--"
        if (words.size() < 3 && !short_form) return wrong();
        auto permissions = permissions_of(words[short_form ? 1 : 2]);
        if (!permissions) return wrong();
        if (short_form || words[1].empty()) return AclEntry{tag.owner, *permissions, no_id};
        if (!tag.named) return wrong();
        auto id = id_of(words);
        return id ? std::optional(AclEntry{tag.named, *permissions, *id}) : std::nullopt;
    }
    return wrong();
}

}  // namespace

Result<std::string> acl_from_text(std::string_view text, uint64_t& left) {
    std::vector<AclEntry> entries;
    while (!text.empty()) {
        size_t end = std::min(text.find_first_of(",\n"), text.size());  // GNU tar has a line for each
        std::string_view word = trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (word.empty()) continue;
        if (auto entry = TRY(parse_entry(word)))
            entries.push_back(*entry);
        else
            ++left;
    }
    if (entries.empty()) return std::string();
    std::sort(entries.begin(), entries.end(), [](const AclEntry& a, const AclEntry& b) {
        return a.tag != b.tag ? a.tag < b.tag : a.id < b.id;
    });
    std::string out(header_size + entries.size() * sizeof(AclEntry), '\0');
    memcpy(out.data(), &version, sizeof version);
    memcpy(out.data() + header_size, entries.data(), entries.size() * sizeof(AclEntry));
    return out;
}

Result<std::string> acl_to_text(std::string_view attribute) {
    uint32_t said = 0;
    if (attribute.size() >= header_size) memcpy(&said, attribute.data(), sizeof said);
    if (said != version || (attribute.size() - header_size) % sizeof(AclEntry))
        return error(Errc::invalid, "its ACL is in a form that is not known here");
    std::string out;
    for (attribute.remove_prefix(header_size); !attribute.empty();
         attribute.remove_prefix(sizeof(AclEntry))) {
        AclEntry entry;
        memcpy(&entry, attribute.data(), sizeof entry);
        for (const Tag& tag : tags) {
            if (entry.tag != tag.owner && entry.tag != tag.named) continue;
            std::string id = entry.tag == tag.named ? cat(entry.id) : "";
            out += cat(out.empty() ? "" : ",", tag.word, ":", id, ":", entry.permissions & 4 ? "r" : "-",
                       entry.permissions & 2 ? "w" : "-", entry.permissions & 1 ? "x" : "-");
            if (!id.empty()) out += cat(":", id);  // star's form: name and number
        }
    }
    return out;
}

}  // namespace croft::archive
