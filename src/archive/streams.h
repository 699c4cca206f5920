// Everyday sources and sinks: files, memory, parts, and one stream for two readers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "archive/hash.h"
#include "base/fd.h"
#include "base/stream.h"

namespace croft::archive {

// From where the file stands to its end. `what` is the object that error sentences name: a path, "standard
// input".
std::unique_ptr<Source> read_fd(Fd fd, std::string what);
// The descriptor stays the caller's, and must outlive the source.
std::unique_ptr<Source> read_fd(int fd, std::string what);
std::unique_ptr<Source> read_text(std::string text);

// finish() does not sync: whoever renames the file afterwards does.
std::unique_ptr<Sink> write_fd(Fd fd, std::string what);
std::unique_ptr<Sink> write_fd(int fd, std::string what);
// Appends to a string of the caller's, which must outlive it.
std::unique_ptr<Sink> write_text(std::string& out);

// What is read from it has also been written to `copy` (and `hasher`), in order; both stay the caller's, and
// the sink is not finished. A source that is not read to its end has been copied as far as it was read.
std::unique_ptr<Source> tee(std::unique_ptr<Source> from, Sink* copy, Hasher* hasher);
// What is written to it goes to `to` and to `hasher`.
std::unique_ptr<Sink> tee(std::unique_ptr<Sink> to, Hasher* hasher);
// `seen` hears how many bytes each read gave: progress.
std::unique_ptr<Source> watch(std::unique_ptr<Source> from, std::function<void(uint64_t bytes)> seen);

// Reads the first `length` bytes (fewer when it ends before) into `first`; the returned source gives them
// again.
Result<std::unique_ptr<Source>> peek(std::unique_ptr<Source> from, size_t length, std::string& first);

// Reads until `room` is full or the source ends; how many bytes.
Result<size_t> fill(Source& from, std::span<std::byte> room);
// Everything, at most `limit` bytes; more is Errc::invalid.
Result<std::string> read_all(Source& from, size_t limit);
// Until the source ends; how many bytes. Does not finish the sink.
Result<uint64_t> copy(Source& from, Sink& to);

}  // namespace croft::archive
