// Rows: the tree as a whole, and who owns its files.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

constexpr Choice<Volatile> volatiles[] = {
    {"no", Volatile::no}, {"yes", Volatile::yes}, {"state", Volatile::state}, {"overlay", Volatile::overlay}};
constexpr Choice<Propagation> propagations[] = {
    {"private", Propagation::private_}, {"rprivate", Propagation::rprivate},
    {"slave", Propagation::slave},      {"rslave", Propagation::rslave},
    {"shared", Propagation::shared},    {"rshared", Propagation::rshared}};
constexpr Choice<UserNamespace::Ownership> ownerships[] = {{"auto", UserNamespace::Ownership::automatic},
                                                           {"off", UserNamespace::Ownership::off},
                                                           {"map", UserNamespace::Ownership::map},
                                                           {"chown", UserNamespace::Ownership::chown}};
constexpr Choice<OsCheck> os_checks[] = {{"yes", OsCheck::skip}, {"no", OsCheck::require}};

// Old .nspawn files write a truth value.
Result<> set_volatile(MachineSpec& s, string_view text) {
    auto truth = parse_bool(text);
    return row_set<OneOf<volatiles>, ROW_SLOT(root.volatile_mode)>(
        s, truth ? string_view(*truth ? "yes" : "no") : text);
}
Result<> set_force_tree(MachineSpec& s, string_view text) {
    s.root.os_check = TRY(parse_bool_value(text)) ? OsCheck::skip : OsCheck::require;
    return {};
}
Result<> set_chown(MachineSpec& s, string_view text) {
    using Ownership = UserNamespace::Ownership;
    s.users.ownership = TRY(parse_bool_value(text)) ? Ownership::chown : Ownership::off;
    return {};
}
Result<> set_ownership(MachineSpec& s, string_view text) {
    if (text == "foreign")
        return error(Errc::unsupported,
                     "'foreign' is not available: it needs systemd-mountfsd; use map (a tree owned by root)");
    return row_set<OneOf<ownerships>, ROW_SLOT(users.ownership)>(s, text);
}

// NEW[:OLD], both inside the tree.
Result<> set_pivot_root(MachineSpec& s, string_view text) {
    std::vector<std::string> parts = split_escaped(text, ':');
    if (parts.size() > 2) return wrong_value(text, "has too many ':' (NEW[:OLD])");
    std::string fresh = TRY(parse_inside_path(parts[0]));
    std::string old = parts.size() == 2 ? TRY(parse_inside_path(parts[1])) : "";
    if (fresh == "/") return wrong_value(text, "names the tree itself as the new root");
    s.root.pivot_new = std::move(fresh);
    s.root.pivot_old = std::move(old);
    return {};
}
std::vector<std::string> get_pivot_root(const MachineSpec& s) {
    if (s.root.pivot_new.empty()) return {};
    std::string out = escape_colons(s.root.pivot_new);
    return {s.root.pivot_old.empty() ? out : cat(out, ":", escape_colons(s.root.pivot_old))};
}
void reset_pivot_root(MachineSpec& s) {
    s.root.pivot_new.clear();
    s.root.pivot_old.clear();
}

Result<std::string> parse_user_shell(string_view text) {
    if (auto truth = parse_bool(text)) return std::string(*truth ? "yes" : "no");
    return parse_inside_path(text);
}
using UserShell = String<parse_user_shell>;

