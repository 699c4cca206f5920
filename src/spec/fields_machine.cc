// Rows: what the machine is called and how it lives.
#include "base/names.h"
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

Result<std::string> parse_name(string_view text) {
    TRY(check_machine_name(text));
    return std::string(text);
}
using Name = String<parse_name>;

// The kernel takes 64 bytes (__NEW_UTS_LEN); the alphabet is hostname(7)'s.
Result<std::string> parse_hostname(string_view text) {
    if (check_machine_name(text)) return std::string(text);
    return wrong_value(text, "is no host name (letters, digits, '-' and '.', at most 64 characters)");
}
using Hostname = String<parse_hostname>;

// 32 hex digits, with or without the dashes of a UUID. All zeros is what machine-id(5) calls unset.
Result<std::string> parse_uuid(string_view text) {
    std::string digits;
    for (char c : lower(text))
        if (c != '-') digits += c;
    bool good = digits.size() == 32 && digits.find_first_not_of("0123456789abcdef") == digits.npos;
    if (!good) return wrong_value(text, "is no machine id (32 hex digits, or a UUID)");
    if (digits.find_first_not_of('0') == digits.npos)
        return wrong_value(text, "is all zeros, which means unset");
    return digits;
}
using Uuid = String<parse_uuid>;

Result<std::pair<std::string, std::string>> parse_annotation(string_view text) {
    size_t equals = text.find('=');
    if (equals == text.npos || equals == 0) return wrong_value(text, "is no KEY=VALUE");
    return std::pair(TRY(parse_text(text.substr(0, equals))), TRY(parse_text(text.substr(equals + 1))));
}
struct Annotation : Pair {
    static Result<std::pair<std::string, std::string>> parse(string_view v) { return parse_annotation(v); }
};

constexpr Choice<Mode> modes[] = {{"app", Mode::app}, {"boot", Mode::boot}};
constexpr Choice<Mode> boot_words[] = {{"yes", Mode::boot}, {"no", Mode::app}};
constexpr Choice<NotifyReady> notify_words[] = {
    {"yes", NotifyReady::yes}, {"no", NotifyReady::no}, {"auto", NotifyReady::automatic}};

Result<> set_boot(MachineSpec& s, string_view text) {
    s.mode = TRY(parse_bool_value(text)) ? Mode::boot : Mode::app;
    return {};
}
// "true" and "1" are what .nspawn files write, besides "auto", which is croft's own.
Result<> set_notify_ready(MachineSpec& s, string_view text) {
    auto truth = parse_bool(text);
    return row_set<OneOf<notify_words>, ROW_SLOT(process.notify_ready)>(
        s, truth ? string_view(*truth ? "yes" : "no") : text);
}
// A path, alone or as raw:PATH, is a disk image of this host; anything else names an image of the store.
Result<> set_image(MachineSpec& s, string_view text) {
    bool raw = text.starts_with("raw:");
    if (raw) text.remove_prefix(4);
    if (!raw && !text.starts_with('/')) return row_set<Text, ROW_SLOT(root.image)>(s, text);
    s.root.image.clear();
    s.root.directory = TRY(HostFile::parse(text));
    return {};
}

// SHA-256 or another hash that veritysetup(8) knows.
Result<std::string> parse_root_hash(string_view text) {
    std::string digits = lower(text);
    if (digits.size() < 64 || digits.size() > 128 || digits.size() % 2 ||
        digits.find_first_not_of("0123456789abcdef") != digits.npos)
        return wrong_value(text, "is no root hash (64 to 128 hex digits, as veritysetup format prints)");
    return digits;
}
using RootHash = String<parse_root_hash>;

