#include "archive/streams.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace croft::archive {

namespace {

class FileSource : public Source {
  public:
    FileSource(Fd owned, int fd, std::string what)
        : owned_(std::move(owned)), fd_(fd), what_(std::move(what)) {}
    Result<size_t> read(std::span<std::byte> room) override {
        ssize_t n;
        while ((n = ::read(fd_, room.data(), room.size())) < 0 && errno == EINTR) {
        }
        if (n < 0) return os_error(errno, cat("reading ", what_));
        return static_cast<size_t>(n);
    }

  private:
    Fd owned_;
    int fd_;
    std::string what_;
};

class FileSink : public Sink {
  public:
    FileSink(Fd owned, int fd, std::string what)
        : owned_(std::move(owned)), fd_(fd), what_(std::move(what)) {}
    Result<> write(std::span<const std::byte> bytes) override {
        return write_all(fd_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()})
            .within(cat("writing ", what_));
    }

  private:
    Fd owned_;
    int fd_;
    std::string what_;
};

class TextSource : public Source {
  public:
    explicit TextSource(std::string text) : text_(std::move(text)) {}
    Result<size_t> read(std::span<std::byte> room) override {
        size_t n = std::min(room.size(), text_.size() - at_);
        memcpy(room.data(), text_.data() + at_, n);
        at_ += n;
        return n;
    }

  private:
    std::string text_;
    size_t at_ = 0;
};

class TextSink : public Sink {
  public:
    explicit TextSink(std::string& out) : out_(out) {}
    Result<> write(std::span<const std::byte> bytes) override {
        out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return {};
    }

  private:
    std::string& out_;
};

class TeeSource : public Source {
  public:
    TeeSource(std::unique_ptr<Source> from, Sink* to, Hasher* hasher)
        : from_(std::move(from)), copy_(to), hasher_(hasher) {}
    Result<size_t> read(std::span<std::byte> room) override {
        size_t n = TRY(from_->read(room));
        if (n && hasher_) hasher_->update(room.first(n));
        if (n && copy_) TRY(copy_->write(room.first(n)));
        return n;
    }

  private:
    std::unique_ptr<Source> from_;
    Sink* copy_;
    Hasher* hasher_;
};

class TeeSink : public Sink {
  public:
    TeeSink(std::unique_ptr<Sink> to, Hasher* hasher) : to_(std::move(to)), hasher_(hasher) {}
    Result<> write(std::span<const std::byte> bytes) override {
        hasher_->update(bytes);
        return to_->write(bytes);
    }
    Result<> finish() override { return to_->finish(); }

  private:
    std::unique_ptr<Sink> to_;
    Hasher* hasher_;
};

class WatchedSource : public Source {
  public:
    WatchedSource(std::unique_ptr<Source> from, std::function<void(uint64_t)> seen)
        : from_(std::move(from)), seen_(std::move(seen)) {}
    Result<size_t> read(std::span<std::byte> room) override {
        size_t n = TRY(from_->read(room));
        seen_(n);
        return n;
    }

  private:
    std::unique_ptr<Source> from_;
    std::function<void(uint64_t)> seen_;
};

// What was read ahead, then the rest.
class Rejoined : public Source {
  public:
    Rejoined(std::string first, std::unique_ptr<Source> rest)
        : first_(std::move(first)), rest_(std::move(rest)) {}
    Result<size_t> read(std::span<std::byte> room) override {
        size_t n = TRY(first_.read(room));
        return n ? Result<size_t>(n) : rest_->read(room);
    }

  private:
    TextSource first_;
    std::unique_ptr<Source> rest_;
};

}  // namespace

std::unique_ptr<Source> read_fd(Fd fd, std::string what) {
    int number = fd.get();
    return std::make_unique<FileSource>(std::move(fd), number, std::move(what));
}
std::unique_ptr<Source> read_fd(int fd, std::string what) {
    return std::make_unique<FileSource>(Fd(), fd, std::move(what));
}
std::unique_ptr<Source> read_text(std::string text) {
    return std::make_unique<TextSource>(std::move(text));
}
std::unique_ptr<Sink> write_fd(Fd fd, std::string what) {
    int number = fd.get();
    return std::make_unique<FileSink>(std::move(fd), number, std::move(what));
}
std::unique_ptr<Sink> write_fd(int fd, std::string what) {
    return std::make_unique<FileSink>(Fd(), fd, std::move(what));
}
std::unique_ptr<Sink> write_text(std::string& out) {
    return std::make_unique<TextSink>(out);
}
std::unique_ptr<Source> tee(std::unique_ptr<Source> from, Sink* copy, Hasher* hasher) {
    return std::make_unique<TeeSource>(std::move(from), copy, hasher);
}
std::unique_ptr<Sink> tee(std::unique_ptr<Sink> to, Hasher* hasher) {
    return std::make_unique<TeeSink>(std::move(to), hasher);
}
std::unique_ptr<Source> watch(std::unique_ptr<Source> from, std::function<void(uint64_t bytes)> seen) {
    return std::make_unique<WatchedSource>(std::move(from), std::move(seen));
}

Result<std::unique_ptr<Source>> peek(std::unique_ptr<Source> from, size_t length, std::string& first) {
    first.resize(length);
    size_t have = TRY(fill(*from, std::as_writable_bytes(std::span(first))));
    first.resize(have);
    return std::unique_ptr<Source>(std::make_unique<Rejoined>(first, std::move(from)));
}

Result<size_t> fill(Source& from, std::span<std::byte> room) {
    size_t have = 0;
    while (have < room.size()) {
        size_t n = TRY(from.read(room.subspan(have)));
        if (n == 0) break;
        have += n;
    }
    return have;
}

Result<std::string> read_all(Source& from, size_t limit) {
    std::string all;
    std::vector<std::byte> piece(std::min<size_t>(limit + 1, 64 << 10));
    while (size_t n = TRY(from.read(piece))) {
        if (n > limit - all.size()) return error(Errc::invalid, cat("it is longer than ", limit, " bytes"));
        all.append(reinterpret_cast<const char*>(piece.data()), n);
    }
    return all;
}

Result<uint64_t> copy(Source& from, Sink& to) {
    std::vector<std::byte> piece(256 << 10);
    uint64_t total = 0;
    while (size_t n = TRY(from.read(piece))) {
        TRY(to.write(std::span(piece).first(n)));
        total += n;
    }
    return total;
}

}  // namespace croft::archive
