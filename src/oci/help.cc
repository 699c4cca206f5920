#include "oci/help.h"

#include "base/text.h"

namespace croft::oci {

namespace {
constexpr size_t column = 34;

std::string line(std::string_view left, std::string_view right) {
    std::string out = cat("  ", left);
    if (out.size() + 2 > column) out += "\n" + std::string(column, ' ');
    else out.append(column - out.size(), ' ');
    return cat(out, right, "\n");
}

std::string flag_lines(std::span<const Flag> flags) {
    std::string out;
    for (const Flag& flag : flags) {
        if (!*flag.help) continue;
        std::string left = flag.short_name ? cat("-", flag.short_name, ", ") : "    ";
        out += line(cat(left, flag.name, *flag.argument ? " " : "", flag.argument), flag.help);
    }
    return out;
}
}  // namespace

std::string general_help() {
    std::string out = "croft-oci [FLAGS] VERB [FLAGS] ID ...: containers from OCI bundles, for engines and people\n\nVerbs:\n";
    for (const Verb& verb : verbs()) out += line(verb.name, verb.help);
    return cat(out, "\nFlags, before the verb:\n", flag_lines(global_flags()),
               "\n`croft-oci VERB --help` tells about a verb.\n");
}

std::string help_of(const Verb& verb) {
    return cat("croft-oci [FLAGS] ", verb.name, " [FLAGS]", *verb.synopsis ? " " : "", verb.synopsis, ": ", verb.help, "\n",
               *verb.doc ? "\n" : "", verb.doc, *verb.doc ? "\n" : "", "\nFlags:\n", flag_lines(verb.flags));
}

// Engines look for these names at the beginnings of lines.
std::string version_text() { return "croft-oci version " CROFT_VERSION "\nspec: 1.3.0\n"; }

}  // namespace croft::oci
