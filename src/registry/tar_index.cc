#include "registry/tar_index.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "archive/pax.h"
#include "archive/tar_header.h"
#include "base/text.h"

namespace croft::registry {

namespace {
using archive::TarHeader;

constexpr uint64_t block_size = 512, longest_record = 1 << 20;

std::string plain(std::string_view name) {
    while (name.starts_with("./")) name.remove_prefix(2);
    return std::string(name);
}

// "../x" from "a/b" is "x": how `docker save` of old pointed from layer to layer.
std::string resolved(std::string_view from, std::string_view to) {
    std::vector<std::string> parts = split(from, '/');
    parts.pop_back();
    for (const std::string& part : split(to, '/')) {
        if (part == ".." && !parts.empty())
            parts.pop_back();
        else if (part != "." && part != ".." && !part.empty())
            parts.push_back(part);
    }
    return join(parts, "/");
}

class Reader {
  public:
    Reader(int fd, const std::string& path) : fd_(fd), path_(path) {}

    Result<TarIndex> read() {
        struct stat status;
        if (fstat(fd_, &status)) return os_error(errno, cat("looking at ", path_));
        end_ = static_cast<uint64_t>(status.st_size);
        while (true) {
            auto header = TRY(next_header());
            if (!header) return std::move(index_);
            TRY(take(*header));
        }
    }

  private:
    Error wrong(std::string_view how) { return error(Errc::invalid, cat(quoted(path_), " is no whole tar archive: ", how)); }

    Result<> read_at(uint64_t at, char* room, size_t length) {
        for (size_t done = 0; done < length;) {
            ssize_t count = pread(fd_, room + done, length - done, static_cast<off_t>(at + done));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return os_error(errno, cat("reading ", path_));
            if (!count) return wrong("it ends too early");
            done += static_cast<size_t>(count);
        }
        return {};
    }

    Result<std::optional<TarHeader>> next_header() {
        std::array<char, block_size> record;
        // Some writers leave out the blocks of zeros.
        if (at_ == end_ && at_) return std::optional<TarHeader>();
        TRY(read_at(at_, record.data(), record.size()));
        auto bytes = std::as_bytes(std::span(record));
        if (archive::is_zero_record(bytes)) return std::optional<TarHeader>();
        auto header = TRY(archive::parse_tar_header(bytes).within(quoted(path_)));
        if (!header) return wrong(cat("there is no header at byte ", at_));
        at_ += block_size;
        return header;
    }

    Result<> take(TarHeader& header) {
        if (header.size > end_) return wrong(cat("the entry at byte ", at_ - block_size, " is larger than the archive"));
        bool extension = header.kind == 'x' || header.kind == 'g' || header.kind == 'L' || header.kind == 'K';
        return extension ? take_extension(header.kind, header.size) : take_entry(header);
    }

    Result<> skip(uint64_t size) {
        uint64_t padded = (size + block_size - 1) / block_size * block_size;
        // The padding of a last entry may be missing.
        if (size > end_ || at_ + size > end_) return wrong("it ends too early");
        at_ = std::min(at_ + padded, end_);
        return {};
    }

    Result<> take_extension(char type, uint64_t size) {
        if (size > longest_record) return wrong("an extended header is too large");
        std::string text(size, '\0');
        TRY(read_at(at_, text.data(), size));
        if (type == 'L') next_name_ = text.substr(0, text.find('\0'));
        if (type == 'K') next_link_ = text.substr(0, text.find('\0'));
        if (type == 'x') TRY(archive::parse_pax(text, own_).within(quoted(path_)));
        return skip(size);
    }

    Result<> take_entry(TarHeader& header) {
        archive::Entry& entry = header.entry;
        TRY(archive::apply_pax({}, own_, entry).within(quoted(path_)));
        if (next_name_) entry.path = *next_name_;
        if (next_link_) entry.link = *next_link_;
        next_name_.reset(), next_link_.reset(), own_ = {};
        using Type = archive::EntryType;
        bool file = entry.type == Type::file;
        if (entry.sparse)
            return error(Errc::unsupported, cat(quoted(path_), ": ", quoted(entry.path),
                                                " is stored with holes, which archives of images are not"));
        std::string name = plain(entry.path);
        TarEntry out{.offset = at_, .size = file ? entry.stored : 0, .link = ""};
        if (entry.type == Type::hardlink) out.link = plain(entry.link);
        if (entry.type == Type::symlink) out.link = resolved(name, entry.link);
        uint64_t size = out.size;
        if (file || !out.link.empty()) index_[name] = std::move(out);
        if (index_.size() > most_tar_entries) return wrong(cat("it has more than ", most_tar_entries, " files"));
        return skip(size);
    }

    int fd_;
    const std::string& path_;
    uint64_t at_ = 0, end_ = 0;
    std::optional<std::string> next_name_, next_link_;
    archive::PaxRecords own_;
    TarIndex index_;
};
}  // namespace

Result<TarIndex> read_tar_index(int fd, const std::string& path) {
    return Reader(fd, path).read();
}

}  // namespace croft::registry
