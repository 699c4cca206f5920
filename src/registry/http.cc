#include "registry/http.h"

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/text.h"
#include "registry/http_connection.h"

namespace croft::registry {

namespace {
struct Library {
    Library() { curl_global_init(CURL_GLOBAL_DEFAULT); }
};
}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
}

HttpClient::HttpClient(HttpOptions options) : options_(std::move(options)) {
    static Library library;
}
HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Connection> HttpClient::take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Connection>(options_);
    std::unique_ptr<Connection> out = std::move(free_.back());
    free_.pop_back();
    return out;
}

void HttpClient::give_back(std::unique_ptr<Connection> connection) {
    connection->reset();
    std::lock_guard lock(mutex_);
    free_.push_back(std::move(connection));
}

Result<std::unique_ptr<HttpStream>> HttpClient::open(const HttpRequest& request, HttpFailure* failure) {
    debug(cat(request.method, " ", request.url.substr(0, request.url.find('?'))));
    auto connection = take();
    connection->start(request);
    Result<> head = connection->pump_head();
    // The source of an upload tells at its end whether the bytes were right.
    if (head) connection->finish_upload();
    if (head && connection->upload_error) head = *connection->upload_error;
    if (failure) *failure = connection->failure;
    if (!head) return std::move(head).error();
    debug(cat("  ", connection->answer.status));
    return std::make_unique<HttpStream>(*this, std::move(connection));
}

Result<HttpAnswer> HttpClient::request(const HttpRequest& request, size_t limit, HttpFailure* failure) {
    std::unique_ptr<HttpStream> stream = TRY(open(request, failure));
    HttpAnswer out = stream->head();
    std::byte room[16384];
    while (true) {
        auto count = stream->read(room);
        if (!count) {
            if (failure) *failure = stream->failure();
            return std::move(count).error();
        }
        if (!*count) return out;
        if (out.body.size() + *count > limit) return error(Errc::invalid, cat("the answer has more than ", human_size(limit)));
        out.body.append(reinterpret_cast<const char*>(room), *count);
    }
}

HttpStream::HttpStream(HttpClient& client, std::unique_ptr<HttpClient::Connection> connection)
    : client_(client), connection_(std::move(connection)) {}
HttpStream::~HttpStream() {
    client_.give_back(std::move(connection_));
}
const HttpAnswer& HttpStream::head() const {
    return connection_->answer;
}
HttpFailure HttpStream::failure() const {
    return connection_->failure;
}

Result<size_t> HttpStream::read(std::span<std::byte> room) {
    HttpClient::Connection& from = *connection_;
    if (from.read_at == from.waiting.size()) TRY(from.pump());
    size_t count = std::min(room.size(), from.waiting.size() - from.read_at);
    memcpy(room.data(), from.waiting.data() + from.read_at, count);
    from.read_at += count;
    return count;
}

}  // namespace croft::registry
