#include "registry/tar_index.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace croft::registry {

namespace {
constexpr uint64_t block_size = 512, longest_record = 1 << 20;

// POSIX.1-2017, pax, "ustar Interchange Format".
struct Header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], owner[32], group[32],
        major[8], minor[8], prefix[155], rest[12];
};
static_assert(sizeof(Header) == block_size);

template <size_t N>
std::string_view text_of(const char (&field)[N]) {
    return {field, strnlen(field, N)};
}

// Octal digits, or GNU's base 256 with the first bit set.
template <size_t N>
std::optional<uint64_t> number_of(const char (&field)[N]) {
    if (field[0] & 0x80) {
        uint64_t value = field[0] & 0x3f;
        for (size_t i = 1; i < N; ++i) {
            if (value >> 55) return std::nullopt;
            value = value << 8 | static_cast<unsigned char>(field[i]);
        }
        return value;
    }
    std::string_view digits = trim(text_of(field));
    return digits.empty() ? 0 : parse_uint(digits, 8);
}

bool checksum_holds(const Header& header) {
    auto bytes = reinterpret_cast<const unsigned char*>(&header);
    uint64_t sum = 0;
    for (size_t i = 0; i < block_size; ++i) {
        bool inside = i >= offsetof(Header, checksum) && i < offsetof(Header, checksum) + sizeof header.checksum;
        sum += inside ? ' ' : bytes[i];
    }
    return number_of(header.checksum) == sum;
}

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

    Result<std::optional<Header>> next_header() {
        Header header;
        // Some writers leave out the blocks of zeros.
        if (at_ == end_ && at_) return std::optional<Header>();
        TRY(read_at(at_, reinterpret_cast<char*>(&header), sizeof header));
        auto bytes = reinterpret_cast<const char*>(&header);
        if (std::all_of(bytes, bytes + block_size, [](char c) { return !c; })) return std::optional<Header>();
        if (!checksum_holds(header)) return wrong(cat("there is no header at byte ", at_));
        at_ += block_size;
        return std::optional(header);
    }

    Result<> take(const Header& header) {
        auto size = number_of(header.size);
        if (!size || *size > end_) return wrong(cat("the entry at byte ", at_ - block_size, " is larger than the archive"));
        bool extension = header.type == 'x' || header.type == 'g' || header.type == 'L' || header.type == 'K';
        if (extension)
            TRY(take_extension(header.type, *size));
        else
            TRY(take_entry(header, next_size_.value_or(*size)));
        return {};
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
        if (type == 'x') TRY(take_records(text));
        return skip(size);
    }

    // "LENGTH KEY=VALUE\n", where the length counts all of it.
    Result<> take_records(std::string_view text) {
        while (!text.empty()) {
            size_t blank = text.find(' ');
            auto length = parse_uint(text.substr(0, blank));
            if (blank == text.npos || !length || *length <= blank + 1 || *length > text.size()) return wrong("an extended header is damaged");
            std::string_view record = text.substr(blank + 1, *length - blank - 2);
            text.remove_prefix(*length);
            size_t equals = record.find('=');
            if (equals == record.npos) return wrong("an extended header is damaged");
            std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
            if (key == "path") next_name_ = value;
            if (key == "linkpath") next_link_ = value;
            if (key == "size") next_size_ = parse_uint(value);
        }
        return {};
    }

    Result<> take_entry(const Header& header, uint64_t size) {
        bool ustar = !memcmp(header.magic, "ustar", 5) && !header.magic[5];
        std::string prefix(ustar ? text_of(header.prefix) : "");
        std::string name = plain(next_name_.value_or(cat(prefix, prefix.empty() ? "" : "/", text_of(header.name))));
        std::string link = next_link_.value_or(std::string(text_of(header.link)));
        next_name_.reset(), next_link_.reset(), next_size_.reset();
        bool file = header.type == '0' || header.type == '\0' || header.type == '7';
        if (!file) size = 0;
        TarEntry entry{.offset = at_, .size = size, .link = ""};
        if (header.type == '1') entry.link = plain(link);
        if (header.type == '2') entry.link = resolved(name, link);
        if (file || !entry.link.empty()) index_[name] = std::move(entry);
        if (index_.size() > most_tar_entries) return wrong(cat("it has more than ", most_tar_entries, " files"));
        return skip(size);
    }

    int fd_;
    const std::string& path_;
    uint64_t at_ = 0, end_ = 0;
    std::optional<std::string> next_name_, next_link_;
    std::optional<uint64_t> next_size_;
    TarIndex index_;
};
}  // namespace

Result<TarIndex> read_tar_index(int fd, const std::string& path) {
    return Reader(fd, path).read();
}

}  // namespace croft::registry
