#include "disk/qcow2.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace croft::disk {
namespace {

constexpr std::string_view magic = "QFI\xfb";
constexpr uint64_t offset_bits = 0x00fffffffffffe00;  // of L1 and L2 entries
constexpr uint64_t compressed_bit = uint64_t{1} << 62, zero_bit = 1;
constexpr uint64_t most_l1_bytes = 32 << 20;  // QEMU's own limit
constexpr uint64_t most_size = uint64_t{1} << 56;
constexpr size_t most_name = 1023;
// Incompatible features: what a reader must know to read rightly. Bit 0 (dirty) is about reference counts alone.
constexpr uint64_t feature_dirty = 1, feature_corrupt = 2, feature_data_file = 4, feature_compression = 8, feature_extended = 16;
constexpr uint32_t extension_end = 0, extension_format = 0xe2792aca;

struct Head {
    uint32_t version = 0, cluster_bits = 0, l1_size = 0, header_length = 72;
    uint64_t size = 0, l1_offset = 0, features = 0, backing_offset = 0;
    uint32_t backing_length = 0;
    Qcow2Compression compression = Qcow2Compression::deflate;
};

Error bad(std::string_view what) {
    return error(Errc::invalid, cat("the qcow2 image ", what));
}
Error refused(std::string_view what) {
    return error(Errc::unsupported, cat("the qcow2 image ", what, "; `qemu-img convert` makes a plain one of it"));
}

Result<> check_features(uint64_t features) {
    if (features & feature_corrupt) return bad("is marked as corrupt; `qemu-img check -r all` may repair it");
    if (features & feature_data_file) return refused("keeps its data in another file");
    if (features & feature_extended) return refused("has extended L2 entries");
    uint64_t unknown = features & ~(feature_dirty | feature_corrupt | feature_data_file | feature_compression | feature_extended);
    if (unknown) return refused("has features that are unknown here");
    return {};
}

Result<> read_version_3(RandomAccess& file, Head& head) {
    std::array<std::byte, 112> bytes{};
    TRY(file.read(0, std::span(bytes).first(104)));
    head.features = big<uint64_t>(bytes, 72), head.header_length = big<uint32_t>(bytes, 100);
    if (head.header_length < 104 || head.header_length % 8 || head.header_length > 1U << head.cluster_bits)
        return bad(cat("has a header of ", head.header_length, " bytes"));
    TRY(check_features(head.features));
    if (!(head.features & feature_compression)) return {};
    if (head.header_length < 112) return bad("does not say how it is compressed");
    TRY(file.read(0, bytes));
    auto kind = static_cast<uint8_t>(bytes[104]);
    if (kind > 1) return refused("is compressed in a way that is unknown here");
    head.compression = kind ? Qcow2Compression::zstd : Qcow2Compression::deflate;
    return {};
}

Result<Head> read_head(RandomAccess& file) {
    std::array<std::byte, 72> bytes{};
    if (file.size() < bytes.size()) return bad("is cut off in its header");
    TRY(file.read(0, bytes));
    Head head;
    head.version = big<uint32_t>(bytes, 4);
    if (head.version != 2 && head.version != 3) return bad(cat("is of version ", head.version, "; known are 2 and 3"));
    head.backing_offset = big<uint64_t>(bytes, 8), head.backing_length = big<uint32_t>(bytes, 16);
    head.cluster_bits = big<uint32_t>(bytes, 20), head.size = big<uint64_t>(bytes, 24);
    if (head.cluster_bits < 9 || head.cluster_bits > 21) return bad(cat("has clusters of 2^", head.cluster_bits, " bytes"));
    if (head.size > most_size) return bad(cat("says that its disk has ", head.size, " bytes"));
    if (big<uint32_t>(bytes, 32)) return refused("is encrypted");
    head.l1_size = big<uint32_t>(bytes, 36), head.l1_offset = big<uint64_t>(bytes, 40);
    if (head.version == 3) TRY(read_version_3(file, head));
    // Each entry of L1 leads to a cluster full of entries of L2.
    uint64_t covered = uint64_t{1} << (2 * head.cluster_bits - 3);
    if ((head.size + covered - 1) / covered > head.l1_size) return bad("has too small a table for its disk");
    if (uint64_t{head.l1_size} * 8 > most_l1_bytes || !fits(head.l1_offset, uint64_t{head.l1_size} * 8, file.size()))
        return bad("has a table beyond its end");
    return head;
}

// Behind the header, as type, length, data; only the format of the backing file is of interest.
Result<std::string> backing_format(RandomAccess& file, const Head& head) {
    uint64_t at = head.header_length;
    for (int n = 0; n < 64; ++n) {
        std::array<std::byte, 8> bytes{};
        TRY(file.read(at, bytes));
        uint32_t type = big<uint32_t>(bytes, 0), length = big<uint32_t>(bytes, 4);
        if (type == extension_end) break;
        if (length > 1U << head.cluster_bits) return bad("has a header extension that is too long");
        if (type == extension_format && length <= 16) {
            std::string format(length, '\0');
            TRY(file.read(at + 8, std::as_writable_bytes(std::span(format))));
            return format;
        }
        at += 8 + (uint64_t{length} + 7) / 8 * 8;
    }
    return std::string();
}

class Qcow2 : public RandomAccess {
  public:
    Qcow2(std::unique_ptr<RandomAccess> file, const Head& head, const Qcow2Options& options)
        : file_(std::move(file)), head_(head), unpack_(options.unpack) {}
    Result<> open(const Qcow2Options& options);
    uint64_t size() const override { return head_.size; }
    Result<> read(uint64_t offset, std::span<std::byte> room) override;
    Result<uint64_t> zeros(uint64_t offset) override;

