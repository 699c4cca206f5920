#include "images/unpack_layers.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "archive/compression.h"
#include "base/host_root.h"
#include "base/text.h"
#include "store/blobs.h"
#include "store/layers.h"

namespace croft::images {
namespace {

// croft-unpack writes with several threads of its own: a few at a time keep the disk busy.
constexpr unsigned most_workers = 4;

Result<archive::Compression> compression_of(int blob) {
    std::byte first[archive::sniff_length];
    ssize_t n = pread(blob, first, sizeof first, 0);
    if (n < 0) return os_error(errno, "reading a layer");
    return archive::sniff({first, static_cast<size_t>(n)});
}

Result<archive::Unpacked> unpack_into(const store::LayerWriter& writer, const store::Store& store, const image::Descriptor& layer,
                                      const std::string& helper) {
    Fd blob = TRY(store::open_blob(store, layer.digest)), tree = TRY(writer.tree());
    archive::UnpackOptions options = tree_options(helper);
    options.compression = TRY(compression_of(blob.get()));
    options.what = cat("layer ", layer.digest.text());
    return archive::unpack(blob.get(), tree.get(), options);
}

Result<> keep(store::LayerWriter& writer, const archive::Unpacked& done) {
    return writer.commit({.id = done.diff_id, .archive_size = done.archive_bytes, .bytes = done.bytes, .entries = done.entries});
}

}  // namespace

Result<std::string> unpack_blob(const store::Store& store, const image::Descriptor& layer, const std::string& helper) {
    auto writer = TRY(store::LayerWriter::begin(store));
    archive::Unpacked done = TRY(unpack_into(*writer, store, layer, helper));
    TRY(keep(*writer, done));
    return done.diff_id;
}

Result<> unpack_layer(const store::Store& store, const image::Descriptor& layer, const image::Digest& id,
                      const std::string& helper) {
    auto writer = TRY(store::LayerWriter::begin(store, id.text()));
    if (!writer) return {};
    archive::Unpacked done = TRY(unpack_into(*writer, store, layer, helper));
    if (done.diff_id != id.text())
        return error(Errc::invalid, cat("layer ", layer.digest.text(),
                                        " is not what the image's configuration says: its diff id is ",
                                        done.diff_id, " and not ", id.text()));
    return keep(*writer, done);
}

namespace {

// Work that is shared by a few threads; the first error stays and ends it.
class Workers {
  public:
    Workers(const store::Store& store, const store::Image& image, const std::string& helper, std::vector<size_t> missing)
        : store_(store), image_(image), helper_(helper), missing_(std::move(missing)) {}

    Result<> run() {
        size_t processors = std::max(1u, std::thread::hardware_concurrency());
        std::vector<std::thread> threads;
        for (size_t i = 1; i < std::min({missing_.size(), processors, size_t{most_workers}}); ++i)
            threads.emplace_back([this] { work(); });
        work();
        for (std::thread& thread : threads) thread.join();
        return std::move(first_);
    }

  private:
    void work() {
        for (size_t i; !failed_ && (i = next_++) < missing_.size();) {
            size_t at = missing_[i];
            Result<> done = unpack_layer(store_, image_.manifest.layers[at], image_.config.diff_ids[at], helper_);
            if (done) continue;
            std::lock_guard guard(mutex_);
            if (!failed_.exchange(true)) first_ = std::move(done);
        }
    }

    const store::Store& store_;
    const store::Image& image_;
    const std::string& helper_;
    const std::vector<size_t> missing_;
    std::atomic<size_t> next_ = 0;
    std::atomic<bool> failed_ = false;
    std::mutex mutex_;
    Result<> first_;
};

// A user with a range of ids (/etc/subuid) has more than one mapped here, and so can give files to others.
bool has_many_ids() {
    auto map = read_file_at(AT_FDCWD, "/proc/self/uid_map", 4096);
    return map && split(trim(*map), '\n').size() > 1;
}

}  // namespace

archive::UnpackOptions tree_options(const std::string& helper) {
    archive::UnpackOptions options;
    bool root = is_host_root();
    options.whiteouts = root ? archive::Whiteouts::overlay : archive::Whiteouts::overlay_user;
    options.devices = root ? archive::DeviceNodes::make : archive::DeviceNodes::leave_out;
    options.ownership = root || has_many_ids();
    options.helper = helper;
    return options;
}

Result<> unpack_layers(const store::Store& store, const store::Image& image, const std::string& helper) {
    std::vector<size_t> missing;
    for (size_t i = 0; i < image.config.diff_ids.size(); ++i)
        if (!TRY(store::find_layer(store, image.config.diff_ids[i].text()))) missing.push_back(i);
    return missing.empty() ? Result<>() : Workers(store, image, helper, std::move(missing)).run();
}

}  // namespace croft::images
