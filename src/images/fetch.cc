#include "images/fetch.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "archive/compression.h"
#include "archive/streams.h"
#include "base/text.h"
#include "images/copy_progress.h"
#include "images/places.h"
#include "registry/blobs.h"
#include "registry/files.h"
#include "registry/web_file.h"

namespace croft::images {

namespace {
using cli::Arguments;

Result<std::unique_ptr<Source>> open_web(const Arguments& args, const image::Reference& from) {
    registry::PlaceOptions options = TRY(place_options(args, Side::only));
    registry::WebFile file = TRY(registry::open_web_file(from.path, options));
    if (args.has("--quiet")) return std::move(file.bytes);
    auto progress = std::make_shared<CopyProgressLine>(cat("croft: fetching ", shown_name(from)));
    progress->begin(file.size.value_or(0), 0);
    return archive::watch(std::move(file.bytes), [progress](uint64_t bytes) {
        progress->moved(bytes);
        if (!bytes) progress->end();
    });
}

Result<Fd> open_path(const std::string& path) {
    if (path != "-") return open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NOCTTY);
    Fd copy(dup(STDIN_FILENO));
    if (!copy) return os_error(errno, "reading standard input");
    return copy;
}

Result<bool> is_compressed(const std::string& path) {
    Fd file = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
    std::byte first[archive::sniff_length];
    ssize_t count = pread(file.get(), first, sizeof first, 0);
    return count > 0 && archive::sniff({first, static_cast<size_t>(count)}) != archive::Compression::none;
}
}  // namespace

std::string shown_name(const image::Reference& from) {
    return from.path == "-" ? "standard input" : image::url_without_login(from.path);
}

Result<std::unique_ptr<Source>> open_bytes(const Arguments& args, const image::Reference& from) {
    std::unique_ptr<Source> source;
    if (image::is_web_address(from.path)) source = TRY(open_web(args, from));
    else source = archive::read_fd(TRY(open_path(from.path)), shown_name(from));
    const std::string* digest = args.value("--digest");
    if (!digest) return source;
    image::Digest expected = TRY(image::Digest::parse(*digest).within("--digest"));
    return registry::checked(std::move(source), expected, quoted(shown_name(from)));
}

Result<Fd> fetched_disk(const Arguments& args, const image::Reference& from) {
    bool elsewhere = image::is_web_address(from.path) || from.path == "-";
    if (!elsewhere && !args.value("--digest") && !TRY(is_compressed(from.path))) return Fd();
    std::string first;
    auto source = TRY(open_bytes(args, from));
    source = TRY(archive::peek(std::move(source), archive::sniff_length, first));
    auto compression = archive::sniff(std::as_bytes(std::span(first)));
    source = TRY(archive::decompress(std::move(source), compression));
    registry::PlaceOptions options = TRY(place_options(args, Side::only));
    Fd file = TRY(registry::temporary_file(options));
    auto sink = archive::write_fd(file.get(), "a temporary file");
    TRY(archive::copy(*source, *sink).within(cat("the disk image ", quoted(shown_name(from)))));
    TRY(sink->finish());
    return file;
}

}  // namespace croft::images
