#include "registry/resumed_stream.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "registry/registry_client.h"

namespace croft::registry {

namespace {
constexpr uint64_t first_delay = 1'000'000, longest_delay = 60'000'000;
constexpr size_t first_part_size = 16384;

// "bytes 100-199/200" begins at 100.
std::optional<uint64_t> range_begin(const std::string& header) {
    if (!header.starts_with("bytes ")) return std::nullopt;
    return parse_uint(std::string_view(header).substr(6, header.find('-') - 6));
}

// "bytes 100-199/200" has 200.
std::optional<uint64_t> range_size(const std::string& header) {
    size_t slash = header.find('/');
    return slash == header.npos ? std::nullopt : parse_uint(std::string_view(header).substr(slash + 1));
}

std::string first_part(HttpStream& stream) {
    std::string out(first_part_size, '\0');
    size_t length = 0;
    while (length < out.size()) {
        auto count = stream.read(std::as_writable_bytes(std::span(out)).subspan(length));
        if (!count || !*count) break;
        length += *count;
    }
    out.resize(length);
    return out;
}
}  // namespace

Result<bool> wait_to_try_again(const PlaceOptions& options, unsigned tried, const HttpAnswer* answer) {
    if (tried >= options.retry_times) return false;
    uint64_t delay = std::min(first_delay << std::min(tried, 6u), longest_delay);
    if (options.retry_delay) delay = *options.retry_delay;
    if (answer)
        if (auto told = retry_after(answer->header("retry-after"))) delay = std::min(*told, 5 * longest_delay);
    debug(cat("trying again in ", human_duration(delay)));
    // In slices, so that Ctrl-C need not wait.
    for (; delay; delay -= std::min<uint64_t>(delay, 200'000)) {
        if (options.interrupted && options.interrupted()) return error(Errc::failed, "interrupted");
        usleep(static_cast<useconds_t>(std::min<uint64_t>(delay, 200'000)));
    }
    return true;
}

Result<> ResumedStream::open() {
    for (;; ++tried_) {
        HttpAnswer answer;
        Result<> opened = open_once(answer);
        if (opened) return {};
        if (!hopeful_) return opened;
        if (!TRY(wait_to_try_again(wanted_.options, tried_, &answer))) return opened;
    }
}

Result<size_t> ResumedStream::read(std::span<std::byte> room) {
    while (true) {
        auto count = stream_ ? stream_->read(room) : Result<size_t>(0);
        if (count && *count) {
            at_ += *count;
            // It goes on: a new cut is a new trouble.
            tried_ = 0;
            return count;
        }
        // With an empty one, or one that is whole, the end is the end; who knows a digest looks at the rest.
        if (count && at_ >= wanted_.size.value_or(0)) return size_t(0);
        bool interrupted = wanted_.options.interrupted && wanted_.options.interrupted();
        if (interrupted || !TRY(wait_to_try_again(wanted_.options, tried_++, nullptr))) return broke_off(std::move(count));
        debug(cat(wanted_.what, ": going on at byte ", at_));
        TRY(open());
    }
}

Error ResumedStream::broke_off(Result<size_t> last) {
    std::string how = last ? cat("the ", wanted_.giver, " ended it") : last.error().text;
    std::string size = wanted_.size ? cat(" of ", *wanted_.size) : "";
    return error(last ? Errc::failed : last.error().code, cat(wanted_.what, " broke off after ", at_, size, " bytes: ", how));
}

Result<> ResumedStream::open_once(HttpAnswer& answer) {
    stream_.reset();
    HttpRequest request;
    // Compressed once more, it would be other bytes.
    request.headers = {"Accept-Encoding: identity"};
    if (at_) request.headers.push_back(cat("Range: bytes=", at_, "-"));
    auto stream = wanted_.send(std::move(request));
    hopeful_ = !stream && (stream.error().code == Errc::failed || stream.error().code == Errc::timeout);
    if (!stream) return std::move(stream).error().within(wanted_.what);
    answer = (*stream)->head();
    hopeful_ = may_pass(answer.status);
    if (answer.status == 200 || answer.status == 206) return take(std::move(*stream));
    answer.body = first_part(**stream);
    return wanted_.refusal(answer, wanted_.what);
}

Result<> ResumedStream::look_at(const HttpAnswer& head) {
    if (head.header("content-type").starts_with("text/html"))
        return error(Errc::invalid, cat(wanted_.what, ": the answer is a page for people (HTML), and not what was asked for"));
    auto size = head.status == 206 ? range_size(head.header("content-range")) : parse_uint(head.header("content-length"));
    if (wanted_.may_change) {
        std::string date = head.header("last-modified"), tag = head.header("etag");
        // Mirrors of one file agree on its date, seldom on a tag.
        bool dated = !date.empty() && !date_.empty();
        bool other = dated ? date != date_ : !tag.empty() && !tag_.empty() && tag != tag_;
        if (other || (size && wanted_.size && *size != *wanted_.size))
            return error(Errc::invalid, cat(wanted_.what, ": it was changed there while it was being read; try again"));
        date_ = std::move(date), tag_ = std::move(tag);
    }
    if (!wanted_.size) wanted_.size = size;
    return {};
}

Result<> ResumedStream::take(std::unique_ptr<HttpStream> stream) {
    const HttpAnswer& head = stream->head();
    TRY(look_at(head));
    uint64_t begin = head.status == 206 ? range_begin(head.header("content-range")).value_or(at_) : 0;
    if (begin > at_)
        return error(Errc::invalid, cat(wanted_.what, ": the ", wanted_.giver, " answers with bytes from ", begin, " on, and ",
                                        at_, " was asked for"));
    TRY(skip_to(*stream, begin));
    stream_ = std::move(stream);
    return {};
}

// Who knows no ranges gives it all again.
Result<> ResumedStream::skip_to(HttpStream& stream, uint64_t begin) {
    std::byte room[16384];
    for (uint64_t left = at_ - begin; left;) {
        auto count = stream.read({room, static_cast<size_t>(std::min<uint64_t>(left, sizeof room))});
        hopeful_ = !count;
        if (!count) return std::move(count).error().within(wanted_.what);
        if (!*count) return error(Errc::invalid, cat(wanted_.what, ": it is shorter than it was"));
        left -= *count;
    }
    return {};
}

}  // namespace croft::registry
