// One JSON object a line on standard output, which is all a guest program says. Written with one write(2)
// when the line ends, so that lines of several processes do not mix.
#pragma once

#include <stdio.h>
#include <unistd.h>

#include <concepts>
#include <string>
#include <string_view>

namespace guest {

class Line {
  public:
    explicit Line(std::string_view what) : text_("{\"what\":") { quote(what); }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() {
        text_ += "}\n";
        (void)!write(STDOUT_FILENO, text_.data(), text_.size());
    }

    Line& add(std::string_view key, std::string_view value) {
        name(key);
        quote(value);
        return *this;
    }
    Line& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
    template <std::integral T>
    Line& add(std::string_view key, T value) {
        name(key);
        text_ += std::to_string(value);
        return *this;
    }
    Line& flag(std::string_view key, bool value) {
        name(key);
        text_ += value ? "true" : "false";
        return *this;
    }

  private:
    void name(std::string_view key) {
        text_ += ',';
        quote(key);
        text_ += ':';
    }
    // Every byte above ASCII is written as the code point of that number: reversible, whatever the bytes
    // were.
    void quote(std::string_view value) {
        text_ += '"';
        for (unsigned char c : value) {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", c);
            if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
                text_ += escaped;
            else
                text_ += static_cast<char>(c);
        }
        text_ += '"';
    }

    std::string text_;
};

// The whole file, however long; an unreadable one is empty with errno set.
std::string read_text(const char* path);
// "EPERM"
const char* error_name(int error);

using Args = char**;  // the words after the subcommand, ended by a null pointer
struct Command {
    const char* name;
    const char* help;
    int (*run)(Args);
};
// The tables of see.cc, look.cc, try.cc and act.cc, each ended by a null name.
extern const Command see_commands[], look_commands[], try_commands[], act_commands[];

}  // namespace guest
