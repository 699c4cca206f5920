#include "archive/tar_writer.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "base/text.h"

namespace croft::archive {

namespace {

constexpr size_t record_size = 512, name_size = 100, prefix_size = 155;
constexpr uint64_t largest_id = 07777777, largest_size = 077777777777;

char kind_of(EntryType type) {
    switch (type) {
        case EntryType::hardlink:
            return '1';
        case EntryType::symlink:
            return '2';
        case EntryType::character_device:
            return '3';
        case EntryType::block_device:
            return '4';
        case EntryType::directory:
            return '5';
        case EntryType::fifo:
            return '6';
        default:
            return '0';
    }
}

// "LENGTH KEYWORD=VALUE\n", where the length counts its own digits.
void add_record(std::string& records, std::string_view keyword, std::string_view value) {
    size_t rest = keyword.size() + value.size() + 3, length = rest + 1;
    while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
    records += cat(length, " ", keyword, "=", value, "\n");
}

// Where a name is cut into ustar's prefix and name; npos where it cannot be.
size_t split_at(std::string_view path) {
    if (path.size() <= name_size) return 0;
    if (path.size() > prefix_size + 1 + name_size) return path.npos;
    size_t slash = path.find('/', path.size() - name_size - 1);
    return slash == path.npos || slash == 0 || slash > prefix_size || slash + 1 == path.size() ? path.npos
                                                                                               : slash;
}

bool is_ascii(std::string_view text) {
    for (char c : text)
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    return true;
}

std::string time_text(const Entry& entry) {
    if (entry.mtime_nsec == 0) return cat(entry.mtime);
    bool negative = entry.mtime < 0;
    int64_t seconds = negative ? entry.mtime + 1 : entry.mtime;
    uint32_t fraction = negative ? 1'000'000'000 - entry.mtime_nsec : entry.mtime_nsec;
    char digits[16];
    snprintf(digits, sizeof digits, "%09u", fraction);
    std::string_view shortest(digits);
    shortest = shortest.substr(0, shortest.find_last_not_of('0') + 1);
    return cat(negative && seconds == 0 ? "-" : "", seconds, ".", shortest);
}

// GNU's form 1.0, at the start of the content: filled up to 512 bytes.
std::string sparse_map(const Entry& entry) {
    if (!entry.sparse) return {};
    std::string map = cat(entry.segments.size(), "\n");
    for (const Segment& segment : entry.segments) map += cat(segment.offset, "\n", segment.length, "\n");
    map.resize((map.size() + record_size - 1) / record_size * record_size, '\0');
    return map;
}

std::string extended_records(const Entry& entry, uint64_t stored) {
    std::string records;
    if (split_at(entry.path) == std::string::npos || !is_ascii(entry.path))
        add_record(records, entry.sparse ? "GNU.sparse.name" : "path", entry.path);
    else if (entry.sparse)
        add_record(records, "GNU.sparse.name", entry.path);
    if (entry.link.size() > name_size || !is_ascii(entry.link)) add_record(records, "linkpath", entry.link);
    if (entry.uid > largest_id) add_record(records, "uid", cat(entry.uid));
    if (entry.gid > largest_id) add_record(records, "gid", cat(entry.gid));
    if (stored > largest_size) add_record(records, "size", cat(stored));
    if (entry.mtime_nsec || entry.mtime < 0 || entry.mtime > static_cast<int64_t>(largest_size))
        add_record(records, "mtime", time_text(entry));
    if (entry.sparse) {
        add_record(records, "GNU.sparse.major", "1");
        add_record(records, "GNU.sparse.minor", "0");
        add_record(records, "GNU.sparse.realsize", cat(entry.size));
    }
    if (!entry.access_acl.empty()) add_record(records, "SCHILY.acl.access", entry.access_acl);
    if (!entry.default_acl.empty()) add_record(records, "SCHILY.acl.default", entry.default_acl);
    for (const auto& [name, value] : entry.attributes) add_record(records, cat("SCHILY.xattr.", name), value);
    if (!entry.comment.empty()) add_record(records, "comment", entry.comment);
    return records;
}

class Record {
  public:
    void text(size_t at, std::string_view value, size_t room) {
        memcpy(&bytes_[at], value.data(), std::min(value.size(), room));
    }
    void octal(size_t at, uint64_t value, int digits) {
        char text[24];
        int length = snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
        memcpy(&bytes_[at], text, static_cast<size_t>(std::min(length, digits)));
    }
    std::string_view finish() {
        memset(&bytes_[148], ' ', 8);
        unsigned sum = 0;
        for (char byte : bytes_) sum += static_cast<unsigned char>(byte);
        char text[24];
        snprintf(text, sizeof text, "%06o", sum);
        memcpy(&bytes_[148], text, 7);
        return {bytes_.data(), bytes_.size()};
    }

