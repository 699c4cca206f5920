// Writes skopeo's directories (dir_source.cc says what is in them). The directory appears whole, and takes the place of one
// that was an image before.
#include <dirent.h>
#include <fcntl.h>

#include "base/scope.h"
#include "base/text.h"
#include "registry/blobs.h"
#include "registry/layout.h"
#include "registry/staging.h"

namespace croft::registry {

namespace {
class DirTarget : public ImageTarget {
  public:
    DirTarget(image::Reference reference, Staging staging, Staging::Replace replace)
        : reference_(std::move(reference)), staging_(std::move(staging)), replace_(replace) {}

    const image::Reference& reference() const override { return reference_; }
    Result<bool> has_blob(const image::Descriptor& descriptor) override {
        return exists_at(staging_.fd(), std::string(descriptor.digest.hex()).c_str());
    }
    Result<> put_blob(const image::Descriptor& descriptor, const OpenBlob& open) override {
        return write_blob(staging_.fd(), std::string(descriptor.digest.hex()), descriptor, open).within(reference_.path);
    }
    Result<> put_manifest(const ManifestBytes& manifest, Role role) override {
        std::string name = role == Role::top ? "manifest.json" : cat(manifest.digest.hex(), ".manifest.json");
        return write_small(staging_.fd(), name, manifest.bytes).within(reference_.path);
    }
    Result<> commit(const std::vector<std::string>&) override {
        TRY(write_small(staging_.fd(), "version", dir_version));
        return staging_.place(replace_);
    }

  private:
    image::Reference reference_;
    Staging staging_;
    Staging::Replace replace_;
};

bool is_empty(Fd directory) {
    DIR* stream = fdopendir(directory.get());
    if (!stream) return false;
    directory.release();
    OnExit close([&] { closedir(stream); });
    while (dirent* entry = readdir(stream))
        if (std::string_view name = entry->d_name; name != "." && name != "..") return false;
    return true;
}
}  // namespace

Result<std::unique_ptr<ImageTarget>> make_dir(const image::Reference& reference) {
    Staging::Replace replace = Staging::Replace::no;
    if (exists_at(AT_FDCWD, reference.path.c_str())) {
        Fd directory = TRY(open_at(AT_FDCWD, reference.path.c_str(), O_RDONLY | O_DIRECTORY));
        auto version = read_file_at(directory.get(), "version", 256);
        bool ours = version && version->starts_with("Directory Transport Version:");
        // An empty directory is replaced by rename(2) itself; anything else stays what it is.
        if (!ours && !is_empty(std::move(directory)))
            return error(Errc::exists, cat(quoted(reference.path),
                                           " is there, not empty, and no image as skopeo's dir: lays it out; "
                                           "name a directory that is not there"));
        if (ours) replace = Staging::Replace::yes;
    }
    Staging staging = TRY(Staging::make(reference.path, Staging::Kind::directory));
    return std::make_unique<DirTarget>(reference, std::move(staging), replace);
}

}  // namespace croft::registry
