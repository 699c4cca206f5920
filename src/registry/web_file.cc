#include "registry/web_file.h"

#include <algorithm>

#include "base/text.h"
#include "image/reference.h"
#include "registry/base64.h"
#include "registry/certificates.h"
#include "registry/resumed_stream.h"
#include "registry/url.h"

namespace croft::registry {

namespace {
struct Address {
    std::string url;    // without a login
    std::string host;   // "localhost:8080"
    std::string login;  // "USER:PASSWORD" before it, as it stood there
};

Result<Address> parse_address(const std::string& url) {
    size_t begin = url.find("://") + 3, end = std::min(url.find_first_of("/?#", begin), url.size());
    std::string host = url.substr(begin, end - begin);
    size_t at = host.rfind('@');
    Address out{image::url_without_login(url), host.substr(at == host.npos ? 0 : at + 1), at == host.npos ? "" : host.substr(0, at)};
    auto good = [](unsigned char c) { return c > ' ' && c != 127; };
    if (out.host.empty() || out.host.starts_with(':') || !std::ranges::all_of(url, good))
        return error(Errc::invalid, cat(quoted(out.url), " is no address: it is https://HOST/PATH, and a blank in it is %20"));
    return out;
}

// "%40" is '@': a password in an address is written so (RFC 3986, 2.1).
std::string unescaped(std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
        unsigned value = 0;
        bool code = text[at] == '%' && at + 2 < text.size();
        for (size_t digit = 1; code && digit <= 2; ++digit) {
            size_t found = std::string_view("0123456789abcdef").find(lower(text.substr(at + digit, 1)));
            code = found != std::string_view::npos;
            value = value * 16 + static_cast<unsigned>(found);
        }
        out += code ? static_cast<char>(value) : text[at];
        if (code) at += 2;
    }
    return out;
}

std::string authorization(const Address& address, const PlaceOptions& options) {
    std::string login = unescaped(address.login);
    if (options.credentials) login = cat(options.credentials->user, ":", options.credentials->password);
    if (login.empty() || options.anonymous) return "";
    return cat("Authorization: Basic ", to_base64(login.find(':') == login.npos ? login + ":" : login));
}

Error refusal(const HttpAnswer& answer, const std::string& what) {
    std::string more = cat(" (HTTP ", answer.status, ")");
    switch (answer.status) {
        case 401:
            return error(Errc::denied, cat(what, ": the server wants a login, or refuses the one it got; --creds gives one", more));
        case 403:
            return error(Errc::denied, cat(what, ": the server does not give it away", more));
        case 404:
        case 410:
            return error(Errc::not_found, cat(what, ": there is no such file at the server", more));
        case 416:
            return error(Errc::failed, cat(what, ": it became shorter while it was being read; try again", more));
        default:
            return error(Errc::failed, cat(what, ": the server ", answer.status >= 500 ? "has failed" : "refuses it", more));
    }
}

// What lives as long as the stream: the client that it reads by.
class WebStream : public Source {
  public:
    WebStream(HttpOptions http, Address address, const PlaceOptions& options)
        : client_(std::move(http)), address_(std::move(address)), authorization_(authorization(address_, options)),
          stream_({.what = quoted(address_.url), .giver = "server", .size = std::nullopt,
                   .send = [this](HttpRequest request) { return send(std::move(request)); },
                   .refusal = refusal, .options = options, .may_change = true}, 0) {}

    Result<std::optional<uint64_t>> open() {
        TRY(stream_.open());
        return stream_.size();
    }
    Result<size_t> read(std::span<std::byte> room) override { return stream_.read(room); }

  private:
    Result<std::unique_ptr<HttpStream>> send(HttpRequest request) {
        request.url = address_.url;
        if (!authorization_.empty()) request.headers.push_back(authorization_);
        HttpFailure failure = HttpFailure::none;
        auto stream = client_.open(request, &failure);
        if (stream || failure != HttpFailure::tls) return stream;
        // Another try meets the same certificate.
        Error refused = std::move(stream).error();
        refused.code = Errc::denied;
        return std::move(refused).within("no safe connection (--tls-verify=no takes any certificate, --cert-dir has more authorities)");
    }

    HttpClient client_;
    Address address_;
    std::string authorization_;
    ResumedStream stream_;
};
}  // namespace

Result<WebFile> open_web_file(const std::string& url, const PlaceOptions& options) {
    Address address = TRY(parse_address(url));
    HttpOptions http{.tls = TRY(find_certificates(address.host, options)), .timeout = options.timeout, .interrupted = options.interrupted};
    http.tls.verify = options.tls_verify.value_or(true);
    auto stream = std::make_unique<WebStream>(std::move(http), std::move(address), options);
    std::optional<uint64_t> size = TRY(stream->open());
    return WebFile{std::move(stream), size};
}

std::string url_file_name(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    size_t slash = url.rfind('/');
    return slash == url.npos || url.substr(0, slash + 1).ends_with("://") ? "" : unescaped(url.substr(slash + 1));
}

}  // namespace croft::registry
