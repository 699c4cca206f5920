// What a registry wants to see before it answers (distribution's "Token Authentication Specification", RFC 7617, RFC 6750):
// nothing, a name and a password, or a token that a token server gives for them.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/http.h"
#include "registry/options.h"

namespace croft::registry {

struct Challenge {
    std::string scheme;  // "bearer", "basic"
    std::map<std::string, std::string> parameters;  // names in lower case
};
// The challenges of WWW-Authenticate headers; what cannot be read is left out.
std::vector<Challenge> parse_challenges(std::string_view header);

class Authorizer {
  public:
    // `name` is "HOST/REPOSITORY", for which a login is looked for when one is needed. Tokens are asked for over `http`.
    Authorizer(std::string name, const PlaceOptions& options, HttpClient& http, bool insecure);

    // A header line for a request that needs these scopes ("repository:NAME:pull"), as far as it is known what is wanted; ""
    // when nothing is.
    Result<std::string> header(const std::vector<std::string>& scopes);
    // The answer was 401 to a request with the header line `sent` (""): true when another try may be better.
    Result<bool> learn(const HttpAnswer& answer, const std::vector<std::string>& scopes, std::string_view sent);

  private:
    struct Token {
        std::string text;
        uint64_t until = 0;  // CLOCK_MONOTONIC, s
    };
    Result<> find_login();
    Result<Token> get_token(const std::vector<std::string>& scopes);
    Result<HttpAnswer> ask_token_server(const std::string& realm, const std::vector<std::string>& scopes);

    std::string name_;
    const PlaceOptions& options_;
    HttpClient& http_;
    bool insecure_;
    std::mutex mutex_;
    bool looked_ = false;
    std::optional<Credentials> credentials_;
    std::optional<Challenge> challenge_;
    std::map<std::vector<std::string>, Token> tokens_;
};

}  // namespace croft::registry
