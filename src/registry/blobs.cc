#include "registry/blobs.h"

#include "archive/streams.h"
#include "base/text.h"
#include "registry/base64.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Digest;

class Checked : public Source {
  public:
    Checked(std::unique_ptr<Source> from, const Digest& digest, std::optional<uint64_t> size, std::string what)
        : from_(std::move(from)), hasher_(algorithm_of(digest)), digest_(digest), size_(size), what_(std::move(what)) {}

    Result<size_t> read(std::span<std::byte> room) override {
        if (ended_) return size_t(0);
        size_t count = TRY(from_->read(room));
        seen_ += count;
        if (size_ && seen_ > *size_) return wrong(cat("has more than the ", *size_, " bytes that were promised"));
        hasher_.update(room.subspan(0, count));
        if (count) return count;
        ended_ = true;
        if (size_ && seen_ < *size_) return wrong(cat("has ", seen_, " bytes where ", *size_, " were promised"));
        std::string found = hasher_.digest();
        if (found != digest_.text())
            return wrong(cat("holds other bytes than ", size_ ? "that" : digest_.text(), " (", found, "): they were damaged or exchanged"));
        return size_t(0);
    }

  private:
    Error wrong(std::string_view how) { return error(Errc::invalid, cat(what_, " ", how)); }

    std::unique_ptr<Source> from_;
    archive::Hasher hasher_;
    Digest digest_;
    std::optional<uint64_t> size_;
    uint64_t seen_ = 0;
    std::string what_;
    bool ended_ = false;
};

Digest hashed(std::string_view bytes, archive::HashAlgorithm algorithm) {
    archive::Hasher hasher(algorithm);
    hasher.update(std::as_bytes(std::span(bytes)));
    return *Digest::parse(hasher.digest());
}
}  // namespace

archive::HashAlgorithm algorithm_of(const Digest& digest) {
    return digest.algorithm() == "sha512" ? archive::HashAlgorithm::sha512 : archive::HashAlgorithm::sha256;
}

Digest digest_of(std::string_view bytes) {
    return hashed(bytes, archive::HashAlgorithm::sha256);
}

Digest digest_of(std::string_view bytes, const Digest& like) {
    return hashed(bytes, algorithm_of(like));
}

std::unique_ptr<Source> checked(std::unique_ptr<Source> from, const Descriptor& descriptor) {
    return std::make_unique<Checked>(std::move(from), descriptor.digest, descriptor.size, cat("blob ", descriptor.digest.text()));
}

std::unique_ptr<Source> checked(std::unique_ptr<Source> from, const Digest& digest, std::string what) {
    return std::make_unique<Checked>(std::move(from), digest, std::nullopt, std::move(what));
}

Result<std::string> read_blob(ImageSource& source, const Descriptor& descriptor, size_t limit) {
    if (descriptor.size > limit)
        return error(Errc::invalid, cat("blob ", descriptor.digest.text(), " has ", human_size(descriptor.size), ", and at most ",
                                        human_size(limit), " are read of its kind"));
    std::unique_ptr<Source> from;
    auto data = descriptor.data.empty() ? std::nullopt : from_base64(descriptor.data);
    if (data && data->size() == descriptor.size)
        from = archive::read_text(std::move(*data));
    else
        from = TRY(source.blob(descriptor));
    std::unique_ptr<Source> whole = checked(std::move(from), descriptor);
    return archive::read_all(*whole, limit);
}

Result<ChosenImage> choose_image(ImageSource& source, const image::Platform& platform) {
    ManifestBytes bytes = TRY(source.manifest());
    for (unsigned depth = 0; depth < image::deepest_index; ++depth) {
        image::Document document = TRY(image::parse_manifest(bytes.bytes, bytes.media_type));
        if (auto* manifest = std::get_if<image::Manifest>(&document)) return ChosenImage{std::move(bytes), std::move(*manifest)};
        Descriptor chosen = TRY(image::choose(std::get<image::Index>(document), platform));
        bytes = TRY(source.manifest(chosen.digest));
    }
    return error(Errc::invalid, cat("indexes in indexes, more than ", image::deepest_index, " deep: that is no image"));
}

}  // namespace croft::registry
