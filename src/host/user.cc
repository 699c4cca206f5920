#include "host/user.h"

#include "base/text.h"
#include "host/tree.h"

namespace croft::host {
namespace {

constexpr uint32_t no_id = UINT32_MAX;  // (uid_t)-1 means "unchanged" to the kernel, so it is no id

std::optional<uint32_t> parse_id(std::string_view text) {
    auto number = parse_uint(text);
    if (!number || *number >= no_id) return std::nullopt;
    return static_cast<uint32_t>(*number);
}

// Calls `take` with the fields of each line that has at least `least` of them, until it returns false.
template <class Take>
void each_entry(std::string_view text, size_t least, Take take) {
    // A NUL byte means that this is no text file; a C library would read something else than we do.
    if (text.find('\0') != text.npos) return;
    while (!text.empty()) {
        size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        std::string_view fields[8];
        size_t count = 0;
        while (count < 8) {
            size_t colon = line.find(':');
            fields[count++] = line.substr(0, colon);
            if (colon == line.npos) break;
            line.remove_prefix(colon + 1);
        }
        if (count >= least && !fields[0].empty() && !take(fields)) return;
    }
}

bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        size_t end = std::min(list.find(','), list.size());
        if (list.substr(0, end) == word) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

// The passwd entry of a name or a number. A name that is all digits is found as a number, as chown(1) does.
bool find_user(std::string_view passwd, std::string_view wanted, ResolvedUser& user) {
    auto number = parse_id(wanted);
    bool found = false;
    each_entry(passwd, 7, [&](const std::string_view* field) {
        auto uid = parse_id(field[2]), gid = parse_id(field[3]);
        if (!uid || !gid || (number ? *uid != *number : field[0] != wanted)) return true;
        user.name = field[0], user.uid = *uid, user.gid = *gid;
        if (field[5].starts_with('/')) user.home = field[5];
        if (field[6].starts_with('/')) user.shell = field[6];
        found = true;
        return false;
    });
    return found;
}

Result<uint32_t> find_group(std::string_view group, std::string_view wanted) {
    if (auto number = parse_id(wanted)) return *number;
    std::optional<uint32_t> found;
    each_entry(group, 3, [&](const std::string_view* field) {
        if (field[0] == wanted) found = parse_id(field[2]);
        return !found;
    });
    if (!found)
        return error(Errc::not_found,
                     cat("no group ", quoted(wanted),
                         " in the tree's /etc/group; give a number or a group that is there"));
    return *found;
}

std::vector<uint32_t> groups_of(std::string_view group, std::string_view name, uint32_t primary) {
    std::vector<uint32_t> out;
    each_entry(group, 4, [&](const std::string_view* field) {
        auto gid = parse_id(field[2]);
        if (gid && *gid != primary && has_word(field[3], name)) out.push_back(*gid);
        return out.size() < 1024;  // far below NGROUPS_MAX; a hostile file shall not make a start slow
    });
    return out;
}

}  // namespace

Result<ResolvedUser> resolve_user_in(std::string_view passwd, std::string_view group,
                                     std::string_view wanted) {
    ResolvedUser user;
    if (wanted.empty()) wanted = "root";
    size_t colon = wanted.find(':');
    std::string_view name = wanted.substr(0, colon);
    if (name.empty() || (colon != wanted.npos && colon + 1 == wanted.size()))
        return error(Errc::invalid, cat(quoted(wanted), " is no user (NAME, UID, NAME:GROUP or UID:GID)"));
    if (!find_user(passwd, name, user)) {
        auto number = parse_id(name);
        // root is there even when the tree has no /etc/passwd.
        if (!number && name == "root") number = 0;
        if (!number)
            return error(Errc::not_found,
                         cat("no user ", quoted(name),
                             " in the tree's /etc/passwd; give a number or a user that is there"));
        user.uid = *number;
        if (user.uid == 0) user.name = "root", user.home = "/root";
    }
    if (colon != wanted.npos)
        user.gid = TRY(find_group(group, wanted.substr(colon + 1)));
    else if (!user.name.empty())
        user.groups = groups_of(group, user.name, user.gid);
    return user;
}

Result<ResolvedUser> resolve_user(int root, std::string_view user) {
    std::string passwd, group;
    if (auto text = read_in_tree(root, "etc/passwd")) passwd = std::move(*text);
    if (auto text = read_in_tree(root, "etc/group")) group = std::move(*text);
    return resolve_user_in(passwd, group, user);
}

}  // namespace croft::host