const Field table[] = {
    {.name = "name",
     .option = "--name",
     .short_option = 'M',
     .aliases = "--machine",
     .argument = "NAME",
     .values = "machine",
     .help = "Name of the machine",
     .doc = "Up to 64 characters: letters, digits and '-', in parts joined by '.'. It is also the host name, "
            "the name of the control group and of the unit. Default: the last part of the tree's path for "
            "boot, that and 8 random hex digits for run. A name that runs already is refused.",
     .example = "--name=web",
     ROW_VALUE(Name, name)},
    {.name = "rm",
     .option = "--rm",
     .offered = Offered::run,
     .values = "yes|no",
     .help = "Forget the machine when it ends",
     .doc = "Removes the machine's record, exit status and log when it ends. Default: no for a detached "
            "machine, so that 'croft wait' and 'croft logs' still find them; a foreground machine leaves "
            "nothing anyway.",
     .example = "--rm",
     ROW_VALUE(Bool, remove_when_done)},
    {.name = "boot",
     .section = "Exec",
     .key = "Boot",
     .key_of = KeyOf::nspawn,
     .argument = "BOOL",
     .trust = Trust::anyone,
     .offered = Offered::file_only,
     .values = "yes|no",
     .help = "Run the tree's init",
     .doc = "yes: the machine runs the tree's init with the container interface of systemd, and Parameters= "
            "are the init's arguments. no: it runs the command of Parameters=. The verb decides on the "
            "command line: 'croft boot' or 'croft run'. Default: no, as in systemd.nspawn(5).",
     .example = "Boot=yes",
     .set = set_boot,
     .get = row_get<OneOf<boot_words>, ROW_SLOT(mode)>,
     .reset = row_reset<ROW_SLOT(mode)>},
    {.name = "mode",
     .section = "Machine",
     .key = "Mode",
     .argument = "MODE",
     .offered = Offered::file_only,
     .values = "app|boot",
     .help = "What the machine runs: a program or an init",
     .doc = "app or boot; the same setting as Boot= of [Exec], which is how it is shown. Default: app.",
     .example = "Mode=boot",
     .set = row_set<OneOf<modes>, ROW_SLOT(mode)>,
     .get = row_get_nothing,
     .reset = row_reset<ROW_SLOT(mode)>},
    {.name = "directory",
     .section = "Machine",
     .key = "Directory",
     .argument = "PATH",
     .offered = Offered::file_only,
     .host_path = HostPath::whole,
     .values = "path",
     .help = "The tree the machine runs on",
     .doc = "Absolute path of a directory with an OS tree on this host. On the command line the tree is the "
            "first word after the options. No default.",
     .example = "Directory=/var/lib/machines/debian",
     ROW_VALUE(HostFile, root.directory)},
    {.name = "image",
     .option = "--image",
     .section = "Machine",
     .key = "Image",
     .argument = "IMAGE",
     .host_path = HostPath::reference,
     .help = "The image that the machine's root is made from",
     .doc = "Name of an image of the store (`croft image list`). A declared machine gets a root of its own over the image's "
            "layers when it is created, and keeps it; a new image under the same name changes nothing until `croft "
            "rebuild`. What the image says of its process (command, environment, user, working directory) is the "
            "default of these settings. Not together with Directory=. A path, alone or as raw:PATH, is a raw disk image or "
            "a block device in the place of a directory, and is shown as Directory=. On the command line no TREE is given "
            "then. No default.",
     .example = "--image=debian:trixie",
     .set = set_image,
     .get = row_get<Text, ROW_SLOT(root.image)>,
     .reset = row_reset<ROW_SLOT(root.image)>},
    {.name = "root-hash",
     .option = "--root-hash",
     .section = "Machine",
     .key = "RootHash",
     .argument = "HASH",
     .help = "dm-verity root hash of the disk image",
     .doc = "Hex digits as veritysetup(8) prints them. The root is then checked block by block against them as it is read, "
            "and cannot be written. Default: the attribute user.verity.roothash of the image, or the file beside it that "
            "has .roothash for .raw; none where there is neither.",
     .example = "--root-hash=0b7ab8cbc1d1ab0e0d5bd63e0ac5e2cdbcc7e7b1b3fbab0b3f7e3f9a11f9a2c4",
     ROW_VALUE(RootHash, root.root_hash)},
    {.name = "verity-data",
     .option = "--verity-data",
     .section = "Machine",
     .key = "VerityData",
     .argument = "FILE",
     .host_path = HostPath::whole,
     .values = "path",
     .help = "File with the hashes for --root-hash",
     .doc = "For an image that does not hold its hashes itself. Default: the image's own verity partition, or the file "
            "beside the image that has .verity for .raw.",
     .example = "--verity-data=/var/lib/machines/web.verity",
     ROW_VALUE(HostFile, root.verity_data)},
    {.name = "autostart",
     .section = "Machine",
     .key = "Autostart",
     .argument = "BOOL",
     .offered = Offered::file_only,
     .values = "yes|no",
     .help = "Start with the host",
     .doc = "Whether a declared machine starts when the host boots: with croft.target, which `systemctl enable "
            "croft.target` makes a part of the boot. Has no meaning without systemd. Default: no.",
     .example = "Autostart=yes",
     ROW_VALUE(Bool, autostart)},
    {.name = "hostname",
     .option = "--hostname",
     .section = "Exec",
     .key = "Hostname",
     .key_of = KeyOf::nspawn,
     .argument = "NAME",
     .trust = Trust::anyone,
     .help = "Host name inside",
     .doc = "The kernel's host name in the machine's own UTS namespace, at most 64 characters. Default: the "
            "machine's name.",
     .example = "--hostname=web.example.org",
     ROW_VALUE(Hostname, integration.hostname)},
    {.name = "domainname",
     .option = "--domainname",
     .section = "Exec",
     .key = "Domainname",
     .argument = "NAME",
     .help = "NIS domain name inside",
     .doc = "The kernel's (NIS) domain name in the machine's UTS namespace, at most 64 characters; not the "
            "DNS domain. Default: the kernel's '(none)'.",
     .example = "--domainname=example.org",
     ROW_VALUE(Hostname, integration.domainname)},
    {.name = "uuid",
     .option = "--uuid",
     .section = "Exec",
     .key = "MachineID",
     .key_of = KeyOf::nspawn,
     .argument = "UUID",
     .help = "Machine id, where the tree has none",
     .doc = "32 hex digits, with or without dashes. Passed as $container_uuid; systemd inside uses it when "
            "its /etc/machine-id is not set. Default: random at each start.",
     .example = "--uuid=7f5a3f0c1b2d4e6f8091a2b3c4d5e6f7",
     ROW_VALUE(Uuid, integration.uuid)},
    {.name = "annotation",
     .option = "--annotation",
     .section = "Machine",
     .key = "Annotation",
     .syntax = KeySyntax::words,
     .argument = "KEY=VALUE",
     .repeat = Repeat::adds,
     .help = "A note for programs that read the spec",
     .doc = "Text that means nothing to croft itself (runtime-spec's annotations). A later one with the same "
            "key replaces the earlier. Default: none.",
     .example = "--annotation=owner=alice",
     ROW_PAIRS(Annotation, integration.annotations)},
    {.name = "stop-signal",
     .option = "--stop-signal",
     .aliases = "--kill-signal",
     .section = "Exec",
     .key = "KillSignal",
     .key_of = KeyOf::nspawn,
     .argument = "SIGNAL",
     .trust = Trust::anyone,
     .values = "signal",
     .help = "Signal that asks PID 1 to end",
     .doc = "Sent by 'croft stop', and when croft itself is told to end: a name with or without SIG, "
            "SIGRTMIN+N, or a number. Default: SIGRTMIN+3 for systemd (halt), what other inits document, "
            "SIGTERM for an app.",
     .example = "--stop-signal=SIGINT",
     ROW_VALUE(Signal, process.stop_signal)},
    {.name = "stop-timeout",
     .option = "--stop-timeout",
     .section = "Machine",
     .key = "StopTimeout",
     .argument = "DURATION",
     .help = "How long to wait until SIGKILL",
     .doc = "A duration as in systemd.time(7); seconds without a unit; infinity never kills. What still runs "
            "then is named and killed. Default: 10s for an app, 90s for a booted machine.",
     .example = "--stop-timeout=30s",
     ROW_VALUE(Duration, process.stop_timeout)},
    {.name = "notify-ready",
     .option = "--notify-ready",
     .section = "Exec",
     .key = "NotifyReady",
     .key_of = KeyOf::nspawn,
     .argument = "[WHEN]",
     .trust = Trust::anyone,
     .values = "yes|no|auto",
     .help = "Ready when the payload says so",
     .doc = "yes: the machine is ready once its PID 1 sends READY=1 to $NOTIFY_SOCKET (sd_notify(3)). no: as "
            "soon as it runs. auto: yes for a systemd init, no otherwise. Default: auto.",
     .example = "--notify-ready",
     .set = set_notify_ready,
     .get = row_get<OneOf<notify_words>, ROW_SLOT(process.notify_ready)>,
     .reset = row_reset<ROW_SLOT(process.notify_ready)>},
};
}  // namespace

std::span<const Field> machine_rows() {
    return table;
}

}  // namespace croft::spec
