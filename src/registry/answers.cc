// What a registry's answer means in words (registry_client.h).
#include <strings.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "format/json_read.h"
#include "registry/registry_client.h"

namespace croft::registry {

namespace {
// The sentences of distribution-spec's errors ("Error Codes").
std::string own_words(const std::string& body) {
    auto document = format::json_parse(body);
    if (!document || document->root().kind() != format::JsonKind::object) return "";
    auto errors = json_member(document->root(), "errors");
    std::string out;
    if (!errors || errors->kind() != format::JsonKind::array) return "";
    for (format::Json one : *errors) {
        if (one.kind() != format::JsonKind::object || out.size() > 300) continue;
        auto code = json_member(one, "code"), message = json_member(one, "message");
        std::string text = message && !message->text().empty() ? std::string(message->text()) : code ? lower(code->text()) : "";
        if (!text.empty()) out += cat(out.empty() ? "" : "; ", text.substr(0, 300));
    }
    return quoted(out) == cat("'", out, "'") ? out : quoted(out);
}

struct Row {
    long status;
    Errc code;
    const char* meaning;
};
constexpr Row rows[] = {
    {400, Errc::invalid, "the registry does not understand what was asked"},
    {401, Errc::denied, "the registry wants a login, or refuses the one it got; `croft image login HOST` keeps one"},
    {403, Errc::denied, "the registry does not allow that to this login"},
    {404, Errc::not_found, "there is none in the registry (or it is hidden from who has no login)"},
    {405, Errc::unsupported, "the registry does not do that"},
    {413, Errc::invalid, "it is too large for the registry"},
    {429, Errc::busy, "the registry has had too many requests from here; try later"},
    {502, Errc::busy, "the registry cannot be reached behind its gateway; try later"},
    {503, Errc::busy, "the registry is overloaded or closed for the moment; try later"},
    {504, Errc::busy, "the registry cannot be reached behind its gateway; try later"},
};

// timegm() of "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7), without locales.
std::optional<time_t> parse_date(const std::string& text) {
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    std::vector<std::string> parts = split(text, ' ');
    if (parts.size() != 6 || parts[5] != "GMT" || parts[2].size() != 3) return std::nullopt;
    std::vector<std::string> clock = split(parts[4], ':');
    auto day = parse_uint(parts[1]), year = parse_uint(parts[3]);
    size_t month = months.find(parts[2]);
    if (clock.size() != 3 || !day || !year || month == months.npos || month % 3 || *year > 9999 || *day > 31) return std::nullopt;
    struct tm date = {};
    auto hour = parse_uint(clock[0]), minute = parse_uint(clock[1]), second = parse_uint(clock[2]);
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    date.tm_mday = static_cast<int>(*day), date.tm_mon = static_cast<int>(month / 3),
    date.tm_year = static_cast<int>(*year) - 1900;
    date.tm_hour = static_cast<int>(*hour), date.tm_min = static_cast<int>(*minute), date.tm_sec = static_cast<int>(*second);
    return timegm(&date);
}
}  // namespace

Error answer_error(const HttpAnswer& answer, const std::string& what) {
    std::string words = own_words(answer.body);
    bool page = answer.header("content-type").starts_with("text/html");
    std::string more = cat(" (HTTP ", answer.status, words.empty() ? "" : ": ", words,
                           page ? ", with a page for people; is that a registry?" : "", ")");
    if (answer.status >= 300 && answer.status < 400)
        return error(Errc::failed, cat(what, ": the registry sends on to another address where none can be followed", more));
    for (const Row& row : rows)
        if (row.status == answer.status) return error(row.code, cat(what, ": ", row.meaning, more));
    return error(
        Errc::failed,
        cat(what, ": ", answer.status >= 500 ? "the registry has failed" : "the registry refuses it", more));
}

bool may_pass(long status) {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

bool may_pass(HttpFailure failure) {
    return failure == HttpFailure::cut || failure == HttpFailure::stalled || failure == HttpFailure::refused;
}

std::optional<uint64_t> retry_after(const std::string& header) {
    if (header.empty()) return std::nullopt;
    if (auto seconds = parse_uint(header)) return std::min<uint64_t>(*seconds, 86400) * 1'000'000;
    auto date = parse_date(header);
    if (!date) return std::nullopt;
    time_t now = time(nullptr);
    return *date <= now ? 0 : std::min<uint64_t>(static_cast<uint64_t>(*date - now), 86400) * 1'000'000;
}

}  // namespace croft::registry
