// Rows: the user namespace, and namespaces that are shared or joined.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;
using Mode = UserNamespace::Mode;

// BASE[:COUNT]: every id of the range must be one that Linux has; -1 is none.
Result<> set_range(MachineSpec& s, string_view text) {
    size_t colon = text.find(':');
    auto base = parse_uint(text.substr(0, colon));
    auto count = colon == text.npos ? std::optional<uint64_t>(65536) : parse_uint(text.substr(colon + 1));
    bool good = base && count && *base <= UINT32_MAX && *count >= 1 && *base + *count <= UINT32_MAX &&
                *count <= UINT32_MAX;
    if (!good)
        return wrong_value(text,
                           "is neither no, pick, identity nor a range BASE[:COUNT] of ids below 4294967295");
    if (*base == 0) return wrong_value(text, "maps the host's own root inside: use no, which says so");
    s.users.mode = Mode::fixed;
    s.users.base = static_cast<uint32_t>(*base);
    s.users.count = static_cast<uint32_t>(*count);
    return {};
}

Result<> set_private_users(MachineSpec& s, string_view text) {
    if (text == "managed")
        return error(Errc::unsupported, "'managed' is not available: it needs systemd-nsresourced; use pick");
    auto truth = parse_bool(text);
    // "0" and "1" are truth values to systemd-nspawn(1) as well: a range starts at a real id.
    if (truth || text == "pick" || text == "identity" || text == "auto") {
        s.users = UserNamespace{.ownership = s.users.ownership};
        s.users.mode = text == "identity"                        ? Mode::identity
                       : text == "auto"                          ? Mode::automatic
                       : text == "pick" || truth.value_or(false) ? Mode::pick
                                                                 : Mode::no;
        return {};
    }
    return set_range(s, text);
}
std::vector<std::string> get_private_users(const MachineSpec& s) {
    switch (s.users.mode) {
        case Mode::automatic:
            return {};
        case Mode::no:
            return {"no"};
        case Mode::pick:
            return {"pick"};
        case Mode::identity:
            return {"identity"};
        case Mode::fixed:
            return {cat(s.users.base, ":", s.users.count)};
        case Mode::maps:
            return {};  // only OCI can say these
    }
    return {};
}
void reset_private_users(MachineSpec& s) {
    s.users = UserNamespace{.ownership = s.users.ownership};
}

Result<> refuse_delegate(MachineSpec&, string_view text) {
    auto count = TRY(parse_range(text, 0, 16, "number of ranges"));
    if (count == 0) return {};
    return error(Errc::unsupported,
                 "PrivateUsersDelegate= is not available: it needs systemd-nsresourced; give the machine a "
                 "larger range with PrivateUsers=BASE:COUNT");
}

// A new namespace ("private"), the host's, or the one at a path.
Result<std::string> parse_namespace(string_view text) {
    if (text == "private") return std::string();
    if (text == "host") return std::string(text);
    if (text.starts_with('/')) return parse_host_path(text);
    return wrong_value(text, "is no namespace (private, host, or the absolute path of one)");
}
using Namespace = String<parse_namespace>;

const Field table[] = {
    {.name = "private-users",
     .option = "--private-users",
     .section = "Exec",
     .key = "PrivateUsers",
     .key_of = KeyOf::nspawn,
     .argument = "[HOW]",
     .values = "pick|no|identity|auto",
     .help = "User ids of its own: root inside is nobody outside",
     .doc = "pick (or yes): a range of 65536 ids kept for the machine's life. BASE[:COUNT]: that range; "
            "COUNT defaults to 65536. identity: ids as on the host, in a user namespace of its own. no: no "
            "user namespace, which is not safe with a payload you do not trust. Default: auto, which is pick "
            "where the kernel and the tree's file system can.",
     .example = "--private-users=pick",
     .set = set_private_users,
     .get = get_private_users,
     .reset = reset_private_users},
    {.name = "private-users-delegate",
     .section = "Exec",
     .key = "PrivateUsersDelegate",
     .key_of = KeyOf::nspawn,
     .argument = "NUMBER",
     .trust = Trust::anyone,
     .offered = Offered::file_only,
     .help = "Not available: further ranges for nested machines",
     .doc = "From 0 to 16; anything but 0 is refused, because it needs systemd-nsresourced. Use "
            "PrivateUsers=BASE:COUNT.",
     .example = "PrivateUsersDelegate=0",
     .set = refuse_delegate,
     .get = row_get_nothing,
     .reset = row_reset_nothing},
    {.name = "ipc",
     .option = "--ipc",
     .section = "Exec",
     .key = "IPC",
     .argument = "private|host|PATH",
     .values = "private|host|path",
     .help = "System V IPC and message queues: its own, or the host's",
     .doc = "private: a namespace of its own. host: the host's. PATH: the IPC namespace at that absolute "
            "path. Default: private.",
     .example = "--ipc=host",
     ROW_VALUE(Namespace, namespaces.ipc)},
    {.name = "uts",
     .option = "--uts",
     .section = "Exec",
     .key = "UTS",
     .argument = "private|host|PATH",
     .values = "private|host|path",
     .help = "Host name: its own, or the host's",
     .doc = "private: a namespace of its own. host: the host's name, which cannot be set from here. PATH: "
            "the UTS namespace at that absolute path. Default: private.",
     .example = "--uts=host",
     ROW_VALUE(Namespace, namespaces.uts)},
};
}  // namespace

std::span<const Field> isolation_rows() {
    return table;
}

}  // namespace croft::spec
