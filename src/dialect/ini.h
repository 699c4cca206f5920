// The grammar of systemd.syntax(7): what unit files, .nspawn files and croft's machine files share. Text in,
// entries with their line numbers out; what a key means is for the caller.
//
//   [Section]            "# …" and "; …" are comments, blank lines are skipped
//   Key=value            blanks around key, '=' and value are dropped
//   Key=long \           a backslash at the end goes on in the next line, with one blank; comment lines
//     value              between are skipped; "\\" at the end is no continuation
//
// Nothing is fatal here: a line that is no assignment becomes a problem, which .nspawn files only warn about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::dialect {

struct IniEntry {
    std::string section, key, value;
    unsigned line = 0;  // where the assignment starts, from 1
};
struct IniSection {
    std::string name;
    unsigned line = 0;
};
struct IniProblem {
    std::string text;
    unsigned line = 0;
};
struct IniFile {
    std::vector<IniEntry> entries;
    std::vector<IniSection> sections;  // each header, also of empty sections
    std::vector<IniProblem> problems;
};
IniFile parse_ini(std::string_view text);

// Words of a value: blanks separate, '…' and "…" hold blanks. `decode` reads C escapes (\n, \x41) everywhere,
// as unit files do; `keep` leaves backslashes as they are, as systemd-nspawn(1) does in .nspawn files.
enum class Escapes { decode, keep };
Result<std::vector<std::string>> split_words(std::string_view text, Escapes escapes);
// The word as split_words(decode) reads it back: in quotes and with escapes where it must be.
std::string quote_word(std::string_view word);

}  // namespace croft::dialect
