// Blobs: bytes by their digest, as they were given. Called by images/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/stream.h"
#include "image/digest.h"
#include "store/store.h"

namespace croft::store {

// Its size in bytes; nothing when it is not there. What is there is whole.
std::optional<uint64_t> blob_size(const Store& store, const image::Digest& digest);
// not_found names the digest.
Result<Fd> open_blob(const Store& store, const image::Digest& digest);
// A manifest or a configuration: at most `limit` bytes.
Result<std::string> read_blob(const Store& store, const image::Digest& digest, size_t limit);

// A blob that is being written. One process writes a blob at a time; a second one waits for it. When the writer ends
// without commit(), what it wrote stays in partial/ and the next one goes on from there; a full disk gives it back.
class BlobWriter final : public Sink {
  public:
    // Nothing when the blob is there, perhaps because another process has just finished it.
    static Result<std::optional<BlobWriter>> begin(const Store& store, const image::Digest& digest);
    // A blob whose digest is known at its end only.
    static Result<BlobWriter> begin_unknown(const Store& store);
    BlobWriter(BlobWriter&&) = default;
    BlobWriter& operator=(BlobWriter&&) = delete;
    ~BlobWriter() override;

    // Bytes that an earlier writer left; read them from fd() (to hash them), or drop them with restart().
    uint64_t written() const { return written_; }
    int fd() const { return file_.get(); }
    Result<> restart();

    Result<> write(std::span<const std::byte> bytes) override;
    // Makes it the blob of this digest, durably. The caller has found that the bytes have it. A second writer that waits goes
    // on waiting as long as this object lives: so it finds what the first one has made of the blob as well.
    Result<> commit(const image::Digest& digest);
    // Nothing stays of it.
    void discard();

  private:
    BlobWriter(const Store& store, std::string name, Fd file) : store_(&store), name_(std::move(name)), file_(std::move(file)) {}
    const Store* store_;
    std::string name_;  // in partial/
    Fd file_;           // locked
    uint64_t written_ = 0;
    bool resumable_ = true, committed_ = false;
};

// Bytes that are at hand: a manifest, a configuration. Their digest is the caller's word.
Result<> add_blob(const Store& store, const image::Digest& digest, std::string_view bytes);

}  // namespace croft::store
