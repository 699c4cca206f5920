// Rows: the command, who runs it, and where.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

// Any text may be an argument, but no zero byte, where execve(2) would end it.
Result<std::string> parse_argument(string_view text) {
    if (text.find('\0') != text.npos) return wrong_value(text, "holds a zero byte, which no argument can");
    return std::string(text);
}
Result<> add_argument(MachineSpec& s, string_view text) {
    s.process.command.push_back(TRY(parse_argument(text)));
    return {};
}

Result<std::string> parse_environment_name(string_view text) {
    if (valid_environment_name(text)) return std::string(text);
    return wrong_value(text, "is no name of an environment variable (letters, digits and '_')");
}
using EnvironmentName = String<parse_environment_name>;

// The part of a name that is fit for user and group data bases of any Linux system; numbers are ids.
bool user_part(string_view text) {
    if (text.empty() || text.size() > 256 || text[0] == '-') return false;
    if (text.find_first_not_of("0123456789") == text.npos) {
        auto id = parse_uint(text);
        // (uid_t)-1 means "no change" to the kernel and 65535 did once.
        return id && *id < UINT32_MAX && *id != 65535;
    }
    for (char c : text)
        if (c == ':' || c == '/' || c == ',' || static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
            return false;
    return true;
}
Result<std::string> parse_user(string_view text) {
    size_t colon = text.find(':');
    bool good = user_part(text.substr(0, colon)) && (colon == text.npos || user_part(text.substr(colon + 1)));
    if (good) return std::string(text);
    return wrong_value(text, "is no user (NAME, UID, NAME:GROUP or UID:GID)");
}
using UserName = String<parse_user>;

struct GroupId {
    static Result<uint32_t> parse(string_view text) {
        return static_cast<uint32_t>(TRY(parse_range(text, 0, UINT32_MAX - 1, "group id")));
    }
    static std::string text(uint32_t id) { return cat(id); }
};

struct Umask {
    static Result<uint32_t> parse(string_view text) {
        auto mask = parse_uint(text, 8);
        if (mask && *mask <= 0777) return static_cast<uint32_t>(*mask);
        return wrong_value(text, "is no umask (octal, 0000 to 0777)");
    }
    static std::string text(uint32_t mask) { return cat('0', mask >> 6, (mask >> 3) & 7, mask & 7); }
};

constexpr Choice<Terminal> terminals[] = {
    {"auto", Terminal::automatic}, {"no", Terminal::none}, {"yes", Terminal::pty}};

const Field table[] = {
    {.name = "command",
     .section = "Exec",
     .key = "Parameters",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "WORD…",
     .repeat = Repeat::adds,
     .trust = Trust::anyone,
     .offered = Offered::file_only,
     .help = "The command, or the init's arguments",
     .doc = "The command and its arguments, in quotes where a word holds blanks. With Boot=yes the arguments "
            "of the init; those of the form KEY=VALUE become its environment. On the command line: what "
            "follows the tree. Default: a shell of the tree, or the init without arguments.",
     .example = "Parameters=/usr/bin/nginx -g 'daemon off;'",
     .set = add_argument,
     .get = [](const MachineSpec& s) { return s.process.command; },
     .reset = row_reset<ROW_SLOT(process.command)>},
    {.name = "init",
     .option = "--init",
     .aliases = "--as-pid2 -a",
     .section = "Exec",
     .key = "ProcessTwo",
     .key_of = KeyOf::nspawn,
     .trust = Trust::anyone,
     .offered = Offered::run,
     .values = "yes|no",
     .help = "Run the command under croft's tiny init",
     .doc = "PID 1 is then a small program of croft that reaps orphans, forwards signals and ends with the "
            "command's status; the command is PID 2. For programs that are not made to be PID 1. Not with "
            "Boot=yes. Default: no.",
     .example = "--init",
     ROW_VALUE(Bool, process.init)},
    {.name = "env",
     .option = "--env",
     .short_option = 'e',
     .aliases = "--setenv -E",
     .section = "Exec",
     .key = "Environment",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "NAME[=VALUE]",
     .repeat = Repeat::adds,
     .trust = Trust::anyone,
     .help = "Set an environment variable inside",
     .doc = "NAME=VALUE for the machine's first process. The option without '=' copies the caller's value "
            "(key: PassEnvironment=). A later value of the same name replaces the earlier. Default: PATH, "
            "HOME, USER, LOGNAME, TERM (with a terminal), container=croft, container_uuid.",
     .example = "--env=LANG=C.UTF-8",
     ROW_PAIRS(Pair, process.environment.set)},
    {.name = "pass-environment",
     .section = "Exec",
     .key = "PassEnvironment",
     .syntax = KeySyntax::words,
     .argument = "NAME",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Copy variables from croft's own environment",
     .doc = "Names of variables to copy from the environment of the croft command that starts the machine; "
            "those that are not set there are left out. The option is '--env NAME'. Default: none.",
     .example = "PassEnvironment=LANG",
     ROW_ITEMS(EnvironmentName, process.environment.pass)},
    {.name = "env-file",
     .option = "--env-file",
     .section = "Exec",
     .key = "EnvironmentFile",
     .argument = "FILE",
     .repeat = Repeat::adds,
     .host_path = HostPath::whole,
     .values = "path",
     .help = "Read variables from a file of this host",
     .doc = "Lines NAME=VALUE, or NAME to copy the caller's; blank lines and lines that start with '#' are "
            "skipped; a value is taken as it is, quotes included. --env has the last word. Default: none.",
     .example = "--env-file=web.env",
     ROW_ITEMS(HostFile, process.environment.files)},
    {.name = "user",
     .option = "--user",
     .short_option = 'u',
     .aliases = "--uid",
     .section = "Exec",
     .key = "User",
     .key_of = KeyOf::nspawn,
     .argument = "USER[:GROUP]",
     .trust = Trust::anyone,
     .values = "user",
     .help = "Run the command as this user of the tree",
     .doc = "A name or number, with a group or without. Names are looked up in the tree's own /etc/passwd "
            "and /etc/group; without a group it is the user's own and all the user's further ones. Default: "
            "root, uid 0 inside.",
     .example = "--user=www-data",
     ROW_VALUE(UserName, process.user.name)},
    {.name = "group-add",
     .option = "--group-add",
     .section = "Exec",
     .key = "SupplementaryGroups",
     .syntax = KeySyntax::words,
     .argument = "GID",
     .repeat = Repeat::adds,
     .help = "A further group id",
     .doc = "Number of a group, from 0 to 4294967294, that the command's process is in besides the user's "
            "own. Default: none.",
     .example = "--group-add=44",
     ROW_ITEMS(GroupId, process.user.extra_groups)},
    {.name = "umask",
     .option = "--umask",
     .section = "Exec",
     .key = "UMask",
     .argument = "MODE",
     .help = "File mode creation mask",
     .doc = "Octal, 0000 to 0777 (umask(2)). Default: 0022.",
     .example = "--umask=0027",
     ROW_VALUE(Umask, process.user.umask)},
    {.name = "workdir",
     .option = "--workdir",
     .short_option = 'w',
     .aliases = "--chdir",
     .section = "Exec",
     .key = "WorkingDirectory",
     .key_of = KeyOf::nspawn,
     .argument = "PATH",
     .trust = Trust::anyone,
     .help = "Working directory inside",
     .doc = "Absolute path inside the machine, without '..'. It must be there. Default: '/', or the user's "
            "home when a shell is started for a user.",
     .example = "--workdir=/srv",
     ROW_VALUE(InsidePath, process.directory)},
    {.name = "terminal",
     .option = "--tty",
     .short_option = 't',
     .section = "Exec",
     .key = "Terminal",
     .argument = "",
     .values = "yes|no|auto",
     .help = "Give the command a terminal of its own",
     .doc = "A pseudo terminal of the machine is the command's standard streams and /dev/console; size and "
            "keys go through, and Ctrl-P Ctrl-Q leaves it running. Refused when standard input is no "
            "terminal. auto: only for an interactive shell. Default: auto.",
     .example = "-it",
     ROW_VALUE(OneOf<terminals>, process.terminal)},
    {.name = "interactive",
     .option = "--interactive",
     .short_option = 'i',
     .offered = Offered::run,
     .values = "yes|no",
     .help = "Keep standard input open",
     .doc = "Standard input goes to the command; without it the command reads end of file at once. Default: "
            "yes in the foreground when standard input is a pipe or file, no for a detached machine.",
     .example = "-i",
     ROW_VALUE(Bool, process.interactive)},
};
}  // namespace

std::span<const Field> exec_rows() {
    return table;
}

}  // namespace croft::spec
