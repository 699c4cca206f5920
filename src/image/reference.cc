#include "image/reference.h"

#include <algorithm>

#include "base/text.h"

namespace croft::image {

namespace {
struct Row {
    Transport transport;
    std::string_view name;
};
constexpr Row transports[] = {{Transport::directory, "dir"},
                              {Transport::tar, "tar"},
                              {Transport::raw, "raw"},
                              {Transport::oci, "oci"},
                              {Transport::oci_archive, "oci-archive"},
                              {Transport::docker_archive, "docker-archive"},
                              {Transport::registry, "docker"}};
constexpr std::string_view kinds =
    "NAME, dir:PATH, tar:PATH, raw:PATH, oci:PATH, oci-archive:PATH, docker-archive:PATH, docker://HOST/NAME, https://HOST/FILE";
constexpr size_t longest_name = 255, longest_tag = 128;

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_word(char c) { return is_alnum(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

// Letters and digits, joined by ".", "_", "__" or any number of "-".
bool is_component(std::string_view text) {
    size_t at = 0;
    while (true) {
        size_t begin = at;
        while (at < text.size() && is_alnum(text[at])) ++at;
        if (at == begin) return false;
        if (at == text.size()) return true;
        size_t gap = at;
        while (at < text.size() && !is_alnum(text[at])) ++at;
        std::string_view joint = text.substr(gap, at - gap);
        bool dashes = joint.find_first_not_of('-') == joint.npos;
        if (joint != "." && joint != "_" && joint != "__" && !dashes) return false;
    }
}

bool is_host(std::string_view text) {
    if (text.starts_with('[')) {  // an IPv6 address
        size_t end = text.find(']');
        if (end == text.npos || text.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") != text.npos) return false;
        text.remove_prefix(end + 1);
        return text.empty() || (text[0] == ':' && parse_uint(text.substr(1)).value_or(0) - 1 < 65535);
    }
    size_t colon = text.find(':');
    if (colon != text.npos && parse_uint(text.substr(colon + 1)).value_or(0) - 1 >= 65535) return false;
    std::string_view name = text.substr(0, colon);
    auto good = [](char c) { return (is_word(c) && c != '_') || c == '-' || c == '.'; };
    return !name.empty() && name[0] != '-' && name[0] != '.' && name.find("..") == name.npos && std::ranges::all_of(name, good);
}

// The first component is a host when it could be no part of a name.
bool looks_like_host(std::string_view first) {
    return first == "localhost" || first.find_first_of(".:[") != first.npos ||
           std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Takes "@DIGEST" off the end.
Result<std::optional<Digest>> take_digest(std::string_view& text) {
    size_t at = text.find('@');
    if (at == text.npos) return std::optional<Digest>();
    Digest digest = TRY(Digest::parse(text.substr(at + 1)));
    text = text.substr(0, at);
    return std::optional(std::move(digest));
}

// Takes ":TAG" off the end.
Result<std::string> take_tag(std::string_view& text) {
    size_t colon = text.rfind(':'), slash = text.rfind('/');
    if (colon == text.npos || (slash != text.npos && colon < slash)) return std::string();
    std::string tag(text.substr(colon + 1));
    TRY(check_tag(tag));
    text = text.substr(0, colon);
    return tag;
}

// "PATH:@3" or "PATH:TAG" or "PATH@sha256:…".
Result<> parse_in_file(std::string_view text, Reference& out) {
    size_t digest = std::min(text.find("@sha256:"), text.find("@sha512:"));
    if (digest != text.npos) {
        out.digest = TRY(Digest::parse(text.substr(digest + 1)));
        text = text.substr(0, digest);
    }
    size_t colon = text.find(':');
    out.path = text.substr(0, colon);
    if (out.path.empty()) return error(Errc::invalid, "there is no path in it");
    if (colon == text.npos) return {};
    std::string_view which = text.substr(colon + 1);
    if (out.digest) return error(Errc::invalid, "it has a tag and a digest; leave out one");
    if (!which.starts_with('@')) {
        auto good = [](char c) { return is_word(c) || std::string_view("-.:/+@").find(c) != std::string_view::npos; };
        if (which.empty() || which.size() > longest_name || !is_word(which[0]) || !std::ranges::all_of(which, good))
            return error(Errc::invalid, cat(quoted(which), " is no name of an image in a file (letters, digits, -._:/+)"));
        out.tag = which;
        return {};
    }
    auto index = parse_uint(which.substr(1));
    if (!index || *index > 1000000) return error(Errc::invalid, cat(quoted(which), " is no index (@0 is the first image)"));
    out.index = static_cast<unsigned>(*index);
    return {};
}

Result<> parse_store_name(std::string_view text, Reference& out) {
    if (text.starts_with('/') || text.starts_with("."))
        return error(Errc::invalid, "what kind of file that is must be told: dir:PATH, tar:PATH, raw:PATH, oci:PATH …");
    out.digest = TRY(take_digest(text));
    out.tag = TRY(take_tag(text));
    auto good = [](char c) { return is_word(c) || c == '-' || c == '.' || c == ':'; };
    for (const std::string& part : split(text, '/'))
        if (part.empty() || !is_word(part[0]) || !std::ranges::all_of(part, good))
            return error(Errc::invalid, cat("a name has letters, digits and -._ between slashes, unlike ", quoted(part)));
    if (text.size() > longest_name) return error(Errc::invalid, "a name has at most 255 characters");
    out.name = text;
    return {};
}

// "scheme:rest" with a scheme that people know from elsewhere.
Error unknown_transport(std::string_view scheme) {
    std::vector<std::string> known;
    for (const Row& row : transports) known.emplace_back(row.name);
    std::string near = closest(scheme, known);
    return error(Errc::invalid, cat("there is no kind of place called ", quoted(scheme),
                                    near.empty() ? "" : cat(" (did you mean ", quoted(near), "?)"),
                                    "; an image is named by ", kinds));
}

Result<Reference> parse_inner(std::string_view text) {
    if (text.size() > 4096 + longest_name || text.find('\0') != text.npos)
        return error(Errc::invalid, "it is too long or has a NUL in it");
    for (const Row& row : transports) {
        if (!text.starts_with(row.name) || text.substr(row.name.size(), 1) != ":") continue;
        std::string_view rest = text.substr(row.name.size() + 1);
        if (row.transport == Transport::registry) {
            // "docker:1.0" is an image of that name.
            if (!rest.starts_with("//")) continue;
            return parse_docker_name(rest.substr(2));
        }
        Reference out{.transport = row.transport};
        bool plain = row.transport == Transport::directory || row.transport == Transport::tar || row.transport == Transport::raw;
        if (!plain)
            TRY(parse_in_file(rest, out));
        else if (rest.empty())
            return error(Errc::invalid, "there is no path in it");
        else
            out.path = rest;
        return out;
    }
    if (is_web_address(text)) return Reference{.transport = Transport::tar, .path = std::string(text)};
    size_t scheme = text.find("://");
    if (scheme != text.npos) return unknown_transport(text.substr(0, scheme));
    size_t colon = text.find(':');
    if (colon != text.npos && text.substr(colon + 1).starts_with('/')) return unknown_transport(text.substr(0, colon));
    Reference out;
    TRY(parse_store_name(text, out));
    return out;
}
}  // namespace

std::string_view transport_name(Transport transport) {
    for (const Row& row : transports)
        if (row.transport == transport) return row.name;
    return "";
}

bool is_web_address(std::string_view path) {
    return path.starts_with("https://") || path.starts_with("http://");
}

std::string url_without_login(std::string_view url) {
    size_t begin = url.find("://");
    if (begin == url.npos) return std::string(url);
    begin += 3;
    size_t at = url.substr(0, std::min(url.find_first_of("/?#", begin), url.size())).rfind('@');
    return at == url.npos || at < begin ? std::string(url) : cat(url.substr(0, begin), url.substr(at + 1));
}

Result<> check_repository(std::string_view name) {
    bool good = !name.empty() && name.size() <= longest_name;
    for (const std::string& part : split(name, '/')) good = good && is_component(part);
    if (good) return {};
    return error(
        Errc::invalid,
        cat(quoted(name.substr(0, longest_name)),
            " is no name in a registry: lower-case letters and digits with single .-_ between them, parts "
            "separated by /, at most 255 characters"));
}

Result<> check_tag(std::string_view tag) {
    auto good = [](char c) { return is_word(c) || c == '.' || c == '-'; };
    if (!tag.empty() && tag.size() <= longest_tag && is_word(tag[0]) && std::ranges::all_of(tag, good)) return {};
    return error(Errc::invalid, cat(quoted(tag.substr(0, longest_tag)),
                                    " is no tag: letters, digits and _.-, at most 128 characters"));
}

Result<Reference> parse_docker_name(std::string_view text) {
    Reference out{.transport = Transport::registry};
    out.digest = TRY(take_digest(text));
    size_t slash = text.find('/');
    if (slash != text.npos && looks_like_host(text.substr(0, slash))) {
        out.host = text.substr(0, slash);
        if (!is_host(out.host))
            return error(Errc::invalid,
                         cat(quoted(out.host), " is no host (localhost:5000, registry.example)"));
        text = text.substr(slash + 1);
    }
    out.tag = TRY(take_tag(text));
    TRY(check_repository(text));
    if (text.size() + out.host.size() + 1 > longest_name)
        return error(Errc::invalid, "host and name have more than 255 characters");
    out.name = text;
    return out;
}

Result<Reference> parse_reference(std::string_view text) {
    if (text.empty()) return error(Errc::invalid, cat("an image is named by ", kinds, ", not by nothing"));
    auto parsed = parse_inner(text);
    return std::move(parsed).within(cat("the image ", quoted(text.substr(0, 300))));
}

std::string Reference::text() const {
    std::string out(transport_name(transport));
    if (transport == Transport::registry) out += "://";
    else if (transport != Transport::store) out += ":";
    bool file = !path.empty();
    out += file ? path : host.empty() ? name : cat(host, "/", name);
    if (!tag.empty()) out += cat(":", tag);
    if (index) out += cat(":@", *index);
    if (digest) out += cat("@", digest->text());
    return out;
}

}  // namespace croft::image
