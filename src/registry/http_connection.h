// One connection of an HttpClient (http.h). Only http.cc and http_connection.cc include this: they alone see curl.
#pragma once

#include <curl/curl.h>

#include <optional>

#include "registry/http.h"

namespace croft::registry {

// One easy handle in a multi handle of its own, which keeps the connection for the next request.
struct HttpClient::Connection {
    CURLM* multi = curl_multi_init();
    CURL* easy = curl_easy_init();
    curl_slist* headers = nullptr;
    char message[CURL_ERROR_SIZE] = "";
    const HttpOptions& options;

    HttpAnswer answer;
    size_t header_bytes = 0;
    bool ended = false, paused = false, added = false;
    CURLcode result = CURLE_OK;
    HttpFailure failure = HttpFailure::none;
    std::string waiting;  // bytes of the body that nobody has read
    size_t read_at = 0;
    Source* upload = nullptr;
    uint64_t upload_left = 0;
    std::optional<Error> upload_error;
    uint64_t heard = 0;  // when something last went on

    explicit Connection(const HttpOptions& chosen) : options(chosen) {}
    ~Connection() {
        reset();
        curl_easy_cleanup(easy);
        curl_multi_cleanup(multi);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // As if it were new, but for the connection that curl keeps.
    void reset();

    static size_t on_header(char* bytes, size_t size, size_t count, void* self) {
        return static_cast<Connection*>(self)->take_header({bytes, size * count}) ? size * count : 0;
    }
    static size_t on_body(char* bytes, size_t size, size_t count, void* self) {
        return static_cast<Connection*>(self)->take_body({bytes, size * count});
    }
    static size_t on_upload(char* room, size_t size, size_t count, void* self) {
        return static_cast<Connection*>(self)->give_upload({reinterpret_cast<std::byte*>(room), size * count});
    }

    bool take_header(std::string_view line);
    size_t take_body(std::string_view bytes);
    size_t give_upload(std::span<std::byte> room);
    // Has the last bytes of the upload been read to where its source checks them?
    void finish_upload();

    template <class T>
    void set(CURLoption option, T value) {
        curl_easy_setopt(easy, option, value);
    }

    void start(const HttpRequest& request);
    void set_tls();
    void set_body(const HttpRequest& request);
    // Goes on until there is something to read, or the end.
    Result<> pump();
    Result<> end();
    // Up to the first bytes of the body.
    Result<> pump_head();
};

}  // namespace croft::registry
