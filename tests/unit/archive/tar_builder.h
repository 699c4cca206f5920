// Archives made by hand, header by header, so that they can be as wrong as they like.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "base/text.h"

namespace croft::archive {

class Tar {
  public:
    struct Header {
        std::string name;
        char kind = '0';
        unsigned mode = 0644, uid = 0, gid = 0;
        std::string link = {};
        uint64_t size = 0;
        int64_t mtime = 1'000'000'000;
        unsigned major = 0, minor = 0;
        std::string magic = std::string(
            "ustar\0"
            "00",
            8);
        std::string prefix = {};
    };

    Tar& file(std::string name, std::string_view content, unsigned mode = 0644) {
        return add({.name = std::move(name), .mode = mode, .size = content.size()}).data(content);
    }
    Tar& dir(std::string name, unsigned mode = 0755) {
        return add({.name = std::move(name), .kind = '5', .mode = mode});
    }
    Tar& symlink(std::string name, std::string target) {
        return add({.name = std::move(name), .kind = '2', .mode = 0777, .link = std::move(target)});
    }
    Tar& hardlink(std::string name, std::string target) {
        return add({.name = std::move(name), .kind = '1', .link = std::move(target)});
    }
    Tar& device(std::string name, unsigned major, unsigned minor, char kind = '3') {
        return add({.name = std::move(name), .kind = kind, .mode = 0666, .major = major, .minor = minor});
    }
    // Extended header: "KEY=VALUE" each.
    Tar& pax(std::initializer_list<std::string> records, char kind = 'x') {
        std::string text;
        for (const std::string& record : records) text += pax_record(record);
        return add({.name = "PaxHeaders/x", .kind = kind, .size = text.size()}).data(text);
    }
    // GNU's long name ('L') or long link ('K').
    Tar& gnu_long(char kind, std::string_view text) {
        return add({.name = "././@LongLink", .kind = kind, .size = text.size() + 1, .magic = gnu_magic()})
            .data(cat(text, '\0'));
    }

    Tar& add(const Header& h) {
        last_ = bytes_.size();
        std::string record(512, '\0');
        auto put = [&](size_t at, std::string_view text, size_t room) {
            memcpy(&record[at], text.data(), std::min(text.size(), room));
        };
        auto octal = [&](size_t at, uint64_t value, int digits) {
            char text[32];
            snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
            put(at, text, static_cast<size_t>(digits));
        };
        put(0, h.name, 100);
        octal(100, h.mode, 7);
        octal(108, h.uid, 7);
        octal(116, h.gid, 7);
        octal(124, h.size, 11);
        octal(136, static_cast<uint64_t>(h.mtime), 11);
        record[156] = h.kind;
        put(157, h.link, 100);
        put(257, h.magic, 8);
        octal(329, h.major, 7);
        octal(337, h.minor, 7);
        put(345, h.prefix, 155);
        bytes_ += record;
        return sum();
    }
    // Overwrites bytes of the last header, and makes its checksum right again.
    Tar& patch(size_t at, std::string_view bytes) {
        memcpy(&bytes_[last_ + at], bytes.data(), bytes.size());
        return sum();
    }
    Tar& data(std::string_view content) {
        bytes_ += content;
        bytes_.resize((bytes_.size() + 511) / 512 * 512, '\0');
        return *this;
    }
    Tar& raw(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }
    const std::string& unfinished() const { return bytes_; }
    std::string finished() const { return bytes_ + std::string(1024, '\0'); }

    static std::string gnu_magic() { return std::string("ustar  \0", 8); }
    static std::string pax_record(std::string_view record) {
        size_t length = record.size() + 3;
        while (cat(length).size() + record.size() + 2 != length) ++length;
        return cat(length, " ", record, "\n");
    }

  private:
    Tar& sum() {
        memset(&bytes_[last_ + 148], ' ', 8);
        unsigned total = 0;
        for (size_t i = 0; i < 512; ++i) total += static_cast<unsigned char>(bytes_[last_ + i]);
        snprintf(&bytes_[last_ + 148], 8, "%06o", total);
        return *this;
    }
    std::string bytes_;
    size_t last_ = 0;
};

}  // namespace croft::archive
