#include "registry/authorize.h"

#include <time.h>

#include <algorithm>

#include "base/text.h"
#include "format/json_read.h"
#include "registry/auth_file.h"
#include "registry/base64.h"
#include "registry/url.h"

namespace croft::registry {

namespace {
using format::Json;

constexpr size_t largest_answer = 1 << 20;
// As the specification has it for an answer that does not say.
constexpr uint64_t usual_life = 60;

uint64_t seconds_now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec);
}

bool is_token_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 9110, 11.6.1: SCHEME NAME=VALUE, NAME="VALUE", SCHEME …
class ChallengeReader {
  public:
    explicit ChallengeReader(std::string_view text) : text_(text) {}

    std::vector<Challenge> read() {
        std::vector<Challenge> out;
        while (skip(" ,\t"), at_ < text_.size()) {
            std::string word = token();
            if (word.empty()) break;
            skip(" \t");
            if (at_ < text_.size() && text_[at_] == '=' && !out.empty()) {
                ++at_, skip(" \t");
                out.back().parameters[lower(word)] = value();
            } else {
                out.push_back({lower(word), {}});
            }
        }
        return out;
    }

  private:
    void skip(std::string_view which) {
        while (at_ < text_.size() && which.find(text_[at_]) != which.npos) ++at_;
    }
    std::string token() {
        size_t begin = at_;
        while (at_ < text_.size() && is_token_char(text_[at_])) ++at_;
        return std::string(text_.substr(begin, at_ - begin));
    }
    std::string value() {
        if (at_ >= text_.size() || text_[at_] != '"') return token();
        std::string out;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            out += text_[at_];
        }
        ++at_;
        return out;
    }

    std::string_view text_;
    size_t at_ = 0;
};

std::string parameter(const Challenge& challenge, const char* name) {
    auto found = challenge.parameters.find(name);
    return found == challenge.parameters.end() ? "" : found->second;
}

std::string basic(const Credentials& login) {
    return cat("Authorization: Basic ", to_base64(cat(login.user, ":", login.password)));
}

std::string bearer(const std::string& token) {
    return cat("Authorization: Bearer ", token);
}
}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
    return ChallengeReader(header).read();
}

Authorizer::Authorizer(std::string name, const PlaceOptions& options, HttpClient& http, bool insecure)
    : name_(std::move(name)), options_(options), http_(http), insecure_(insecure) {}

Result<> Authorizer::find_login() {
    if (looked_) return {};
    credentials_ = TRY(find_credentials(name_, options_));
    if (credentials_ && credentials_->empty()) credentials_.reset();
    looked_ = true;
    return {};
}

Result<std::string> Authorizer::header(const std::vector<std::string>& scopes) {
    if (!options_.registry_token.empty()) return bearer(options_.registry_token);
    std::lock_guard lock(mutex_);
    if (!challenge_) return std::string();
    TRY(find_login());
    if (challenge_->scheme == "basic")
        return credentials_ && credentials_->identity_token.empty() ? basic(*credentials_) : std::string();
    Token& token = tokens_[scopes];
    if (token.text.empty() || token.until <= seconds_now()) token = TRY(get_token(scopes));
    return bearer(token.text);
}

Result<bool> Authorizer::learn(const HttpAnswer& answer, const std::vector<std::string>& scopes, std::string_view sent) {
    std::lock_guard lock(mutex_);
    if (!options_.registry_token.empty()) return false;
    std::vector<Challenge> offered;
    auto [begin, end] = answer.headers.equal_range("www-authenticate");
    for (auto one = begin; one != end; ++one)
        for (Challenge& challenge : parse_challenges(one->second)) offered.push_back(std::move(challenge));
    auto find = [&](const char* scheme) { return std::ranges::find(offered, scheme, &Challenge::scheme); };
    auto chosen = find("bearer");
    if (chosen == offered.end()) chosen = find("basic");
    if (chosen == offered.end()) return false;
    challenge_ = *chosen;
    TRY(find_login());
    // Who was refused with a login is refused again; who asked before it was known what is wanted is not.
    if (chosen->scheme == "basic") return sent.empty() && credentials_;
    // A token may have become too old; when another thread has got a new one meanwhile, that one stays.
    auto kept = tokens_.find(scopes);
    if (kept != tokens_.end() && sent == bearer(kept->second.text)) tokens_.erase(kept);
    return true;
}

