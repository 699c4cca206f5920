#include "archive/pax.h"

#include <array>
#include <limits>
#include <optional>

#include "base/text.h"

namespace croft::archive {

namespace {

Error wrong(std::string_view keyword, std::string_view value) {
    return error(Errc::invalid, cat("its pax record ", keyword, " is ", quoted(value.substr(0, 80)),
                                    ", which is no value for it"));
}

Result<uint64_t> number(std::string_view keyword, std::string_view value) {
    auto parsed = parse_uint(value);
    if (!parsed || *parsed > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return wrong(keyword, value);
    return *parsed;
}

Result<uint32_t> id(std::string_view keyword, std::string_view value) {
    uint64_t parsed = TRY(number(keyword, value));
    if (parsed >= std::numeric_limits<uint32_t>::max()) return wrong(keyword, value);
    return static_cast<uint32_t>(parsed);
}

// "1700000000.123456789", with a sign perhaps; more digits than nanoseconds are cut off.
Result<> time(std::string_view value, Entry& entry) {
    size_t dot = value.find('.');
    auto seconds = parse_int(value.substr(0, dot));
    std::string digits(dot == value.npos ? std::string_view() : value.substr(dot + 1, 9));
    digits.resize(9, '0');
    auto nanoseconds = parse_uint(digits);
    if (!seconds || *seconds == std::numeric_limits<int64_t>::min() || !nanoseconds) return wrong("mtime", value);
    entry.mtime = *seconds;
    entry.mtime_nsec = static_cast<uint32_t>(*nanoseconds);
    if (value.starts_with('-') && entry.mtime_nsec) {  // -1.25 is -2 s and 750 ms
        --entry.mtime;
        entry.mtime_nsec = 1'000'000'000 - entry.mtime_nsec;
    }
    return {};
}

// "offset,length,offset,length": GNU's form 0.1.
Result<> sparse_map(std::string_view value, std::vector<Segment>& segments) {
    constexpr std::string_view keyword = "GNU.sparse.map";
    while (!value.empty()) {
        uint64_t pair[2];
        for (uint64_t& part : pair) {
            size_t comma = value.find(',');
            part = TRY(number(keyword, value.substr(0, comma)));
            value = comma == value.npos ? std::string_view() : value.substr(comma + 1);
        }
        if (segments.size() >= most_segments)
            return too_many_segments();
        if (pair[1]) segments.push_back({pair[0], pair[1]});
    }
    return {};
}

int base64_digit(char c) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = digits.find(c);
    return at == digits.npos ? -1 : static_cast<int>(at);
}

// libarchive's values: base64, padding or not.
std::optional<std::string> from_base64(std::string_view text) {
    std::string out;
    unsigned bits = 0, have = 0;
    while (text.ends_with('=')) text.remove_suffix(1);
    for (char c : text) {
        int digit = base64_digit(c);
        if (digit < 0) return {};
        bits = bits << 6 | static_cast<unsigned>(digit);
        have += 6;
        if (have >= 8) out += static_cast<char>(bits >> (have -= 8) & 0xff);
    }
    return out;
}

// libarchive's names: %XX.
std::string from_url(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        auto code =
            text[i] == '%' && i + 2 < text.size() ? parse_uint(text.substr(i + 1, 2), 16) : std::nullopt;
        out += code ? static_cast<char>(*code) : text[i];
        if (code) i += 2;
    }
    return out;
}

struct Use {
    std::string_view keyword;
    Result<> (*apply)(std::string_view value, Entry& entry);
};

template <uint32_t Entry::*member>
Result<> set_id(std::string_view value, Entry& entry) {
    entry.*member = TRY(id(member == &Entry::uid ? "uid" : "gid", value));
    return {};
}
template <std::string Entry::*member>
Result<> set_text(std::string_view value, Entry& entry) {
    entry.*member = value;
    return {};
}
// Only kinds that have content: the size of others is not about bytes in the archive.
Result<> set_size(std::string_view value, Entry& entry) {
    uint64_t size = TRY(number("size", value));
    if (entry.type == EntryType::file || entry.type == EntryType::other) entry.stored = entry.size = size;
    return {};
}
Result<> set_real_size(std::string_view value, Entry& entry) {
    entry.size = TRY(number("GNU.sparse.realsize", value));
    return {};
}
Result<> set_map(std::string_view value, Entry& entry) {
    return sparse_map(value, entry.segments);
}

// In the order in which they may overrule each other.
constexpr std::array<Use, 13> uses = {{
    {"path", set_text<&Entry::path>},
    {"linkpath", set_text<&Entry::link>},
    {"size", set_size},
    {"uid", set_id<&Entry::uid>},
    {"gid", set_id<&Entry::gid>},
    {"mtime", time},
    {"SCHILY.acl.access", set_text<&Entry::access_acl>},
    {"SCHILY.acl.default", set_text<&Entry::default_acl>},
    {"GNU.sparse.name", set_text<&Entry::path>},
    {"GNU.sparse.size", set_real_size},      // forms 0.0 and 0.1
    {"GNU.sparse.realsize", set_real_size},  // form 1.0
    {"SCHILY.realsize", set_real_size},
    {"GNU.sparse.map", set_map},
}};

constexpr std::string_view schily_attribute = "SCHILY.xattr.", libarchive_attribute = "LIBARCHIVE.xattr.";

Result<> add_attributes(const PaxRecords& own, Entry& entry) {
    for (auto at = own.values.lower_bound(schily_attribute);
         at != own.values.end() && at->first.starts_with(schily_attribute); ++at)
        entry.attributes.emplace_back(at->first.substr(schily_attribute.size()), at->second);
    for (auto at = own.values.lower_bound(libarchive_attribute);
         at != own.values.end() && at->first.starts_with(libarchive_attribute); ++at) {
        std::string name = from_url(std::string_view(at->first).substr(libarchive_attribute.size()));
        // bsdtar writes each attribute in both ways.
        if (own.values.contains(cat(schily_attribute, name))) continue;
        auto value = from_base64(at->second);
        if (!value) return wrong(at->first, at->second);
        entry.attributes.emplace_back(std::move(name), std::move(*value));
    }
    return {};
}

// `text` starts with "LENGTH KEYWORD=VALUE\n"; cuts it off and tells the middle.
Result<std::string_view> next_record(std::string_view& text) {
    size_t space = text.find(' ');
    auto length = space == text.npos ? std::nullopt : parse_uint(text.substr(0, space));
    if (!length || *length > text.size() || *length < space + 3 || text[*length - 1] != '\n')
        return error(Errc::invalid, "its extended header is damaged: a record's length is wrong");
    std::string_view record = text.substr(space + 1, *length - space - 2);
    text.remove_prefix(*length);
    return record;
}

Result<> add_segment(std::string_view keyword, std::string_view value, PaxRecords& records) {
    uint64_t parsed = TRY(number(keyword, value));
    if (records.segments.size() >= most_segments)
        return too_many_segments();
    if (keyword.ends_with("offset"))
        records.segments.push_back({parsed, 0});
    else if (records.segments.empty())
        return error(Errc::invalid, "its sparse map starts with a length");
    else
        records.segments.back().length = parsed;
    return {};
}

}  // namespace

