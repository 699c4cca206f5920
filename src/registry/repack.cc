#include "registry/repack.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "archive/streams.h"
#include "base/text.h"
#include "image/media_types.h"
#include "registry/blobs.h"
#include "registry/files.h"

namespace croft::registry {

namespace {
// Reads are at places of their own: several threads have the file at once.
class FileFrom : public Source {
  public:
    FileFrom(int file, uint64_t offset) : file_(file), at_(offset) {}
    Result<size_t> read(std::span<std::byte> room) override {
        ssize_t count = pread(file_, room.data(), room.size(), static_cast<off_t>(at_));
        if (count < 0) return os_error(errno, "reading a layer that was packed anew");
        at_ += static_cast<uint64_t>(count);
        return static_cast<size_t>(count);
    }

  private:
    int file_;
    uint64_t at_;
};

// By the old layer's algorithm.
Result<image::Descriptor> write_packed(std::unique_ptr<Source> plain, int file, const Repack& how, archive::HashAlgorithm algorithm) {
    archive::Hasher hasher(algorithm);
    auto sink = archive::tee(archive::write_fd(file, "a temporary file"), &hasher);
    sink = TRY(archive::compress(std::move(sink), how.compression, how.level));
    TRY(archive::copy(*plain, *sink));
    TRY(sink->finish());
    off_t size = lseek(file, 0, SEEK_END);
    if (size < 0) return os_error(errno, "writing a temporary file");
    return image::Descriptor{.media_type = "", .digest = TRY(image::Digest::parse(hasher.digest())), .size = static_cast<uint64_t>(size)};
}
}  // namespace

Result<image::Descriptor> RepackedSource::packed(const image::Descriptor& layer, image::Family family) {
    std::string first;
    std::unique_ptr<Source> source = checked(TRY(from_.blob(layer)), layer);
    source = TRY(archive::peek(std::move(source), archive::sniff_length, first));
    auto compression = archive::sniff(std::as_bytes(std::span(first)));
    source = TRY(archive::decompress(std::move(source), compression));
    Fd file = TRY(temporary_file(how_.options));
    image::Descriptor out = TRY(write_packed(std::move(source), file.get(), how_, algorithm_of(layer.digest)));
    out.media_type = image::layer_media_type(family, archive::name_of(how_.compression));
    out.annotations = layer.annotations;
    files_.emplace(out.digest, std::move(file));
    return out;
}

Result<bool> RepackedSource::repack(image::Manifest& manifest) {
    bool changed = false;
    image::Family family = image::manifest_family(manifest.media_type);
    if (family == image::Family::docker && how_.compression == archive::Compression::zstd)
        return error(Errc::unsupported, "Docker's schema 2 has no layers packed with zstd; copy it as OCI (--format=oci)");
    for (image::Descriptor& layer : manifest.layers) {
        image::LayerKind kind = image::layer_kind(layer.media_type);
        if (!kind.known || kind.compression == archive::name_of(how_.compression)) continue;
        if (how_.options.interrupted && how_.options.interrupted()) return error(Errc::failed, "interrupted");
        auto known = renamed_.find(layer.digest);
        if (known == renamed_.end()) {
            auto made = packed(layer, family);
            if (!made) return std::move(made).error().within(cat("packing layer ", layer.digest.text(), " anew"));
            known = renamed_.emplace(layer.digest, std::move(*made)).first;
        }
        layer = known->second;
        changed = true;
    }
    return changed;
}

Result<std::unique_ptr<Source>> RepackedSource::blob(const image::Descriptor& descriptor, uint64_t offset) {
    auto found = files_.find(descriptor.digest);
    if (found == files_.end()) return from_.blob(descriptor, offset);
    return std::make_unique<FileFrom>(found->second.get(), offset);
}

}  // namespace croft::registry
