#include "registry/copy.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include "base/text.h"
#include "image/media_types.h"
#include "registry/blobs.h"
#include "registry/gather.h"

namespace croft::registry {

namespace {
using image::Descriptor;

// Bytes on their way, seen by the progress, and stopped by a failure elsewhere or by the user.
class Watched : public Source {
  public:
    Watched(std::unique_ptr<Source> from, CopyProgress* progress, std::atomic<uint64_t>& moved,
            const std::atomic<bool>& stop, bool (*interrupted)())
        : from_(std::move(from)),
          progress_(progress),
          moved_(moved),
          stop_(stop),
          interrupted_(interrupted) {}

    Result<size_t> read(std::span<std::byte> room) override {
        if (stop_ || (interrupted_ && interrupted_())) return error(Errc::failed, "interrupted");
        size_t count = TRY(from_->read(room));
        moved_ += count;
        if (progress_ && count) progress_->moved(count);
        return count;
    }

  private:
    std::unique_ptr<Source> from_;
    CopyProgress* progress_;
    std::atomic<uint64_t>& moved_;
    const std::atomic<bool>& stop_;
    bool (*interrupted_)();
};

class BlobMover {
  public:
    BlobMover(ImageSource& from, ImageTarget& to, const std::vector<Descriptor>& blobs, const CopyOptions& options)
        : from_(from), to_(to), options_(options), blobs_(blobs) {
        // The largest first: the last one to end is then a short one.
        std::ranges::stable_sort(blobs_, std::ranges::greater(), &Descriptor::size);
    }

    Result<> run() {
        uint64_t total = 0;
        for (const Descriptor& blob : blobs_) total += blob.size;
        if (options_.progress) options_.progress->begin(total, blobs_.size());
        size_t threads = std::min<size_t>(std::clamp(options_.parallel, 1u, 64u), blobs_.size());
        std::vector<std::thread> helpers;
        try {
            for (size_t i = 1; i < threads; ++i) helpers.emplace_back([this] { work(); });
        } catch (const std::system_error&) {  // a limit of tasks: fewer do it too
        }
        work();
        for (std::thread& helper : helpers) helper.join();
        if (first_error_) return std::move(*first_error_);
        return {};
    }

    std::atomic<uint64_t> moved = 0, spared = 0;

  private:
    void work() {
        for (size_t at; !stop_ && (at = next_++) < blobs_.size();) {
            Result<> done = move(blobs_[at]);
            if (options_.progress) options_.progress->blob_done();
            if (done) continue;
            std::lock_guard lock(mutex_);
            if (!stop_) first_error_ = std::move(done).error();
            stop_ = true;
        }
    }

    Result<> move(const Descriptor& blob) {
        if (options_.interrupted && options_.interrupted()) return error(Errc::failed, "interrupted");
        if (TRY(to_.has_blob(blob)) || TRY(to_.try_mount(blob, from_))) {
            spared += blob.size;
            if (options_.progress) options_.progress->spared(blob.size);
            return {};
        }
        return to_.put_blob(blob, [&](uint64_t offset) -> Result<std::unique_ptr<Source>> {
            std::unique_ptr<Source> source = TRY(from_.blob(blob, offset));
            return std::make_unique<Watched>(std::move(source), options_.progress, moved, stop_, options_.interrupted);
        });
    }

    ImageSource& from_;
    ImageTarget& to_;
    const CopyOptions& options_;
    std::vector<Descriptor> blobs_;
    std::atomic<size_t> next_ = 0;
    std::atomic<bool> stop_ = false;
    std::mutex mutex_;
    std::optional<Error> first_error_;
};

Result<> check_target(const ImageTarget& to, const Gathered& what, const CopyOptions& options) {
    if (options.preserve_digests && !to.keeps_digests())
        return error(Errc::unsupported,
                     cat(quoted(to.reference().text()),
                         " keeps layers in another form, so digests cannot be preserved there"));
    for (const ManifestBytes& one : what.manifests) {
        std::string why = to.refuses(one.media_type);
        if (!why.empty()) return error(Errc::unsupported, cat(quoted(to.reference().text()), ": ", why));
    }
    return {};
}

Result<> check_digests(ImageSource& from, const Gathered& what, const CopyOptions& options) {
    if (!options.preserve_digests || (options.format == Format::keep && !options.repack)) return {};
    for (const ManifestBytes& one : what.manifests)
        if (!from.manifest(one.digest))
            return error(Errc::invalid,
                         "the format or compression that was asked for changes digests, and --preserve-digests forbids "
                         "that; leave out one of them");
    return {};
}
}  // namespace

Result<Copied> copy_image(ImageSource& as_it_is, ImageTarget& to, const CopyOptions& options) {
    std::optional<RepackedSource> repacked;
    if (options.repack) repacked.emplace(as_it_is, *options.repack);
    ImageSource& from = repacked ? *repacked : as_it_is;
    Gathered what = TRY(gather(from, repacked ? &*repacked : nullptr, options));
    TRY(check_target(to, what, options));
    TRY(check_digests(from, what, options));
    if (options.which == Which::index_only) what.blobs.clear();
    BlobMover mover(from, to, what.blobs, options);
    TRY(mover.run());
    for (size_t i = 0; i < what.manifests.size(); ++i)
        TRY(to.put_manifest(what.manifests[i], i + 1 == what.manifests.size() ? ImageTarget::Role::top
                                                                              : ImageTarget::Role::child));
    if (options.interrupted && options.interrupted()) return error(Errc::failed, "interrupted");
    TRY(to.commit(from.names()));
    return Copied{std::move(what.manifests.back()), mover.moved, mover.spared};
}

}  // namespace croft::registry
