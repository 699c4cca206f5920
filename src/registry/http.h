// HTTP as far as registries need it, over libcurl: requests whose answer is small, answers that are read as a stream, and
// uploads from one. Connections are kept and used again.
//
// Redirects are followed for GET and HEAD, ten at most and never from HTTPS to HTTP; what authorizes is not shown to another
// host (curl sees to that).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stream.h"

namespace croft::registry {

struct TlsOptions {
    bool verify = true;
    std::string authorities;        // PEM of more authorities than the system's; ""
    std::string certificate, key;   // files of one's own certificate; ""
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::vector<std::string> headers;  // "Accept: …"
    std::string body;
    // Of an upload: where the body comes from, and how long it is.
    Source* upload = nullptr;
    uint64_t upload_size = 0;
};

struct HttpAnswer {
    long status = 0;
    std::multimap<std::string, std::string> headers;  // names in lower case
    std::string body;
    std::string url;  // of the answer, behind all redirects

    std::string header(const std::string& name) const;
};

// What went wrong before there was an answer, for who decides on another try.
enum class HttpFailure : unsigned char { none, refused, tls, cut, stalled, other };

struct HttpOptions {
    TlsOptions tls;
    uint64_t timeout = 0;  // µs without a byte
    bool (*interrupted)() = nullptr;
};

class HttpStream;

class HttpClient {
  public:
    explicit HttpClient(HttpOptions options);
    ~HttpClient();

    // The whole answer; a body of more than `limit` bytes is an error. `failure` may be null.
    Result<HttpAnswer> request(const HttpRequest& request, size_t limit, HttpFailure* failure = nullptr);
    // The answer's head, and its body as a stream. The client must outlive it.
    Result<std::unique_ptr<HttpStream>> open(const HttpRequest& request, HttpFailure* failure = nullptr);

  private:
    friend class HttpStream;
    struct Connection;
    std::unique_ptr<Connection> take();
    void give_back(std::unique_ptr<Connection> connection);

    HttpOptions options_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> free_;
};

class HttpStream : public Source {
  public:
    HttpStream(HttpClient& client, std::unique_ptr<HttpClient::Connection> connection);
    ~HttpStream() override;
    const HttpAnswer& head() const;
    Result<size_t> read(std::span<std::byte> room) override;
    HttpFailure failure() const;

  private:
    HttpClient& client_;
    std::unique_ptr<HttpClient::Connection> connection_;
};

}  // namespace croft::registry
