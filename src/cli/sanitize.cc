#include "cli/sanitize.h"

namespace croft::cli {

void Sanitizer::text_byte(unsigned char byte, std::string& out) {
    if (byte == 0x1b) {
        at_ = At::escape;
    } else if (byte == '\n' || byte == '\t' || byte >= 0x20) {
        if (byte != 0x7f) out += static_cast<char>(byte);
    }
    // Other control characters are dropped; "\r\n" of a console becomes "\n".
}

// ECMA-48: ESC [ … final (0x40-0x7e) is a control sequence; ESC ] P X ^ _ begin a string that ST (ESC \) or
// BEL ends; any other ESC is two bytes, or more with intermediates (0x20-0x2f) before the final one.
std::string Sanitizer::feed(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        switch (at_) {
            case At::text:
                text_byte(byte, out);
                break;
            case At::escape:
                if (byte == '[')
                    at_ = At::control;
                else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
                    at_ = At::string;
                else if (byte < 0x20 || byte > 0x2f)
                    at_ = At::text;
                break;
            case At::control:
                if (byte >= 0x40 && byte <= 0x7e) at_ = At::text;
                if (byte == '\n') at_ = At::text, out += '\n';
                break;
            case At::string:
                if (byte == 0x07) at_ = At::text;
                if (byte == 0x1b) at_ = At::string_escape;
                if (byte == '\n') at_ = At::text, out += '\n';
                break;
            case At::string_escape:
                at_ = byte == '\\' ? At::text : At::string;
                break;
        }
    }
    return out;
}

}  // namespace croft::cli