const Field table[] = {
    {.name = "read-only",
     .option = "--read-only",
     .section = "Files",
     .key = "ReadOnly",
     .key_of = KeyOf::nspawn,
     .trust = Trust::anyone,
     .values = "yes|no",
     .help = "Mount the tree read-only",
     .doc = "The tree's own files cannot be changed from inside; /dev, /run, /tmp and binds stay as they "
            "are. Default: no.",
     .example = "--read-only",
     ROW_VALUE(Bool, root.read_only)},
    {.name = "volatile",
     .option = "--volatile",
     .section = "Files",
     .key = "Volatile",
     .key_of = KeyOf::nspawn,
     .argument = "[MODE]",
     .trust = Trust::anyone,
     .values = "yes|no|state|overlay",
     .help = "Forget changes to the tree when the machine ends",
     .doc = "yes: an empty root in memory with the tree's /usr, read-only (needs a merged /usr). state: the "
            "tree read-only with an empty /var in memory. overlay: changes go to memory. Default: no; yes "
            "when given without a mode.",
     .example = "--volatile=overlay",
     .set = set_volatile,
     .get = row_get<OneOf<volatiles>, ROW_SLOT(root.volatile_mode)>,
     .reset = row_reset<ROW_SLOT(root.volatile_mode)>},
    {.name = "ephemeral",
     .option = "--ephemeral",
     .short_option = 'x',
     .section = "Exec",
     .key = "Ephemeral",
     .key_of = KeyOf::nspawn,
     .values = "yes|no",
     .help = "Run on a throwaway copy of the tree",
     .doc = "A snapshot or reflink copy where the file system has it, else an overlay with its changes on "
            "disk; removed when the machine ends. The tree itself is never written. Default: no.",
     .example = "-x",
     ROW_VALUE(Bool, root.ephemeral)},
    {.name = "pivot-root",
     .option = "--pivot-root",
     .section = "Exec",
     .key = "PivotRoot",
     .key_of = KeyOf::nspawn,
     .argument = "NEW[:OLD]",
     .trust = Trust::anyone,
     .help = "Make a directory of the tree the root",
     .doc = "NEW, inside the tree, becomes '/' of the machine; with OLD the tree's own root is kept there (a "
            "path below the new root). For trees such as OSTree's. Default: the tree's own root.",
     .example = "--pivot-root=/ostree/deploy/os:/sysroot",
     .set = set_pivot_root,
     .get = get_pivot_root,
     .reset = reset_pivot_root},
    {.name = "propagation",
     .section = "Files",
     .key = "MountPropagation",
     .argument = "MODE",
     .offered = Offered::file_only,
     .values = "private|rprivate|slave|rslave|shared|rshared",
     .help = "Propagation of mounts inside",
     .doc = "How the machine's root is shared with mount namespaces made inside it (mount_namespaces(7)); "
            "nothing inside ever propagates to the host. Default: shared for boot, private for an app.",
     .example = "MountPropagation=private",
     ROW_VALUE(OneOf<propagations>, root.propagation)},
    {.name = "force-tree",
     .option = "--force-tree",
     .section = "Machine",
     .key = "ForceTree",
     .values = "yes|no",
     .help = "Accept a directory that does not look like an OS tree",
     .doc = "Skips the check for usr/ and an os-release file, for a tree that holds one static program, say. "
            "Default: no.",
     .example = "--force-tree",
     .set = set_force_tree,
     .get = row_get<OneOf<os_checks>, ROW_SLOT(root.os_check)>,
     .reset = row_reset<ROW_SLOT(root.os_check)>},
    {.name = "private-users-ownership",
     .option = "--private-users-ownership",
     .section = "Files",
     .key = "PrivateUsersOwnership",
     .key_of = KeyOf::nspawn,
     .argument = "HOW",
     .values = "auto|map|off",
     .help = "How files of the tree belong to the machine's users",
     .doc = "map: an idmapped mount, so a tree owned by root belongs to the machine's root. off: ids on disk "
            "are taken as they are. auto: map when the tree's owner is outside of the machine's range, else "
            "off. croft never changes owners on disk, so chown is refused. Default: auto.",
     .example = "--private-users-ownership=map",
     .set = set_ownership,
     .get = row_get<OneOf<ownerships>, ROW_SLOT(users.ownership)>,
     .reset = row_reset<ROW_SLOT(users.ownership)>},
    {.name = "private-users-chown",
     .section = "Files",
     .key = "PrivateUsersChown",
     .key_of = KeyOf::nspawn,
     .argument = "BOOL",
     .offered = Offered::file_only,
     .values = "no",
     .help = "Old spelling of PrivateUsersOwnership=",
     .doc = "no is PrivateUsersOwnership=off; yes is chown, which croft refuses: it never changes owners on "
            "disk.",
     .example = "PrivateUsersChown=no",
     .set = set_chown,
     .get = row_get_nothing,
     .reset = row_reset<ROW_SLOT(users.ownership)>},
    {.name = "bind-user",
     .section = "Files",
     .key = "BindUser",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "USER",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Not available yet: make a user of the host known inside",
     .doc = "Accepted and refused by name when the machine starts, until croft can do it. Use Bind= with the "
            "home directory.",
     .example = "BindUser=alice",
     ROW_ITEMS(Text, integration.bind_users)},
    {.name = "bind-user-shell",
     .section = "Files",
     .key = "BindUserShell",
     .key_of = KeyOf::nspawn,
     .argument = "BOOL|PATH",
     .offered = Offered::file_only,
     .help = "Shell of bound users",
     .doc = "Only has a meaning with BindUser=, which is not available yet.",
     .example = "BindUserShell=/bin/bash",
     ROW_VALUE(UserShell, integration.bind_user_shell)},
};
}  // namespace

std::span<const Field> file_rows() {
    return table;
}

}  // namespace croft::spec
