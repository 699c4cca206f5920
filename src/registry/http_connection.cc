#include "registry/http_connection.h"

#include <time.h>

#include <algorithm>

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

void HttpClient::Connection::reset() {
    if (added) curl_multi_remove_handle(multi, easy);
    curl_easy_reset(easy);
    curl_slist_free_all(headers);
    headers = nullptr, added = false;
    answer = {}, header_bytes = 0, ended = paused = false, result = CURLE_OK, failure = HttpFailure::none;
    waiting.clear(), read_at = 0, upload = nullptr, upload_left = 0, upload_error.reset();
    message[0] = '\0';
}

bool HttpClient::Connection::take_header(std::string_view line) {
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

size_t HttpClient::Connection::take_body(std::string_view bytes) {
    heard = now();
    if (waiting.size() - read_at > most_waiting) {
        paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (read_at == waiting.size()) waiting.clear(), read_at = 0;
    waiting += bytes;
    return bytes.size();
}

size_t HttpClient::Connection::give_upload(std::span<std::byte> room) {
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

void HttpClient::Connection::finish_upload() {
    std::byte one;
    if (!upload || upload_left || upload_error) return;
    auto end = upload->read({&one, 1});
    if (!end) upload_error = std::move(end).error();
}

void HttpClient::Connection::start(const HttpRequest& request) {
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PRIVATE, this), set(CURLOPT_ERRORBUFFER, message), set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_USERAGENT, "croft/" CROFT_VERSION);
    set(CURLOPT_HEADERFUNCTION, on_header), set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, on_body), set(CURLOPT_WRITEDATA, this);
    uint64_t to_connect = std::clamp<uint64_t>(options.timeout, 10'000'000, 30'000'000);
    set(CURLOPT_BUFFERSIZE, buffer_size), set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(to_connect / 1000));
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

void HttpClient::Connection::set_tls() {
    set(CURLOPT_SSL_VERIFYPEER, options.tls.verify ? 1L : 0L), set(CURLOPT_SSL_VERIFYHOST, options.tls.verify ? 2L : 0L);
    if (!options.tls.authorities.empty()) {
        curl_blob blob{const_cast<char*>(options.tls.authorities.data()), options.tls.authorities.size(), CURL_BLOB_COPY};
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (options.tls.certificate.empty()) return;
    set(CURLOPT_SSLCERT, options.tls.certificate.c_str()), set(CURLOPT_SSLKEY, options.tls.key.c_str());
}

void HttpClient::Connection::set_body(const HttpRequest& request) {
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

Result<> HttpClient::Connection::pump() {
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
            return error(Errc::timeout, cat("nothing came for ", human_duration(options.timeout),
                                            ", so the connection was given up"));
        }
        curl_multi_poll(multi, nullptr, 0, 200, nullptr);
    }
    return ended ? end() : Result<>();
}

Result<> HttpClient::Connection::end() {
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
    if (upload_error) {
        failure = HttpFailure::other;
        return *upload_error;
    }
    if (result == CURLE_OK) return {};
    failure = failure_of(result);
    // What came first is given first; the failure shows at the next reading.
    if (read_at != waiting.size()) return {};
    if (options.interrupted && options.interrupted()) return error(Errc::failed, "interrupted");
    return error(result == CURLE_OPERATION_TIMEDOUT ? Errc::timeout : Errc::failed,
                 cat(message[0] ? message : curl_easy_strerror(result)));
}

Result<> HttpClient::Connection::pump_head() {
    TRY(pump());
    char* url = nullptr;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    if (url) answer.url = url;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
    return {};
}

}  // namespace croft::registry