  private:
    std::array<char, record_size> bytes_ = {};
};

// What does not fit is in the extended header, and 0 or cut off here.
std::string ustar(const Entry& entry, char kind, std::string_view path, uint64_t stored) {
    Record record;
    size_t slash = split_at(path);
    bool whole = slash == 0 || slash == path.npos;
    record.text(0, whole ? path : path.substr(slash + 1), name_size);
    record.octal(100, entry.mode & 07777, 7);
    record.octal(108, entry.uid > largest_id ? 0 : entry.uid, 7);
    record.octal(116, entry.gid > largest_id ? 0 : entry.gid, 7);
    record.octal(124, stored > largest_size ? 0 : stored, 11);
    bool in_range = entry.mtime >= 0 && entry.mtime <= static_cast<int64_t>(largest_size);
    record.octal(136, in_range ? static_cast<uint64_t>(entry.mtime) : 0, 11);
    record.text(156, {&kind, 1}, 1);
    record.text(157, entry.link, name_size);
    record.text(257,
                std::string_view("ustar\0"
                                 "00",
                                 8),
                8);
    record.octal(329, entry.major, 7);
    record.octal(337, entry.minor, 7);
    if (!whole) record.text(345, path.substr(0, slash), prefix_size);
    return std::string(record.finish());
}

std::string headers(const Entry& entry, uint64_t stored) {
    std::string records = extended_records(entry, stored), out;
    if (!records.empty()) {
        Entry about;
        about.mode = 0644;
        about.mtime = std::max<int64_t>(0, std::min<int64_t>(entry.mtime, largest_size));
        out = cat(ustar(about, 'x', "PaxHeaders/entry", records.size()), records);
        out.resize((out.size() + record_size - 1) / record_size * record_size, '\0');
    }
    return out + ustar(entry, kind_of(entry.type), entry.path, stored);
}

}  // namespace

std::string tar_header(const Entry& entry) {
    return headers(entry, entry.stored + sparse_map(entry).size());
}

Result<> TarWriter::put(std::string_view bytes) {
    written_ += bytes.size();
    if (buffer_.size() + bytes.size() > buffer_size) TRY(flush());
    if (bytes.size() >= buffer_size) return to_.write(std::as_bytes(std::span(bytes)));
    buffer_ += bytes;
    return {};
}

Result<> TarWriter::flush() {
    if (!buffer_.empty()) TRY(to_.write(std::as_bytes(std::span(buffer_))));
    buffer_.clear();
    return {};
}

Result<> TarWriter::header(const Entry& entry) {
    content_ = 0;
    std::string map = sparse_map(entry);
    TRY(put(headers(entry, entry.stored + map.size())));
    return put(map);
}

Result<> TarWriter::content(std::span<const std::byte> bytes) {
    content_ += bytes.size();
    return put({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<> TarWriter::end_content() {
    return put(std::string(-content_ % record_size, '\0'));
}

Result<> TarWriter::finish() {
    TRY(put(std::string(2 * record_size, '\0')));
    TRY(flush());
    return to_.finish();
}

}  // namespace croft::archive
