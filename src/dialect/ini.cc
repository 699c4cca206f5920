#include "dialect/ini.h"

#include "base/text.h"
#include "spec/values.h"

namespace croft::dialect {

namespace {
using std::string_view;

constexpr string_view blanks = " \t\r\f\v";

string_view skip_blanks(string_view text) {
    size_t first = text.find_first_not_of(blanks);
    return first == text.npos ? string_view() : text.substr(first);
}

bool goes_on(string_view line) {
    size_t backslashes = 0;
    while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
}

class IniParser {
  public:
    IniFile run(string_view text) {
        if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
        while (!text.empty()) {
            size_t end = text.find('\n');
            ++line_;
            take_line(text.substr(0, end));
            text.remove_prefix(end == text.npos ? text.size() : end + 1);
        }
        finish();
        return std::move(out_);
    }

  private:
    void take_line(string_view raw) {
        string_view line = skip_blanks(raw);
        // A comment inside a continued line is skipped, and does not end it.
        if (!line.empty() && (line[0] == '#' || line[0] == ';')) return;
        if (line.find('\0') != line.npos) {
            out_.problems.push_back({"the line holds a zero byte", line_});
            return;
        }
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (pending_.empty()) start_ = line_;
        bool more = goes_on(line);
        pending_ += more ? line.substr(0, line.size() - 1) : line;
        if (more)
            pending_ += ' ';
        else
            finish();
    }

    void finish() {
        std::string whole = std::move(pending_);
        pending_.clear();
        string_view line = trim(whole);
        if (line.empty()) return;
        if (line[0] == '[') return take_section(line);
        size_t equals = line.find('=');
        if (equals == line.npos) return problem(cat(quoted(shortened(line)), " is no KEY=VALUE"));
        string_view key = trim(line.substr(0, equals));
        if (key.empty()) return problem("the key before '=' is missing");
        if (section_.empty())
            return problem(cat(quoted(shortened(key)), " stands before the first [Section]"));
        out_.entries.push_back(
            {section_, std::string(key), std::string(trim(line.substr(equals + 1))), start_});
    }

    void take_section(string_view line) {
        section_.clear();
        if (line.back() != ']' || line.size() < 3)
            return problem(cat(quoted(shortened(line)), " is no [Section]"));
        section_ = line.substr(1, line.size() - 2);
        out_.sections.push_back({section_, start_});
    }

    void problem(std::string text) { out_.problems.push_back({std::move(text), start_}); }
    static string_view shortened(string_view text) { return text.substr(0, 60); }

    IniFile out_;
    std::string section_, pending_;
    unsigned line_ = 0, start_ = 0;
};

// One word from the front of `text`, which starts with no blank.
Result<std::string> take_word(string_view& text, Escapes escapes) {
    std::string raw;
    char quote = 0;
    size_t i = 0;
    for (; i < text.size(); ++i) {
        char c = text[i];
        if (c == '\\' && i + 1 < text.size()) {
            raw += c;
            raw += text[++i];
        } else if (quote ? c == quote : c == '\'' || c == '"') {
            quote = quote ? 0 : c;
        } else if (!quote && blanks.find(c) != blanks.npos) {
            break;
        } else {
            raw += c;
        }
    }
    if (quote) return spec::wrong_value(text, "has a quote that is not closed");
    text.remove_prefix(i);
    if (escapes == Escapes::keep) return raw;
    return spec::unescape_c(raw);
}
}  // namespace

IniFile parse_ini(string_view text) {
    return IniParser().run(text);
}

Result<std::vector<std::string>> split_words(string_view text, Escapes escapes) {
    std::vector<std::string> words;
    for (text = skip_blanks(text); !text.empty(); text = skip_blanks(text))
        words.push_back(TRY(take_word(text, escapes)));
    return words;
}

std::string quote_word(string_view word) {
    std::string escaped;
    for (char c : spec::escape_c(word)) escaped += c == '"' ? "\\\"" : std::string(1, c);
    bool plain = !escaped.empty() && escaped.find_first_of(" '\"#;") == escaped.npos;
    return plain ? escaped : cat('"', escaped, '"');
}

}  // namespace croft::dialect
