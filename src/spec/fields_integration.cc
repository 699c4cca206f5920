// Rows: what the machine gets of the host's configuration, and credentials.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

constexpr const char* resolv_words[] = {
    "auto",         "off",       "delete",       "copy-host",      "copy-static",
    "copy-uplink",  "copy-stub", "replace-host", "replace-static", "replace-uplink",
    "replace-stub", "bind-host", "bind-static",  "bind-uplink",    "bind-stub"};
constexpr const char* timezone_words[] = {"auto", "off", "copy", "bind", "symlink", "delete"};
constexpr const char* journal_words[] = {"no", "auto", "host", "guest", "try-host", "try-guest"};

// A credential is a file of that name, in one flat directory.
Result<std::string> parse_credential_id(string_view id) {
    bool good = !id.empty() && id.size() <= 255 && id != "." && id != ".." && id.find('/') == id.npos;
    if (!good) return wrong_value(id, "is no name of a credential (a file name)");
    return parse_text(id);
}
Result<> store(MachineSpec& s, Credential credential) {
    auto& list = s.integration.credentials;
    std::erase_if(list, [&](const Credential& old) { return old.id == credential.id; });
    list.push_back(std::move(credential));
    return {};
}
Result<> set_credential(MachineSpec& s, string_view text) {
    size_t colon = text.find(':');
    if (colon == text.npos) return wrong_value(text, "is no ID:VALUE");
    Credential credential;
    credential.id = TRY(parse_credential_id(text.substr(0, colon)));
    credential.value = TRY(unescape_c(text.substr(colon + 1)));
    return store(s, std::move(credential));
}
Result<> load_credential(MachineSpec& s, string_view text) {
    size_t colon = text.find(':');
    if (colon == text.npos) return wrong_value(text, "is no ID:PATH");
    Credential credential;
    credential.id = TRY(parse_credential_id(text.substr(0, colon)));
    credential.path = TRY(parse_host_path(text.substr(colon + 1)));
    return store(s, std::move(credential));
}
std::vector<std::string> get_set_credentials(const MachineSpec& s) {
    std::vector<std::string> out;
    for (const Credential& credential : s.integration.credentials)
        if (credential.path.empty()) out.push_back(cat(credential.id, ":", escape_c(credential.value)));
    return out;
}
std::vector<std::string> get_load_credentials(const MachineSpec& s) {
    std::vector<std::string> out;
    for (const Credential& credential : s.integration.credentials)
        if (!credential.path.empty()) out.push_back(cat(credential.id, ":", credential.path));
    return out;
}

const Field table[] = {
    {.name = "resolv-conf",
     .option = "--resolv-conf",
     .section = "Exec",
     .key = "ResolvConf",
     .key_of = KeyOf::nspawn,
     .argument = "MODE",
     .trust = Trust::anyone,
     .values = "auto|off|copy-host|copy-static|copy-uplink|copy-stub|replace-host|replace-static|replace-"
               "uplink|replace-stub|bind-host|bind-static|bind-uplink|bind-stub|delete",
     .help = "Where the machine's /etc/resolv.conf comes from",
     .doc = "off leaves it, delete removes it; copy-, replace- or bind- with host (the host's file), static, "
            "uplink or stub (systemd-resolved's). replace- also takes the place of a symlink. auto: "
            "untouched with a network of its own, else the host's: copied, or bound where the tree is "
            "read-only. Default: auto.",
     .example = "--resolv-conf=bind-host",
     ROW_VALUE(Word<resolv_words>, integration.resolv_conf)},
    {.name = "timezone",
     .option = "--timezone",
     .section = "Exec",
     .key = "Timezone",
     .key_of = KeyOf::nspawn,
     .argument = "MODE",
     .trust = Trust::anyone,
     .values = "auto|off|copy|bind|symlink|delete",
     .help = "Where the machine's /etc/localtime comes from",
     .doc = "off leaves it, delete removes it; copy or bind the host's file, or symlink as the host's does. "
            "auto: symlink, else copy; bind where the tree is read-only. Default: auto.",
     .example = "--timezone=off",
     ROW_VALUE(Word<timezone_words>, integration.timezone)},
    {.name = "link-journal",
     .option = "--link-journal",
     .section = "Exec",
     .key = "LinkJournal",
     .key_of = KeyOf::nspawn,
     .argument = "MODE",
     .values = "no|auto|host|guest|try-host|try-guest",
     .help = "Let the host read the machine's journal",
     .doc = "guest: the journal is in the tree and the host gets a link below /var/log/journal; host: it is "
            "on the host and bound inside; try- forms skip it where the host has no journal; auto: bind "
            "where the host has the directory already. Default: no.",
     .example = "--link-journal=try-guest",
     ROW_VALUE(Word<journal_words>, integration.link_journal)},
    {.name = "set-credential",
     .option = "--set-credential",
     .section = "Exec",
     .key = "SetCredential",
     .argument = "ID:VALUE",
     .repeat = Repeat::adds,
     .help = "A credential, given here",
     .doc = "ID is a file name; VALUE may hold C escapes (\\n, \\x00). The payload finds it in "
            "$CREDENTIALS_DIRECTORY (systemd.exec(5)), readable by root inside only. Other users of the host "
            "can see a command line: use --load-credential for secrets. Default: none.",
     .example = "--set-credential=firstboot.locale:C.UTF-8",
     .set = set_credential,
     .get = get_set_credentials,
     .reset =
         [](MachineSpec& s) {
             std::erase_if(s.integration.credentials, [](const Credential& c) { return c.path.empty(); });
         }},
    {.name = "load-credential",
     .option = "--load-credential",
     .section = "Exec",
     .key = "LoadCredential",
     .argument = "ID:PATH",
     .repeat = Repeat::adds,
     .host_path = HostPath::second,
     .values = "path",
     .help = "A credential, read from a file of the host",
     .doc = "ID is a file name, PATH a file of at most 1 MiB that is read when the machine starts. Default: "
            "none.",
     .example = "--load-credential=db.password:/etc/croft/db.password",
     .set = load_credential,
     .get = get_load_credentials,
     .reset =
         [](MachineSpec& s) {
             std::erase_if(s.integration.credentials, [](const Credential& c) { return !c.path.empty(); });
         }},
};
}  // namespace

std::span<const Field> integration_rows() {
    return table;
}

}  // namespace croft::spec
