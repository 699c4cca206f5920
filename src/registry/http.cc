#include "registry/http.h"

#include <curl/curl.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/text.h"

namespace croft::registry {

namespace {
// So much of an answer is kept for its reader before the sender has to wait.
constexpr size_t most_waiting = 1 << 20;
constexpr long buffer_size = 256 << 10;
constexpr size_t most_header_bytes = 256 << 10;

uint64_t now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1000000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

struct Library {
    Library() { curl_global_init(CURL_GLOBAL_DEFAULT); }
};

HttpFailure failure_of(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_CONNECT:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return HttpFailure::refused;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            return HttpFailure::tls;
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_SEND_FAIL_REWIND:  // curl would have sent it once more by itself
        case CURLE_GOT_NOTHING:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return HttpFailure::cut;
        case CURLE_OPERATION_TIMEDOUT:
            return HttpFailure::stalled;
        default:
            return HttpFailure::other;
    }
}
}  // namespace

// One easy handle in a multi handle of its own, which keeps the connection for the next request.
struct HttpClient::Connection {
    CURLM* multi = curl_multi_init();
    CURL* easy = curl_easy_init();
    curl_slist* headers = nullptr;
    char message[CURL_ERROR_SIZE] = "";
    const HttpOptions& options;

    HttpAnswer answer;
    size_t header_bytes = 0;
    bool head_done = false, ended = false, paused = false, added = false;
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

    void reset() {
        if (added) curl_multi_remove_handle(multi, easy);
        curl_easy_reset(easy);
        curl_slist_free_all(headers);
        headers = nullptr, added = false;
        answer = {}, header_bytes = 0, head_done = ended = paused = false, result = CURLE_OK, failure = HttpFailure::none;
        waiting.clear(), read_at = 0, upload = nullptr, upload_left = 0, upload_error.reset();
        message[0] = '\0';
    }

    static size_t on_header(char* bytes, size_t size, size_t count, void* self) {
        return static_cast<Connection*>(self)->take_header({bytes, size * count}) ? size * count : 0;
    }
    static size_t on_body(char* bytes, size_t size, size_t count, void* self) {
        return static_cast<Connection*>(self)->take_body({bytes, size * count});
    }
    static size_t on_upload(char* room, size_t size, size_t count, void* self) {
        return static_cast<Connection*>(self)->give_upload({reinterpret_cast<std::byte*>(room), size * count});
    }

