#include "archive/names.h"

#include <climits>

#include "base/text.h"

namespace croft::archive {

namespace {

constexpr std::string_view whiteout_prefix = ".wh.", aufs_prefix = ".wh..wh.", opaque_name = ".wh..wh..opq";

// Cuts the first part off.
std::string_view next_part(std::string_view& rest) {
    size_t slash = rest.find('/');
    std::string_view part = rest.substr(0, slash);
    rest = slash == rest.npos ? std::string_view() : rest.substr(slash + 1);
    return part;
}

}  // namespace

Result<std::string> tree_path(std::string_view name, uint32_t length, uint32_t depth) {
    std::string path;
    uint32_t parts = 0;
    auto refuse = [&](std::string_view why) {
        return error(Errc::invalid, cat("the name ", shown(name), " ", why));
    };
    if (name.size() > length) return refuse(cat("has more than ", length, " bytes"));
    for (std::string_view rest = name; !rest.empty();) {
        std::string_view part = next_part(rest);
        if (part.empty() || part == ".") continue;
        if (part == "..") return refuse("has a '..', which could lead out of the tree");
        if (part.size() > NAME_MAX) return refuse("has a part of more than 255 bytes");
        if (part.find('\0') != part.npos) return refuse("has a zero byte");
        if (++parts > depth) return refuse(cat("is more than ", depth, " directories deep"));
        if (!path.empty()) path += '/';
        path += part;
    }
    return path;
}

std::string_view parent_of(std::string_view path) {
    size_t slash = path.rfind('/');
    return slash == path.npos ? std::string_view() : path.substr(0, slash);
}
std::string_view last_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

std::string shown(std::string_view name) {
    constexpr size_t most = 200;
    return name.size() <= most ? quoted(name) : quoted(name.substr(0, most)) + "…";
}

Result<LayerName> layer_name(std::string_view path) {
    for (std::string_view rest = parent_of(path); !rest.empty();) {
        std::string_view part = next_part(rest);
        if (part.starts_with(aufs_prefix) && part != opaque_name) return LayerName::aufs;
        if (part.starts_with(whiteout_prefix))
            return error(Errc::invalid, cat("its path goes through ", shown(part),
                                            ", which is a whiteout and no directory"));
    }
    std::string_view last = last_of(path);
    if (last == opaque_name) return LayerName::opaque;
    if (last.starts_with(aufs_prefix)) return LayerName::aufs;
    if (!last.starts_with(whiteout_prefix)) return LayerName::file;
    std::string_view gone = last.substr(whiteout_prefix.size());
    if (gone.empty() || gone == "." || gone == "..")
        return error(Errc::invalid, "it is a whiteout of nothing: \".wh.\" and a name was expected");
    return LayerName::whiteout;
}

std::string gone_path(std::string_view path) {
    std::string_view parent = parent_of(path), name = last_of(path).substr(whiteout_prefix.size());
    return parent.empty() ? std::string(name) : cat(parent, "/", name);
}

}  // namespace croft::archive
