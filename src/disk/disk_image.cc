#include "disk/disk_image.h"

#include "base/text.h"

namespace croft::disk {
namespace {

// A chain of backing files longer than this is one that goes in a circle.
constexpr unsigned most_backing = 16;

Result<OpenedDisk> open_link(const std::string& path, const OpenOptions& options, unsigned depth);

// O_NONBLOCK: what is there may be a FIFO.
Result<std::unique_ptr<RandomAccess>> open_path(const std::string& path) {
    Fd file = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
    return open_file(std::move(file));
}

std::string beside(const std::string& image, const std::string& name) {
    size_t slash = image.rfind('/');
    return name.starts_with('/') || slash == image.npos ? name : cat(image.substr(0, slash + 1), name);
}

Result<std::unique_ptr<RandomAccess>> open_backing(const std::string& image, const std::string& name, const std::string& format,
                                                   const OpenOptions& options, unsigned depth) {
    std::string path = beside(image, name.starts_with("file:") ? name.substr(5) : name);
    // QEMU stopped guessing: a guest could write the header of a qcow2 image, that names any file, onto its raw disk.
    if (format.empty())
        return error(Errc::denied, "the image does not say of what format it is; `qemu-img rebase -u -F raw` writes it down");
    if (format == "raw") return open_path(path);
    if (format != "qcow2")
        return error(Errc::unsupported, cat("the image says that it is of format ", quoted(format), "; raw and qcow2 are read here"));
    OpenedDisk opened = TRY(open_link(path, options, depth + 1));
    if (opened.format != Format::qcow2) return error(Errc::invalid, "it is no qcow2 image");
    return std::move(opened.bytes);
}

Result<OpenedDisk> open_link(const std::string& path, const OpenOptions& options, unsigned depth) {
    if (depth > most_backing) return error(Errc::invalid, cat("there are more than ", most_backing, " backing files behind each other"));
    auto file = TRY(open_path(path));
    if (!is_qcow2(*file)) return OpenedDisk{Format::raw, std::move(file)};
    Qcow2Options qcow2{options.unpack, {}};
    if (options.backing)
        qcow2.open_backing = [&](const std::string& name, const std::string& format) {
            return open_backing(path, name, format, options, depth);
        };
    return OpenedDisk{Format::qcow2, TRY(open_qcow2(std::move(file), qcow2))};
}

}  // namespace

Result<OpenedDisk> open_disk(const std::string& path, const OpenOptions& options) {
    return open_link(path, options, 0).within(cat("the disk image ", quoted(path)));
}

Result<std::unique_ptr<RandomAccess>> open_raw(const std::string& path) {
    std::string who = cat("the disk image ", quoted(path));
    auto bytes = TRY(open_path(path).within(who));
    if (is_qcow2(*bytes))
        return error(Errc::unsupported, cat(who, " is of format qcow2, which the kernel does not read; `croft image import ",
                                            "raw:", path, " NAME` makes a raw one of it"));
    return bytes;
}

}  // namespace croft::disk