    bool take_header(std::string_view line) {
        heard = now();
        header_bytes += line.size();
        if (header_bytes > most_header_bytes) return false;
        // Of each answer on the way (100 Continue, redirects) only the last one's count.
        if (line.starts_with("HTTP/")) {
            answer.headers.clear();
            return true;
        }
        line = trim(line);
        size_t colon = line.find(':');
        if (line.empty()) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
        else if (colon != line.npos) answer.headers.emplace(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
        return true;
    }

    size_t take_body(std::string_view bytes) {
        heard = now();
        if (waiting.size() - read_at > most_waiting) {
            paused = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        if (read_at == waiting.size()) waiting.clear(), read_at = 0;
        head_done = true;
        waiting += bytes;
        return bytes.size();
    }

    size_t give_upload(std::span<std::byte> room) {
        if (options.interrupted && options.interrupted()) return CURL_READFUNC_ABORT;
        size_t wanted = std::min<uint64_t>(room.size(), upload_left);
        if (!wanted) return 0;
        auto count = upload->read(room.subspan(0, wanted));
        heard = now();
        if (!count) upload_error = std::move(count).error();
        else if (!*count) upload_error = error(Errc::invalid, "the bytes to send ended too early");
        if (upload_error) return CURL_READFUNC_ABORT;
        upload_left -= *count;
        return *count;
    }

    // Has the last bytes of the upload been read to where its source checks them?
    void finish_upload() {
        std::byte one;
        if (!upload || upload_left || upload_error) return;
        auto end = upload->read({&one, 1});
        if (!end) upload_error = std::move(end).error();
    }

    template <class T>
    void set(CURLoption option, T value) {
        curl_easy_setopt(easy, option, value);
    }

    void start(const HttpRequest& request) {
        set(CURLOPT_URL, request.url.c_str());
        set(CURLOPT_PRIVATE, this), set(CURLOPT_ERRORBUFFER, message), set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        set(CURLOPT_USERAGENT, "croft/" CROFT_VERSION);
        set(CURLOPT_HEADERFUNCTION, on_header), set(CURLOPT_HEADERDATA, this);
        set(CURLOPT_WRITEFUNCTION, on_body), set(CURLOPT_WRITEDATA, this);
        set(CURLOPT_BUFFERSIZE, buffer_size), set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::clamp<uint64_t>(options.timeout, 10'000'000, 30'000'000) / 1000));
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_REDIR_PROTOCOLS_STR, request.url.starts_with("https:") && options.tls.verify ? "https" : "http,https");
        bool asks = request.method == "GET" || request.method == "HEAD";
        set(CURLOPT_FOLLOWLOCATION, asks ? 1L : 0L), set(CURLOPT_MAXREDIRS, 10L);
        set_tls();
        set_body(request);
        for (const std::string& line : request.headers) headers = curl_slist_append(headers, line.c_str());
        // Curl would wait a second for a "100 Continue" that few registries send.
        headers = curl_slist_append(headers, "Expect:");
        set(CURLOPT_HTTPHEADER, headers);
        curl_multi_add_handle(multi, easy);
        added = true;
        heard = now();
    }

    void set_tls() {
        set(CURLOPT_SSL_VERIFYPEER, options.tls.verify ? 1L : 0L), set(CURLOPT_SSL_VERIFYHOST, options.tls.verify ? 2L : 0L);
        if (!options.tls.authorities.empty()) {
            curl_blob blob{const_cast<char*>(options.tls.authorities.data()), options.tls.authorities.size(), CURL_BLOB_COPY};
            curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
        }
        if (options.tls.certificate.empty()) return;
        set(CURLOPT_SSLCERT, options.tls.certificate.c_str()), set(CURLOPT_SSLKEY, options.tls.key.c_str());
    }

    void set_body(const HttpRequest& request) {
        if (request.upload) {
            upload = request.upload, upload_left = request.upload_size;
            set(CURLOPT_UPLOAD, 1L), set(CURLOPT_UPLOAD_BUFFERSIZE, buffer_size);
            set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.upload_size));
            set(CURLOPT_READFUNCTION, on_upload), set(CURLOPT_READDATA, this);
        } else if (request.method == "HEAD") {
            set(CURLOPT_NOBODY, 1L);
            return;
        } else if (request.method != "GET" && request.method != "DELETE") {
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            set(CURLOPT_COPYPOSTFIELDS, request.body.c_str());
        }
        set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    // Goes on until there is something to read, or the end.
    Result<> pump() {
        while (!ended && read_at == waiting.size()) {
            if (paused) {
                paused = false;
                curl_easy_pause(easy, CURLPAUSE_CONT);
            }
            int running = 0, left = 0;
            curl_multi_perform(multi, &running);
            while (CURLMsg* done = curl_multi_info_read(multi, &left))
                if (done->msg == CURLMSG_DONE) ended = true, result = done->data.result;
            if (ended || read_at != waiting.size()) break;
            if (options.interrupted && options.interrupted()) return error(Errc::failed, "interrupted");
            if (now() - heard > options.timeout) {
                failure = HttpFailure::stalled;
                return error(Errc::timeout, cat("nothing came for ", human_duration(options.timeout), ", so the connection was given up"));
            }
            curl_multi_poll(multi, nullptr, 0, 200, nullptr);
        }
        return ended ? end() : Result<>();
    }

    Result<> end() {
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
        head_done = true;
        if (upload_error) {
            failure = HttpFailure::other;
            return *upload_error;
        }
        if (result == CURLE_OK) return {};
        failure = failure_of(result);
        // What came first is given first; the failure shows at the next reading.
        if (read_at != waiting.size()) return {};
        if (options.interrupted && options.interrupted()) return error(Errc::failed, "interrupted");
        return error(result == CURLE_OPERATION_TIMEDOUT ? Errc::timeout : Errc::failed, cat(message[0] ? message : curl_easy_strerror(result)));
    }

    // Up to the first bytes of the body.
    Result<> pump_head() {
        TRY(pump());
        char* url = nullptr;
        curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
        if (url) answer.url = url;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
        return {};
    }
};

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

HttpStream::HttpStream(HttpClient& client, std::unique_ptr<HttpClient::Connection> connection) : client_(client), connection_(std::move(connection)) {}
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
