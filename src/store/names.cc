#include "store/names.h"

#include <climits>

#include "base/names.h"
#include "base/text.h"
#include "store/store.h"

namespace croft::store {
namespace {

constexpr std::string_view sealed = "sealed";
constexpr size_t sealed_digits = 16;

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == ':' || c == '@' || c == '-';
}

}  // namespace

bool is_sealed(std::string_view id) {
    return id.size() == sealed.size() + 1 + sealed_digits && id.starts_with(sealed) && id[sealed.size()] == ':' &&
           id.find_first_not_of("0123456789abcdef", sealed.size() + 1) == id.npos;
}

std::string blob_name(const image::Digest& digest) {
    return cat("blobs/", digest.path());
}

Result<std::string> layer_name(std::string_view id) {
    if (is_sealed(id)) return cat("layers/", sealed, "-", id.substr(sealed.size() + 1));
    image::Digest digest = TRY(image::Digest::parse(id));
    return cat("layers/", digest.algorithm(), "-", digest.hex());
}

std::string new_sealed_id() {
    return cat(sealed, ":", random_name());
}

std::string layer_id(std::string_view entry) {
    std::string id(entry);
    size_t dash = id.find('-');
    if (dash == id.npos) return "";
    id[dash] = ':';
    return is_sealed(id) || image::Digest::parse(id) ? id : "";
}

Result<std::string> layer_tree(std::string_view id) {
    return cat(TRY(layer_name(id)), is_sealed(id) ? "/upper" : "/tree");
}

Result<std::string> reference_file(std::string_view name) {
    std::string out;
    for (char c : name) {
        if (is_plain(c) && !(c == '.' && out.empty()))
            out += c;
        else
            out += cat("%", hex({&c, 1}));
    }
    if (out.empty()) return error(Errc::invalid, "the name of an image is empty");
    if (out.size() > NAME_MAX)
        return error(Errc::invalid, cat("the name of the image, ", quoted(name.substr(0, 40)), "…, is too long: at most ",
                                        NAME_MAX, " characters, of which a '/' counts as three"));
    return out;
}

std::string reference_of_file(std::string_view file) {
    std::string out;
    for (size_t i = 0; i < file.size(); ++i) {
        auto byte = file[i] == '%' && i + 2 < file.size() ? parse_uint(file.substr(i + 1, 2), 16) : std::nullopt;
        out += byte ? static_cast<char>(*byte) : file[i];
        if (byte) i += 2;
    }
    return out;
}

}  // namespace croft::store