  private:
    uint64_t cluster() const { return uint64_t{1} << head_.cluster_bits; }
    // The L2 entry of this byte of the disk; 0: not allocated.
    Result<uint64_t> entry(uint64_t offset);
    Result<> read_some(uint64_t offset, std::span<std::byte> room);
    Result<> read_backing(uint64_t offset, std::span<std::byte> room);
    Result<> read_compressed(uint64_t entry, uint64_t within, std::span<std::byte> room);
    bool is_zero(uint64_t entry) const { return head_.version == 3 && !(entry & compressed_bit) && (entry & zero_bit); }

    std::unique_ptr<RandomAccess> file_, backing_;
    const Head head_;
    std::function<Result<>(std::span<const std::byte>, Qcow2Compression, std::span<std::byte>)> unpack_;
    std::vector<std::byte> l1_, l2_, unpacked_;
    uint64_t l2_at_ = 0, unpacked_entry_ = 0;  // what the two caches hold; 0: nothing
};

Result<> Qcow2::open(const Qcow2Options& options) {
    l1_.resize(size_t{head_.l1_size} * 8);
    TRY(file_->read(head_.l1_offset, l1_));
    if (!head_.backing_offset) return {};
    if (!head_.backing_length || head_.backing_length > most_name) return bad("has no proper name of its backing file");
    std::string name(head_.backing_length, '\0');
    TRY(file_->read(head_.backing_offset, std::as_writable_bytes(std::span(name))));
    if (!options.open_backing)
        return error(Errc::denied, cat("the qcow2 image is only what differs from its backing file ", quoted(name),
                                       "; `qemu-img convert` makes a whole one of both, if you trust that name"));
    std::string format = TRY(backing_format(*file_, head_));
    backing_ = TRY(options.open_backing(name, format).within(cat("the backing file ", quoted(name))));
    return {};
}

Result<uint64_t> Qcow2::entry(uint64_t offset) {
    uint64_t index = offset >> head_.cluster_bits, entries = cluster() / 8;
    uint64_t l2_at = big<uint64_t>(l1_, static_cast<size_t>(index / entries) * 8) & offset_bits;
    if (!l2_at) return 0;
    if (l2_at != l2_at_) {
        l2_.resize(cluster());
        l2_at_ = 0;
        if (l2_at % cluster()) return bad("has a table that begins within a cluster");
        TRY(file_->read(l2_at, l2_));
        l2_at_ = l2_at;
    }
    return big<uint64_t>(l2_, static_cast<size_t>(index % entries) * 8);
}

// A backing file may be shorter than the disk: zeros follow it.
Result<> Qcow2::read_backing(uint64_t offset, std::span<std::byte> room) {
    uint64_t there = backing_ && offset < backing_->size() ? std::min<uint64_t>(room.size(), backing_->size() - offset) : 0;
    if (there) TRY(backing_->read(offset, room.first(there)));
    std::ranges::fill(room.subspan(there), std::byte{0});
    return {};
}

Result<> Qcow2::read_compressed(uint64_t entry, uint64_t within, std::span<std::byte> room) {
    if (entry != unpacked_entry_) {
        unpacked_entry_ = 0;
        if (!unpack_) return refused("has compressed clusters, which only `croft image import` reads");
        unsigned bits = 62 - (head_.cluster_bits - 8);
        uint64_t at = entry & ((uint64_t{1} << bits) - 1);
        uint64_t sectors = ((entry & ~(compressed_bit | uint64_t{1} << 63)) >> bits) + 1;
        uint64_t length = sectors * 512 - (at & 511);
        if (at >= file_->size()) return bad("has a compressed cluster beyond its end");
        // The last sector may be cut off by the file's end.
        std::vector<std::byte> packed(std::min(length, file_->size() - at));
        TRY(file_->read(at, packed));
        unpacked_.resize(cluster());
        TRY(unpack_(packed, head_.compression, unpacked_).within("unpacking a cluster of the qcow2 image"));
        unpacked_entry_ = entry;
    }
    std::ranges::copy(std::span(unpacked_).subspan(within, room.size()), room.begin());
    return {};
}

Result<> Qcow2::read_some(uint64_t offset, std::span<std::byte> room) {
    uint64_t found = TRY(entry(offset)), within = offset & (cluster() - 1);
    if (found & compressed_bit) return read_compressed(found, within, room);
    if (is_zero(found)) {
        std::ranges::fill(room, std::byte{0});
        return {};
    }
    uint64_t at = found & offset_bits;
    if (!at) return read_backing(offset, room);
    if (at % cluster()) return bad("has a cluster that begins within another");
    return file_->read(at + within, room);
}

Result<> Qcow2::read(uint64_t offset, std::span<std::byte> room) {
    if (!fits(offset, room.size(), head_.size))
        return error(Errc::invalid, cat("bytes beyond the end of the disk (", head_.size, ") are wanted"));
    while (!room.empty()) {
        size_t part = std::min<uint64_t>(room.size(), cluster() - (offset & (cluster() - 1)));
        TRY(read_some(offset, room.first(part)));
        room = room.subspan(part), offset += part;
    }
    return {};
}

Result<uint64_t> Qcow2::zeros(uint64_t offset) {
    if (offset >= head_.size) return 0;
    uint64_t l2_span = cluster() / 8 * cluster();
    size_t at = static_cast<size_t>(offset / l2_span) * 8;
    uint64_t known = 0;
    if (!(big<uint64_t>(l1_, at) & offset_bits))
        known = l2_span - offset % l2_span;
    else if (uint64_t found = TRY(entry(offset)); is_zero(found))
        return std::min(cluster() - (offset & (cluster() - 1)), head_.size - offset);
    else if (!(found & (offset_bits | compressed_bit)))
        known = cluster() - (offset & (cluster() - 1));
    if (known && backing_ && offset < backing_->size()) known = std::min(known, TRY(backing_->zeros(offset)));
    return std::min(known, head_.size - offset);
}

}  // namespace

bool is_qcow2(RandomAccess& file) {
    std::array<std::byte, 4> bytes{};
    return file.size() >= bytes.size() && file.read(0, bytes) && has_text(bytes, 0, magic);
}

Result<std::unique_ptr<RandomAccess>> open_qcow2(std::unique_ptr<RandomAccess> file, const Qcow2Options& options) {
    Head head = TRY(read_head(*file));
    auto out = std::make_unique<Qcow2>(std::move(file), head, options);
    TRY(out->open(options));
    return out;
}

}  // namespace croft::disk
