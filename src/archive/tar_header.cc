#include "archive/tar_header.h"

#include <algorithm>
#include <limits>

#include "archive/names.h"
#include "base/text.h"

namespace croft::archive {

namespace {

using Bytes = std::span<const std::byte>;

// Where the fields are: POSIX.1-2008, "ustar Interchange Format".
struct Field {
    size_t offset, length;
};
constexpr Field name_field{0, 100}, mode_field{100, 8}, uid_field{108, 8}, gid_field{116, 8},
    size_field{124, 12}, mtime_field{136, 12}, checksum_field{148, 8}, link_field{157, 100},
    magic_field{257, 8}, major_field{329, 8}, minor_field{337, 8}, prefix_field{345, 155},
    real_size_field{483, 12};
constexpr size_t kind_offset = 156, star_prefix_length = 131, more_in_header = 482, more_in_record = 504;

Bytes part(Bytes record, Field field) {
    return record.subspan(field.offset, field.length);
}
// Up to the first NUL.
std::string_view text(Bytes field) {
    std::string_view all(reinterpret_cast<const char*>(field.data()), field.size());
    return all.substr(0, all.find('\0'));
}

// Old programs summed signed characters.
bool checksum_holds(Bytes record) {
    int64_t plain = 0, with_signs = 0;
    for (size_t i = 0; i < record.size(); ++i) {
        bool counted = i < checksum_field.offset || i >= checksum_field.offset + checksum_field.length;
        unsigned char byte = counted ? static_cast<unsigned char>(record[i]) : ' ';
        plain += byte;
        with_signs += static_cast<signed char>(byte);
    }
    auto said = parse_tar_number(part(record, checksum_field), "checksum");
    return said && (*said == plain || *said == with_signs);
}

Result<uint32_t> small_number(Bytes record, Field field, std::string_view name) {
    int64_t value = TRY(parse_tar_number(part(record, field), name));
    // -1 means "unchanged" to chown(2), and is no id.
    if (value < 0 || value >= std::numeric_limits<uint32_t>::max())
        return error(Errc::invalid, cat("its ", name, " is ", value, ", which no file can have"));
    return static_cast<uint32_t>(value);
}

EntryType type_of(char kind) {
    switch (kind) {
        case '1':
            return EntryType::hardlink;
        case '2':
            return EntryType::symlink;
        case '3':
            return EntryType::character_device;
        case '4':
            return EntryType::block_device;
        case '5':
        case 'D':  // GNU's incremental archives: a directory with a list of names as content
            return EntryType::directory;
        case '6':
            return EntryType::fifo;
        default:
            // Of capital letters POSIX says that they are somebody's own; the rest is treated as files.
            return kind >= 'A' && kind <= 'Z' && kind != 'S' ? EntryType::other : EntryType::file;
    }
}

bool has_content(char kind) {
    return kind < '1' || kind > '6';
}

std::string full_name(Bytes record) {
    std::string_view magic(reinterpret_cast<const char*>(record.data()) + magic_field.offset,
                           magic_field.length);
    std::string name(text(part(record, name_field)));
    // GNU tar ("ustar  ") has other things where the prefix would be; star (with "tar" at the end) has a
    // shorter one.
    if (!magic.starts_with(std::string_view("ustar\0", 6))) return name;
    bool star = text(record.subspan(508, 4)) == "tar";
    std::string_view prefix =
        text(part(record, {prefix_field.offset, star ? star_prefix_length : prefix_field.length}));
    return prefix.empty() ? name : cat(prefix, "/", name);
}

Result<> read_numbers(Bytes record, TarHeader& header) {
    Entry& entry = header.entry;
    entry.mode = static_cast<uint32_t>(TRY(parse_tar_number(part(record, mode_field), "mode"))) & 07777;
    entry.uid = TRY(small_number(record, uid_field, "user id"));
    entry.gid = TRY(small_number(record, gid_field, "group id"));
    entry.mtime = TRY(parse_tar_number(part(record, mtime_field), "time"));
    if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
        entry.major = TRY(small_number(record, major_field, "device number"));
        entry.minor = TRY(small_number(record, minor_field, "device number"));
    }
    int64_t size = TRY(parse_tar_number(part(record, size_field), "size"));
    if (size < 0) return error(Errc::invalid, cat("its size is ", size));
    header.size = has_content(header.kind) ? static_cast<uint64_t>(size) : 0;
    return {};
}

}  // namespace

bool is_zero_record(Bytes record) {
    return std::all_of(record.begin(), record.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

Result<int64_t> parse_tar_number(Bytes field, std::string_view name) {
    auto byte = [&](size_t i) { return static_cast<unsigned char>(field[i]); };
    auto wrong = [&] { return error(Errc::invalid, cat("its ", name, " is no number")); };
    if (byte(0) & 0x80) {
        // Two's complement, with the first bit for the mark: 0x80 … is positive, 0xff … negative.
        bool negative = byte(0) & 0x40;
        int64_t value = negative ? -1 : 0;
        for (size_t i = 0; i < field.size(); ++i) {
            unsigned char digit = i == 0 ? (byte(0) & 0x3f) | (negative ? 0xc0 : 0) : byte(i);
            if (value > (std::numeric_limits<int64_t>::max() >> 8) ||
                value < (std::numeric_limits<int64_t>::min() >> 8))
                return error(Errc::invalid, cat("its ", name, " is too large"));
            value = static_cast<int64_t>(static_cast<uint64_t>(value) << 8 | digit);
        }
        return value;
    }
    std::string_view digits = trim(text(field));
    if (digits.empty()) return 0;
    auto value = parse_uint(digits, 8);
    if (!value || *value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return wrong();
    return static_cast<int64_t>(*value);
}

Result<std::optional<TarHeader>> parse_tar_header(Bytes record) {
    if (!checksum_holds(record)) return std::optional<TarHeader>();
    TarHeader header{};
    header.kind = static_cast<char>(record[kind_offset]);
    header.entry.path = full_name(record);
    header.entry.type = type_of(header.kind);
    // Before there were directories in headers, a name that ends with a slash was one.
    if ((header.kind == '0' || header.kind == '\0') && header.entry.path.ends_with('/'))
        header.entry.type = EntryType::directory;
    header.entry.link = text(part(record, link_field));
    TRY(read_numbers(record, header).within(cat("entry ", shown(header.entry.path))));
    header.old_sparse = header.kind == 'S';
    header.entry.stored = header.entry.size = header.size;
    if (header.old_sparse) {
        int64_t real = TRY(parse_tar_number(part(record, real_size_field), "size"));
        if (real < 0)
            return error(Errc::invalid, cat("entry ", shown(header.entry.path), ": its size is ", real));
        header.entry.size = static_cast<uint64_t>(real);
    }
    return header;
}

Result<> parse_old_sparse(Bytes pairs, std::vector<Segment>& segments) {
    for (; pairs.size() >= sparse_pair_size; pairs = pairs.subspan(sparse_pair_size)) {
        int64_t offset = TRY(parse_tar_number(pairs.first(12), "sparse map"));
        int64_t length = TRY(parse_tar_number(pairs.subspan(12, 12), "sparse map"));
        if (offset < 0 || length < 0) return error(Errc::invalid, "its sparse map has negative numbers");
        if (length > 0) segments.push_back({static_cast<uint64_t>(offset), static_cast<uint64_t>(length)});
    }
    return {};
}

bool more_sparse_in_header(Bytes record) {
    return record[more_in_header] != std::byte{0};
}
bool more_sparse_in_record(Bytes record) {
    return record[more_in_record] != std::byte{0};
}

}  // namespace croft::archive
