// croft(1), written from the tables: `croft _man > man/croft.1`. A test compares the file with what this
// prints.
#include "base/text.h"
#include "cli/options.h"
#include "cli/output.h"

namespace croft::cli {

namespace {
// The code point that a byte of UTF-8 begins, as troff names it; `at` moves to its last byte.
std::string roff_character(std::string_view text, size_t& at) {
    auto lead = static_cast<unsigned char>(text[at]);
    unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1, point = lead & (0x3f >> more);
    for (; more && at + 1 < text.size(); --more)
        point = point << 6 | (static_cast<unsigned char>(text[++at]) & 0x3f);
    constexpr const char* digits = "0123456789ABCDEF";
    std::string out = "\\[u";
    for (int shift = 12; shift >= 0; shift -= 4) out += digits[point >> shift & 0xf];
    return out + "]";
}

// Text for troff: backslashes and dashes as themselves, no line that starts a request by accident, ASCII
// only.
std::string roff(std::string_view text) {
    std::string out;
    bool line_start = true;
    for (size_t at = 0; at < text.size(); ++at) {
        char c = text[at];
        if (line_start && (c == '.' || c == '\'')) out += "\\&";
        line_start = c == '\n';
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if (static_cast<unsigned char>(c) >= 0x80)
            out += roff_character(text, at);
        else
            out += c;
    }
    return out;
}

std::string prose(std::string_view doc) {
    std::string out;
    bool first = true;
    for (const std::string& paragraph : split(doc, '\n')) {
        if (paragraph.empty()) continue;
        out += cat(first ? "" : ".PP\n", roff(paragraph), "\n");
        first = false;
    }
    return out;
}

// The same inside a .TP entry, where .PP would end the indent.
std::string entry_prose(std::string_view doc) {
    std::string out;
    for (const std::string& paragraph : split(doc, '\n'))
        if (!paragraph.empty()) out += cat(out.empty() ? "" : ".IP\n", roff(paragraph), "\n");
    return out;
}

std::string example(const char* lines) {
    return *lines ? cat(".PP\n.RS 4\n.nf\n", roff(lines), "\n.fi\n.RE\n") : "";
}

std::string bold(std::string_view text) {
    return cat("\\fB", roff(text), "\\fR");
}

std::string option_tag(const OptionView& option) {
    return bold(trim(option_syntax(option)));
}

std::string verb_section(const Verb& verb) {
    std::string out = cat(".SS \"croft ", verb.name, *verb.synopsis ? " " : "", roff(verb.synopsis), "\"\n");
    if (*verb.aliases) {
        std::vector<std::string> names = names_of(verb);
        out += cat("Also: ", roff(join({names.begin() + 1, names.end()}, ", ")), ".\n.PP\n");
    }
    out += prose(verb.doc);
    for (const OptionView& option : options_of(verb)) {
        if (option.field) break;  // the section on settings has them
        if (std::string_view(option.name) == "--help") continue;
        out += cat(".TP\n", option_tag(option), "\n", roff(option.help), "\n");
    }
    if (verb.spec_options != SpecOptions::none) out += ".PP\nAnd the settings of a machine: see SETTINGS.\n";
    return out + example(verb.example);
}

std::string verb_sections() {
    std::string out;
    for (int g = 0; g < static_cast<int>(Group::hidden); ++g) {
        out += cat(".SH \"", g == 0 ? "VERBS: " : "", lower(group_title(static_cast<Group>(g))), "\"\n");
        for (const Verb& verb : verbs())
            if (verb.group == static_cast<Group>(g)) out += verb_section(verb);
    }
    return out;
}

std::string field_entry(const spec::Field& field) {
    std::string tag = *field.option ? option_tag(view_of(field)) : "";
    if (*field.key) {
        std::string key = cat("[", field.section, "] ", field.key, "=");
        tag += cat(tag.empty() ? "" : ", ", "\\fI", roff(key), "\\fR");
    }
    std::string out = cat(".TP\n", tag.empty() ? bold(field.name) : tag, "\n", roff(field.help), ".\n");
    if (field.offered == spec::Offered::run && *field.option) out += "(croft run only.)\n";
    if (field.offered == spec::Offered::boot && *field.option) out += "(croft boot only.)\n";
    out += *field.doc ? cat(".IP\n", entry_prose(field.doc)) : "";
    if (*field.example) out += cat(".IP\nExample: ", bold(field.example), "\n");
    return out;
}

std::string settings() {
    std::string out =
        ".SH SETTINGS\nWhat can be said about a machine: as an option of \\fBcroft run\\fR and \\fBcroft "
        "boot\\fR, or as a key "
        "of a machine file. \\fBcroft explain\\fR prints the same.\n";
    std::string_view title;
    for (const spec::Field* field : fields_by_section()) {
        if (section_title(*field) != title) {
            title = section_title(*field);
            out += cat(".SS \"", title, "\"\n");
        }
        out += field_entry(*field);
    }
    return out;
}

std::string exit_statuses() {
    std::string out =
        ".SH \"EXIT STATUS\"\n\\fBrun\\fR, \\fBboot\\fR, \\fBexec\\fR, \\fBshell\\fR, \\fBattach\\fR and "
        "\\fBwait\\fR end with the "
        "payload's own exit status, or 128 and the number of the signal that ended it. Their own failures "
        "are 125, or\n"
        ".TP\n126\nthe command exists in the tree but cannot be run\n"
        ".TP\n127\nthe command does not exist in the tree\n.PP\nThe other verbs:\n.TP\n0\nit is done\n";
    size_t count = 0;
    const ErrcRow* rows = errc_rows(count);
    for (const ErrcRow* row = rows; row < rows + count; ++row)
        if (row->exit_status < 100)
            out += cat(".TP\n", row->exit_status, "\n", roff(row->meaning), " (", roff(row->name), ")\n");
    return out;
}

constexpr const char* files = R"roff(.SH FILES
.TP
\fI/etc/croft/machines/NAME.machine\fR, \fI/run/croft/config/NAME.machine\fR, \fI/usr/lib/croft/machines/NAME.machine\fR
Machine files, first one found; drop\-ins in \fINAME.machine.d/*.conf\fR beside each.
.TP
\fI/etc/systemd/nspawn/NAME.nspawn\fR, \fI/run/systemd/nspawn/NAME.nspawn\fR
Read where there is no machine file.
.TP
\fITREE.nspawn\fR beside the tree
Read last, and not trusted: see \fB\-\-settings\fR.
.TP
\fI/var/lib/machines\fR
Where a TREE that is a name is looked up.
.TP
\fI/run/croft\fR, \fI/var/lib/croft\fR, \fI/var/cache/croft\fR
What croft knows of running machines, throwaway files, and kept system call filters. Of a user:
\fI$XDG_RUNTIME_DIR/croft\fR, \fI$XDG_DATA_HOME/croft\fR, \fI$XDG_CACHE_HOME/croft\fR.
.SH ENVIRONMENT
.TP
\fBCROFT_RUN_DIR\fR, \fBCROFT_STATE_DIR\fR, \fBCROFT_CACHE_DIR\fR, \fBCROFT_HELPER_DIR\fR
Other places for these, for tests.
.SH "SEE ALSO"
.BR systemd.nspawn (5),
.BR namespaces (7),
.BR cgroups (7),
.BR user_namespaces (7)
)roff";
}  // namespace

Result<int> verb_man(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 0, 0));
    TRY(print(cat(
        ".\\\" Generated by `croft _man` from the tables; do not edit.\n", ".TH CROFT 1 \"\" \"croft ",
        CROFT_VERSION,
        "\" \"User Commands\"\n.nh\n.SH NAME\ncroft \\- machines and containers from a tree of files\n",
        ".SH SYNOPSIS\n.B croft\n[\\fB\\-\\-help\\fR|\\fB\\-\\-version\\fR|\\fB\\-\\-debug\\fR|\\fB\\-\\-system\\fR] \\fIVERB\\fR "
        "[\\fIOPTIONS\\fR] \\[u2026]\n.SH DESCRIPTION\n",
        "croft boots operating system trees as containers and runs single programs in them, each fenced in "
        "namespaces of its own, with a private range of user ids, a system call filter and limits.\n",
        verb_sections(), settings(), exit_statuses(), files)));
    return 0;
}

}  // namespace croft::cli
