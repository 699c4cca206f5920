#include "store/blobs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "store/faults.h"
#include "store/names.h"

namespace croft::store {

std::optional<uint64_t> blob_size(const Store& store, const image::Digest& digest) {
    struct stat st = {};
    if (fstatat(store.fd(), blob_name(digest).c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return std::nullopt;
    return static_cast<uint64_t>(st.st_size);
}

Result<Fd> open_blob(const Store& store, const image::Digest& digest) {
    int fd = openat(store.fd(), blob_name(digest).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) return Fd(fd);
    if (errno != ENOENT) return os_error(errno, cat("opening the blob ", digest.text()));
    return error(Errc::not_found, cat("the store has no blob ", digest.text(), "; pull or import its image again"));
}

Result<std::string> read_blob(const Store& store, const image::Digest& digest, size_t limit) {
    Fd file = TRY(open_blob(store, digest));
    return read_all(file.get(), limit).within(cat("the blob ", digest.text()));
}

Result<std::optional<BlobWriter>> BlobWriter::begin(const Store& store, const image::Digest& digest) {
    std::string name = cat("partial/blob-", digest.algorithm(), "-", digest.hex());
    Fd file = TRY(wait_for_lock(store.fd(), name.c_str(), LockKind::exclusive));
    // What we waited for is often the blob itself, under its new name. Then this file is it, or an empty one.
    if (blob_size(store, digest)) {
        unlinkat(store.fd(), name.c_str(), 0);
        return std::optional<BlobWriter>();
    }
    BlobWriter out(store, std::move(name), std::move(file));
    off_t size = lseek(out.fd(), 0, SEEK_END);
    if (size < 0) return os_error(errno, "looking at a partial blob");
    out.written_ = static_cast<uint64_t>(size);
    return std::optional<BlobWriter>(std::move(out));
}

Result<BlobWriter> BlobWriter::begin_unknown(const Store& store) {
    std::string name = cat("partial/new-", random_name());
    Fd file = TRY(wait_for_lock(store.fd(), name.c_str(), LockKind::exclusive));
    BlobWriter out(store, std::move(name), std::move(file));
    out.resumable_ = false;
    return out;
}

BlobWriter::~BlobWriter() {
    if (file_ && !committed_ && (!resumable_ || written_ == 0)) discard();
}

Result<> BlobWriter::restart() {
    if (ftruncate(fd(), 0) < 0 || lseek(fd(), 0, SEEK_SET) < 0)
        return os_error(errno, "beginning a blob anew");
    written_ = 0;
    return {};
}

Result<> BlobWriter::write(std::span<const std::byte> bytes) {
    Result<> done = write_all(fd(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (done) {
        written_ += bytes.size();
        return {};
    }
    if (done.error().code == Errc::no_space) discard();
    return std::move(done).within(cat("writing a blob to the store ", store_->path()));
}

Result<> BlobWriter::commit(const image::Digest& digest) {
    step();
    if (fdatasync(fd()) < 0) return os_error(errno, cat("writing the blob ", digest.text(), " to disk"));
    std::string name = blob_name(digest);
    step();
    if (renameat(store_->fd(), name_.c_str(), store_->fd(), name.c_str()) < 0)
        return os_error(errno, cat("naming the blob ", digest.text()));
    committed_ = true;
    step();
    return sync_directory(store_->fd(), name.substr(0, name.rfind('/')).c_str());
}

void BlobWriter::discard() {
    if (file_) unlinkat(store_->fd(), name_.c_str(), 0);
    file_.reset();
}

Result<> add_blob(const Store& store, const image::Digest& digest, std::string_view bytes) {
    auto writer = TRY(BlobWriter::begin(store, digest));
    if (!writer) return {};
    if (writer->written() > 0) TRY(writer->restart());
    TRY(writer->write(std::as_bytes(std::span(bytes))));
    return writer->commit(digest);
}

}  // namespace croft::store
