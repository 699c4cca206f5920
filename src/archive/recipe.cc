#include "archive/recipe.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "archive/compression.h"
#include "archive/names.h"
#include "archive/recipe_format.h"
#include "archive/streams.h"
#include "archive/tree_files.h"
#include "base/text.h"

namespace croft::archive {

namespace {

constexpr size_t piece_size = 256 << 10, longest_path = 64 << 10;

Error damaged() {
    return error(Errc::invalid, "the recipe is damaged");
}

// The records of a recipe, one after the other.
class RecipeReader {
  public:
    static Result<RecipeReader> start(int file) {
        if (lseek(file, 0, SEEK_SET) != 0) return os_error(errno, "rewinding the recipe");
        RecipeReader reader(TRY(decompress(read_fd(file, "the recipe"), Compression::zstd)));
        std::string mark = TRY(reader.text(recipe_mark.size(), recipe_mark.size()));
        if (mark != recipe_mark) return error(Errc::unsupported, "the recipe is of another version of croft");
        return reader;
    }
    Result<char> letter() { return TRY(text(1, 1))[0]; }
    Result<uint64_t> number() {
        uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            auto byte = static_cast<unsigned char>(TRY(letter()));
            value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (!(byte & 0x80)) return value;
        }
        return damaged();
    }
    Result<std::string> text(uint64_t length, size_t most) {
        if (length > most) return damaged();
        std::string out;
        TRY(each(length, [&](std::span<const std::byte> part) -> Result<> {
            out.append(reinterpret_cast<const char*>(part.data()), part.size());
            return {};
        }));
        return out;
    }
    // `length` bytes, in parts.
    template <class Take>
    Result<> each(uint64_t length, Take take) {
        while (length > 0) {
            if (at_ == have_) {
                at_ = 0;
                have_ = TRY(from_->read(piece_));
                if (have_ == 0) return damaged();
            }
            size_t part = std::min<uint64_t>(length, have_ - at_);
            TRY(take(std::span<const std::byte>(piece_).subspan(at_, part)));
            at_ += part;
            length -= part;
        }
        return {};
    }

  private:
    explicit RecipeReader(std::unique_ptr<Source> from) : from_(std::move(from)), piece_(piece_size) {}
    std::unique_ptr<Source> from_;
    std::vector<std::byte> piece_;
    size_t at_ = 0, have_ = 0;
};

Result<> to_nowhere(std::span<const std::byte>) {
    return {};
}

// Content that later entries replaced: it stands behind the place where it is needed, so it is gathered
// before.
struct Rescued {
    Fd file;
    std::map<uint64_t, Segment> places;  // by the number of the content record
};

Result<> skip_content(RecipeReader& reader) {
    uint64_t path = TRY(reader.number());
    TRY(reader.each(path, to_nowhere));
    TRY(reader.number());
    TRY(reader.number());
    return {};
}

Result<> gather(RecipeReader& reader, Rescued& rescued, uint64_t& end) {
    uint64_t record = TRY(reader.number()), length = TRY(reader.number());
    if (!rescued.file) rescued.file = Fd(memfd_create("croft-recipe", MFD_CLOEXEC));
    if (!rescued.file) return os_error(errno, "making a file in memory");
    rescued.places[record] = {end, length};
    end += length;
    return reader.each(length, [&](std::span<const std::byte> part) {
        return write_all(rescued.file.get(), {reinterpret_cast<const char*>(part.data()), part.size()});
    });
}

Result<Rescued> find_rescued(int recipe) {
    RecipeReader reader = TRY(RecipeReader::start(recipe));
    Rescued rescued;
    uint64_t end = 0;
    for (;;) {
        switch (TRY(reader.letter())) {
            case recipe_literal: {
                uint64_t length = TRY(reader.number());
                TRY(reader.each(length, to_nowhere));
                break;
            }
            case recipe_content:
                TRY(skip_content(reader));
                break;
            case recipe_rescued:
                TRY(gather(reader, rescued, end));
                break;
            case recipe_end:
                return rescued;
            default:
                return damaged();
        }
    }
}

class Cook {
  public:
    Cook(RecipeReader reader, Rescued rescued, int tree, Sink& to)
        : reader_(std::move(reader)),
          rescued_(std::move(rescued)),
          tree_(tree),
          to_(to),
          piece_(piece_size) {}

    Result<> run() {
        for (;;) {
            switch (TRY(reader_.letter())) {
                case recipe_literal: {
                    uint64_t length = TRY(reader_.number());
                    TRY(reader_.each(length,
                                     [&](std::span<const std::byte> part) { return to_.write(part); }));
                    break;
                }
                case recipe_content:
                    TRY(content());
                    break;
                case recipe_rescued: {
                    TRY(reader_.number());
                    uint64_t length = TRY(reader_.number());
                    TRY(reader_.each(length, to_nowhere));
                    break;
                }
                default:
                    return to_.finish();
            }
        }
    }

  private:
    Result<> content() {
        uint64_t length = TRY(reader_.number());
        if (length) {
            path_ = TRY(reader_.text(length, longest_path));
            file_.reset();
        }
        uint64_t offset = TRY(reader_.number());
        Segment segment{offset, TRY(reader_.number())};
        if (auto place = rescued_.places.find(count_++); place != rescued_.places.end()) {
            if (place->second.length != segment.length) return damaged();
            return copy(rescued_.file.get(), place->second);
        }
        if (!file_) TRY(open_file());
        return copy(file_.get(), segment).within(shown(path_));
    }

    Result<> open_file() {
        std::string safe = TRY(tree_path(path_, longest_path, longest_path));
        if (safe != path_ || path_.empty()) return damaged();
        auto open = [&]() -> Result<Fd> {
            Fd directory = TRY(open_directory(tree_, std::string(parent_of(path_))));
            return open_at(directory.get(), std::string(last_of(path_)).c_str(),
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        };
        auto opened = open();
        if (!opened)
            return error(Errc::invalid, cat("the tree is not as it was unpacked: ", shown(path_), ": ",
                                            opened.error().text));
        file_ = std::move(*opened);
        return {};
    }

    Result<> copy(int file, Segment segment) {
        return read_stretch(file, segment, piece_,
                            [&](std::span<const std::byte> part) { return to_.write(part); });
    }

    RecipeReader reader_;
    Rescued rescued_;
    int tree_;
    Sink& to_;
    std::vector<std::byte> piece_;
    std::string path_;
    Fd file_;
    uint64_t count_ = 0;
};

}  // namespace

Result<> cook(int recipe, int tree, Sink& to) {
    auto run = [&]() -> Result<> {
        Rescued rescued = TRY(find_rescued(recipe));
        return Cook(TRY(RecipeReader::start(recipe)), std::move(rescued), tree, to).run();
    };
    return run().within("making an archive again from its tree");
}

}  // namespace croft::archive
