// Bytes of a guest for this terminal: what would move the cursor, set the title or answer for the keyboard is
// left out, so that reading a log cannot be an attack. Text, newlines and tabs stay; colours go with the
// rest.
#pragma once

#include <string>
#include <string_view>

namespace croft::cli {

// Keeps its place between chunks: an escape sequence may be cut in two.
class Sanitizer {
  public:
    std::string feed(std::string_view bytes);

  private:
    enum class At { text, escape, control, string, string_escape };
    void text_byte(unsigned char byte, std::string& out);
    At at_ = At::text;
};

}  // namespace croft::cli