Error too_many_segments() {
    return error(Errc::invalid, "its sparse map has more than a million parts");
}

Result<> parse_pax(std::string_view text, PaxRecords& records) {
    while (!text.empty()) {
        std::string_view record = TRY(next_record(text));
        size_t equals = record.find('=');
        if (equals == record.npos || equals == 0)
            return error(Errc::invalid, "its extended header is damaged: a record has no keyword");
        std::string_view keyword = record.substr(0, equals), value = record.substr(equals + 1);
        if (keyword == "GNU.sparse.offset" || keyword == "GNU.sparse.numbytes")
            TRY(add_segment(keyword, value, records));
        else
            records.values.insert_or_assign(std::string(keyword), std::string(value));
    }
    return {};
}

Result<SparseForm> apply_pax(const PaxRecords& global, const PaxRecords& own, Entry& entry) {
    for (const Use& use : uses) {
        auto at = own.values.find(use.keyword);
        bool is_own = at != own.values.end();
        if (!is_own && (at = global.values.find(use.keyword)) == global.values.end()) continue;
        if (at->second.find('\0') != std::string::npos) return wrong(use.keyword, at->second);
        if (!at->second.empty() || (is_own && use.keyword == "GNU.sparse.map"))
            TRY(use.apply(at->second, entry));
    }
    TRY(add_attributes(own, entry));
    for (const Segment& segment : own.segments)
        if (segment.length) entry.segments.push_back(segment);
    if (own.values.contains("GNU.sparse.major"))
        return own.values.find("GNU.sparse.major")->second == "0" ? SparseForm::in_records
                                                                  : SparseForm::in_content;
    bool mapped = own.values.contains("GNU.sparse.map") || own.values.contains("GNU.sparse.size");
    return mapped ? SparseForm::in_records : SparseForm::none;
}

}  // namespace croft::archive