Result<HttpAnswer> Authorizer::ask_token_server(const std::string& realm, const std::vector<std::string>& scopes) {
    std::string service = parameter(*challenge_, "service");
    HttpRequest request;
    if (credentials_ && !credentials_->identity_token.empty()) {
        request.method = "POST", request.url = realm;
        request.headers = {"Content-Type: application/x-www-form-urlencoded"};
        request.body = cat("grant_type=refresh_token&client_id=croft&service=", url_escaped(service),
                           "&scope=", url_escaped(join(scopes, " ")),
                           "&refresh_token=", url_escaped(credentials_->identity_token));
        return http_.request(request, largest_answer);
    }
    std::string query = cat("service=", url_escaped(service));
    for (const std::string& scope : scopes) query += cat("&scope=", url_escaped(scope));
    if (credentials_) {
        query += cat("&account=", url_escaped(credentials_->user));
        request.headers = {basic(*credentials_)};
    }
    request.url = cat(realm, realm.find('?') == realm.npos ? "?" : "&", query);
    HttpAnswer answer = TRY(http_.request(request, largest_answer));
    if (!credentials_ || (answer.status != 404 && answer.status != 405)) return answer;
    // A token server that has OAuth2 alone.
    request = {.method = "POST", .url = realm, .headers = {"Content-Type: application/x-www-form-urlencoded"}};
    request.body =
        cat("grant_type=password&client_id=croft&service=", url_escaped(service),
            "&scope=", url_escaped(join(scopes, " ")), "&username=", url_escaped(credentials_->user),
            "&password=", url_escaped(credentials_->password));
    return http_.request(request, largest_answer);
}

Result<Authorizer::Token> Authorizer::get_token(const std::vector<std::string>& scopes) {
    std::string realm = parameter(*challenge_, "realm");
    bool secure = realm.starts_with("https://");
    if (!secure && !(insecure_ && realm.starts_with("http://")))
        return error(Errc::denied, cat("the registry of ", quoted(name_), " sends its users to ", quoted(realm.substr(0, 200)),
                                       " for a token, which is no https:// address; passwords are not sent there"));
    auto answer = ask_token_server(realm, scopes);
    if (!answer) return std::move(answer).error().within(cat("asking ", realm, " for a token"));
    if (answer->status == 401 || answer->status == 403)
        return error(
            Errc::denied,
            cat("the token server ", quoted(realm), " refuses ",
                credentials_ ? cat("the login of ", quoted(credentials_->user)) : "who has no login", " for ",
                join(scopes, ", "), " (", answer->status, "); `croft image login` keeps another one"));
    if (answer->status != 200) return error(Errc::failed, cat("the token server ", quoted(realm), " answers ", answer->status));
    auto read = [&]() -> Result<Token> {
        auto document = TRY(format::json_parse(answer->body));
        Json root = TRY(json_object(document.root()));
        auto text = json_member(root, "token");
        if (!text) text = json_member(root, "access_token");
        if (!text) return error(Errc::failed, "there is no token in it");
        auto life = json_member(root, "expires_in");
        uint64_t seconds = life ? json_number(*life, 1 << 30).value_or(usual_life) : usual_life;
        std::string token = TRY(json_text(*text));
        if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 127; }))
            return error(Errc::failed, "the token in it is none");
        // Asked for anew while it still holds for the request that is under way.
        return Token{std::move(token), seconds_now() + seconds - seconds / 10};
    };
    return read().within(cat("the answer of the token server ", realm));
}

}  // namespace croft::registry
