#include "registry/tar_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace croft::registry {

namespace {
constexpr uint64_t block = 512, largest_octal = (uint64_t(1) << 33) - 1;
constexpr size_t buffer_size = 128 << 10;

uint64_t padded(uint64_t size) {
    return (size + block - 1) / block * block;
}

void put_octal(char* field, size_t width, uint64_t value) {
    for (size_t i = width - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
}

// POSIX.1-2017, pax, "ustar Interchange Format".
std::string header(std::string_view name, uint64_t size, char type) {
    std::string out(block, '\0');
    name.copy(out.data(), 100);
    put_octal(&out[100], 8, 0644);
    put_octal(&out[108], 8, 0);
    put_octal(&out[116], 8, 0);
    put_octal(&out[124], 12, std::min(size, largest_octal));
    put_octal(&out[136], 12, 0);
    out[156] = type;
    memcpy(&out[257], "ustar\00000", 8);
    memset(&out[148], ' ', 8);
    unsigned sum = 0;
    for (char c : out) sum += static_cast<unsigned char>(c);
    put_octal(&out[148], 7, sum);
    return out;
}

// "LENGTH KEY=VALUE\n"; the length counts itself.
std::string record(std::string_view key, std::string_view value) {
    size_t rest = key.size() + value.size() + 3, length = rest + 1;
    while (cat(length).size() + rest != length) length = cat(length).size() + rest;
    return cat(length, " ", key, "=", value, "\n");
}
}  // namespace

Result<> TarWriter::write_at(uint64_t at, const void* bytes, size_t length) {
    auto from = static_cast<const char*>(bytes);
    while (length) {
        ssize_t count = pwrite(fd_, from, length, static_cast<off_t>(at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_error(errno, cat("writing ", what_));
        from += count, at += static_cast<uint64_t>(count), length -= static_cast<size_t>(count);
    }
    return {};
}

Result<uint64_t> TarWriter::copy_at(uint64_t at, Source& content) {
    auto buffer = std::make_unique<std::byte[]>(buffer_size);
    uint64_t done = 0;
    while (size_t count = TRY(content.read({buffer.get(), buffer_size}))) {
        TRY(write_at(at + done, buffer.get(), count));
        done += count;
    }
    return done;
}

Result<uint64_t> TarWriter::write_headers(uint64_t at, const std::string& name, uint64_t size) {
    std::string extended;
    if (name.size() > 100) extended += record("path", name);
    if (size > largest_octal) extended += record("size", cat(size));
    std::string out;
    if (!extended.empty()) {
        out = cat(header("PaxHeaders/croft", extended.size(), 'x'), extended);
        out.resize(padded(out.size()));
    }
    out += header(name, size, '0');
    TRY(write_at(at, out.data(), out.size()));
    return at + out.size();
}

Result<> TarWriter::add(const std::string& name, uint64_t size, Source& content) {
    uint64_t at;
    {
        std::lock_guard lock(mutex_);
        at = TRY(write_headers(end_, name, size));
        end_ = at + padded(size);
    }
    uint64_t done = TRY(copy_at(at, content));
    if (done != size) return error(Errc::invalid, cat("writing ", quoted(name), " into ", what_, ": it has ", done, " bytes, and ", size, " were promised"));
    return {};
}

Result<> TarWriter::add(const std::string& name, std::string_view bytes) {
    std::lock_guard lock(mutex_);
    uint64_t at = TRY(write_headers(end_, name, bytes.size()));
    TRY(write_at(at, bytes.data(), bytes.size()));
    end_ = at + padded(bytes.size());
    return {};
}

Result<> TarWriter::add_growing(Source& content, const std::function<Result<std::string>(uint64_t)>& name) {
    std::lock_guard lock(mutex_);
    // Room for one header of each kind, whatever the name will be; what is not needed becomes a pax header of the comment kind.
    constexpr uint64_t room = 3 * block;
    uint64_t size = TRY(copy_at(end_ + room, content));
    std::string final_name = TRY(name(size));
    if (final_name.empty()) return ftruncate(fd_, static_cast<off_t>(end_)) ? Result<>(os_error(errno, cat("writing ", what_))) : Result<>();
    std::string extended = size > largest_octal ? record("size", cat(size)) : "";
    if (final_name.size() > 100) extended += record("path", final_name);
    if (extended.empty()) extended = record("comment", "layer");
    std::string out = cat(header("PaxHeaders/croft", extended.size(), 'x'), extended);
    out.resize(2 * block);
    out += header(final_name, size, '0');
    TRY(write_at(end_, out.data(), out.size()));
    end_ += room + padded(size);
    return {};
}

Result<> TarWriter::finish() {
    // The last block may not be full, and two of zeros are the end.
    if (ftruncate(fd_, static_cast<off_t>(end_ + 2 * block))) return os_error(errno, cat("writing ", what_));
    return {};
}

}  // namespace croft::registry
