// Bytes by HTTP (RFC 9110) that go on where a connection was cut: a registry's blobs, and files at an address.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "registry/http.h"
#include "registry/options.h"

namespace croft::registry {

struct Download {
    std::string what;             // for messages: "blob sha256:… of HOST/NAME"
    std::string giver;            // who sends it, in the same: "registry", "server"
    std::optional<uint64_t> size;  // bytes of the whole; nothing: as the first answer says, if it does
    // Sends a request that has the headers of this stream; address and authorization are the sender's.
    std::function<Result<std::unique_ptr<HttpStream>>(HttpRequest)> send;
    // What an answer other than 200 and 206 means; its body is the first part of what came.
    std::function<Error(const HttpAnswer&, const std::string& what)> refusal;
    PlaceOptions options;  // how often, how long and until when
    bool may_change = false;  // no digest tells that the bytes are the same as before the cut
};

// Waits before try number `tried` (from 0); false when there were enough. An answer's Retry-After is obeyed.
Result<bool> wait_to_try_again(const PlaceOptions& options, unsigned tried, const HttpAnswer* answer);

class ResumedStream : public Source {
  public:
    // From `offset` on. What has another date or tag behind a cut than before it (Last-Modified, ETag) is an error.
    ResumedStream(Download download, uint64_t offset) : wanted_(std::move(download)), at_(offset) {}
    // The first answer, as often as it takes. Errors: the refusal, invalid (a page for people, other bytes), failed, timeout.
    Result<> open();
    Result<size_t> read(std::span<std::byte> room) override;
    // Known when it was told, or behind open() where the answer says so.
    const std::optional<uint64_t>& size() const { return wanted_.size; }

  private:
    Error broke_off(Result<size_t> last);
    Result<> open_once(HttpAnswer& answer);
    Result<> take(std::unique_ptr<HttpStream> stream);
    Result<> look_at(const HttpAnswer& head);
    Result<> skip_to(HttpStream& stream, uint64_t begin);

    Download wanted_;
    uint64_t at_;
    unsigned tried_ = 0;
    bool hopeful_ = false;
    std::string date_, tag_;  // of the first answer
    std::unique_ptr<HttpStream> stream_;
};

}  // namespace croft::registry
