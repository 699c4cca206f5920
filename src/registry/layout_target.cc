// Writes images into an OCI layout: a new one appears whole, by a rename; in one that is there the blobs come first, and
// the image is in it when index.json has been replaced.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "registry/blobs.h"
#include "registry/layout.h"
#include "registry/staging.h"

namespace croft::registry {

namespace {
class LayoutTarget : public ImageTarget {
  public:
    LayoutTarget(image::Reference reference, Fd directory, std::optional<Staging> staging)
        : reference_(std::move(reference)), directory_(std::move(directory)), staging_(std::move(staging)) {}

    const image::Reference& reference() const override { return reference_; }

    // Of another size it is not whole; then it is written again in its place.
    Result<bool> has_blob(const image::Descriptor& descriptor) override {
        struct stat status;
        std::string name = blob_path(descriptor.digest);
        if (fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW)) return false;
        if (S_ISREG(status.st_mode) && static_cast<uint64_t>(status.st_size) == descriptor.size) return true;
        unlinkat(directory_.get(), name.c_str(), 0);
        return false;
    }

    Result<> put_blob(const image::Descriptor& descriptor, const OpenBlob& open) override {
        TRY(make_dirs_at(directory_.get(), cat("blobs/", descriptor.digest.algorithm())));
        return write_blob(directory_.get(), blob_path(descriptor.digest), descriptor, open).within(reference_.path);
    }

    Result<> put_manifest(const ManifestBytes& manifest, Role role) override {
        TRY(make_dirs_at(directory_.get(), cat("blobs/", manifest.digest.algorithm())));
        TRY(write_small(directory_.get(), blob_path(manifest.digest), manifest.bytes).within(reference_.path));
        if (role == Role::top) top_ = manifest;
        return {};
    }

    Result<> commit(const std::vector<std::string>&) override {
        if (!top_) return error(Errc::invalid, "there is no manifest to name");
        // Two copies into one layout must not lose each other's line.
        if (flock(directory_.get(), LOCK_EX)) return os_error(errno, cat("locking ", reference_.path));
        std::string old;
        if (exists_at(directory_.get(), "index.json"))
            old = TRY(read_file_at(directory_.get(), "index.json", image::largest_manifest));
        std::string index = TRY(index_with(old, *top_, reference_.tag).within(cat(reference_.path, "/index.json")));
        TRY(write_small(directory_.get(), layout_file, layout_text));
        if (!staging_ && syncfs(directory_.get())) return os_error(errno, cat("writing ", reference_.path));
        TRY(write_small(directory_.get(), "index.json", index));
        return staging_ ? staging_->place(Staging::Replace::no) : Result<>();
    }

  private:
    image::Reference reference_;
    Fd directory_;
    std::optional<Staging> staging_;
    std::optional<ManifestBytes> top_;
};
}  // namespace

Result<std::unique_ptr<ImageTarget>> make_layout(const image::Reference& reference) {
    if (reference.digest || reference.index)
        return error(Errc::invalid,
                     cat(quoted(reference.text()),
                         ": what is written can have a name (oci:PATH:NAME), but its digest is what it is"));
    if (exists_at(AT_FDCWD, reference.path.c_str())) {
        Fd directory = TRY(open_at(AT_FDCWD, reference.path.c_str(), O_RDONLY | O_DIRECTORY));
        if (!exists_at(directory.get(), layout_file))
            return error(
                Errc::exists,
                cat(quoted(reference.path),
                    " is there and is no OCI layout; name a directory that is not there, or a layout"));
        return std::make_unique<LayoutTarget>(reference, std::move(directory), std::nullopt);
    }
    Staging staging = TRY(Staging::make(reference.path, Staging::Kind::directory));
    Fd directory = TRY(open_at(staging.fd(), ".", O_RDONLY | O_DIRECTORY));
    return std::make_unique<LayoutTarget>(reference, std::move(directory), std::move(staging));
}

}  // namespace croft::registry
