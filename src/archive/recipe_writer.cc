#include "archive/recipe_writer.h"

#include <algorithm>

#include "archive/compression.h"
#include "archive/names.h"
#include "archive/recipe_format.h"
#include "archive/streams.h"
#include "archive/tree_files.h"
#include "base/text.h"

namespace croft::archive {

namespace {
constexpr size_t enough = 64 << 10, rescue_piece = 256 << 10;
constexpr int fast = 1;
}  // namespace

Result<> RecipeWriter::start() {
    to_ = TRY(compress(write_fd(file_, "the recipe"), Compression::zstd, fast));
    pending_ = recipe_mark;
    return {};
}

void RecipeWriter::number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) pending_ += static_cast<char>(value | 0x80);
    pending_ += static_cast<char>(value);
}

Result<> RecipeWriter::put(std::string_view bytes) {
    return to_->write(std::as_bytes(std::span(bytes)));
}

// Literals and content take turns: what was gathered of the other is written before.
Result<> RecipeWriter::flush() {
    if (!literal_.empty()) {
        pending_ += recipe_literal;
        number(literal_.size());
        pending_ += literal_;
        literal_.clear();
    }
    if (pending_.size() < enough) return {};
    TRY(put(pending_));
    pending_.clear();
    return {};
}

Result<> RecipeWriter::end_content() {
    if (length_ == 0) return {};
    pending_ += recipe_content;
    bool same = path_ == written_path_;
    number(same ? 0 : path_.size());
    if (!same) pending_ += path_;
    written_path_ = path_;
    number(offset_);
    number(length_);
    auto [place, fresh] = places_.try_emplace(std::hash<std::string>()(path_), Place{contents_.size(), 0});
    // Content of another entry of the name, earlier, has been rescued.
    if (!fresh && place->second.first + place->second.count != contents_.size())
        place->second = {contents_.size(), 0};
    ++place->second.count;
    contents_.push_back({offset_, length_});
    length_ = 0;
    return {};
}

Result<> RecipeWriter::literal(std::span<const std::byte> bytes) {
    TRY(end_content());
    literal_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return literal_.size() < enough ? Result<>() : flush();
}

Result<> RecipeWriter::content(const std::string& path, uint64_t offset, uint64_t length) {
    TRY(flush());
    if (length_ && path == path_ && offset == offset_ + length_) {
        length_ += length;
        return {};
    }
    TRY(end_content());
    path_ = path;
    offset_ = offset;
    length_ = length;
    return {};
}

bool RecipeWriter::has(const std::string& path) const {
    return places_.contains(std::hash<std::string>()(path));
}

Result<> RecipeWriter::rescue(const std::string& path, int file) {
    TRY(end_content());
    TRY(flush());
    auto place = places_.extract(std::hash<std::string>()(path));
    if (place.empty()) return {};
    std::vector<std::byte> piece(rescue_piece);
    for (size_t i = place.mapped().first; i < place.mapped().first + place.mapped().count; ++i) {
        Segment left = contents_[i];
        pending_ += recipe_rescued;
        number(i);
        number(left.length);
        TRY(put(pending_));
        pending_.clear();
        auto read = read_stretch(file, left, piece,
                                 [&](std::span<const std::byte> part) { return to_->write(part); });
        TRY(std::move(read).within(shown(path)));
    }
    return {};
}

Result<> RecipeWriter::finish() {
    TRY(end_content());
    TRY(flush());
    pending_ += recipe_end;
    TRY(put(pending_));
    return to_->finish();
}

}  // namespace croft::archive
