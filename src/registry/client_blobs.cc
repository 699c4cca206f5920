// Blobs from and to a registry (registry_client.h): reading goes on where a connection was cut, and so does sending.
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "registry/blobs.h"
#include "registry/registry_client.h"
#include "registry/url.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Digest;

constexpr size_t largest_answer = 256 << 10;

// "bytes 100-199/200" begins at 100.
std::optional<uint64_t> range_begin(const std::string& header) {
    if (!header.starts_with("bytes ")) return std::nullopt;
    return parse_uint(std::string_view(header).substr(6, header.find('-') - 6));
}
}  // namespace

// A blob's bytes from a registry. When the connection ends before the blob does, a new one goes on at the same byte.
class BlobStream : public Source {
  public:
    BlobStream(RegistryClient& client, Descriptor descriptor, uint64_t offset)
        : client_(client), descriptor_(std::move(descriptor)), at_(offset) {}

    Result<> open() {
        for (;; ++tried_) {
            HttpAnswer answer;
            Result<> opened = open_once(answer);
            if (opened) return {};
            if (!hopeful_) return opened;
            if (!TRY(client_.again(tried_, &answer))) return opened;
        }
    }

    Result<size_t> read(std::span<std::byte> room) override {
        while (true) {
            auto count = stream_ ? stream_->read(room) : Result<size_t>(0);
            if (count && *count) {
                at_ += *count;
                // It goes on: a new cut is a new trouble.
                tried_ = 0;
                return count;
            }
            // With an empty blob, or one that is whole, the end is the end; checked() looks at the rest.
            if (count && at_ >= descriptor_.size) return size_t(0);
            bool interrupted = client_.options_.interrupted && client_.options_.interrupted();
            if (interrupted || !TRY(client_.again(tried_++, nullptr))) return ended(std::move(count));
            debug(cat("blob ", descriptor_.digest.text(), ": going on at byte ", at_));
            TRY(open());
        }
    }

  private:
    Error ended(Result<size_t> last) {
        std::string how = last ? "the registry ended it" : last.error().text;
        return error(last ? Errc::failed : last.error().code,
                     cat("blob ", descriptor_.digest.text(), " of ", client_.name(), " broke off after ", at_,
                         " of ", descriptor_.size, " bytes: ", how));
    }

    Result<> open_once(HttpAnswer& answer) {
        stream_.reset();
        HttpRequest request;
        // Compressed once more, it would be other bytes.
        request.headers = {"Accept-Encoding: identity"};
        if (at_) request.headers.push_back(cat("Range: bytes=", at_, "-"));
        std::string what = cat("blob ", descriptor_.digest.text(), " of ", client_.name());
        auto stream = client_.open_stream(std::move(request), cat("blobs/", descriptor_.digest.text()));
        hopeful_ = !stream && (stream.error().code == Errc::failed || stream.error().code == Errc::timeout);
        if (!stream) return std::move(stream).error().within(what);
        answer = (*stream)->head();
        hopeful_ = may_pass(answer.status);
        if (answer.status == 200 || answer.status == 206) return take(std::move(*stream), what);
        answer.body = first_part(**stream);
        return answer_error(answer, what);
    }

    Result<> take(std::unique_ptr<HttpStream> stream, const std::string& what) {
        const HttpAnswer& head = stream->head();
        if (head.header("content-type").starts_with("text/html"))
            return error(Errc::invalid, cat(what, ": the answer is a page for people (HTML), and no blob"));
        uint64_t begin = head.status == 206 ? range_begin(head.header("content-range")).value_or(at_) : 0;
        if (begin > at_)
            return error(Errc::invalid, cat(what, ": the registry answers with bytes from ", begin,
                                            " on, and ", at_, " was asked for"));
        // A registry without ranges gives it all again.
        std::byte room[16384];
        for (uint64_t left = at_ - begin; left;) {
            auto count = stream->read({room, static_cast<size_t>(std::min<uint64_t>(left, sizeof room))});
            hopeful_ = !count;
            if (!count) return std::move(count).error().within(what);
            if (!*count) return error(Errc::invalid, cat(what, ": it is shorter than it was"));
            left -= *count;
        }
        stream_ = std::move(stream);
        return {};
    }

    static std::string first_part(HttpStream& stream) {
        std::string out(16384, '\0');
        size_t length = 0;
        while (length < out.size()) {
            auto count = stream.read(std::as_writable_bytes(std::span(out)).subspan(length));
            if (!count || !*count) break;
            length += *count;
        }
        out.resize(length);
        return out;
    }

    RegistryClient& client_;
    Descriptor descriptor_;
    uint64_t at_;
    unsigned tried_ = 0;
    bool hopeful_ = false;
    std::unique_ptr<HttpStream> stream_;
};

Result<std::unique_ptr<Source>> RegistryClient::blob(const Descriptor& descriptor, uint64_t offset) {
    auto stream = std::make_unique<BlobStream>(*this, descriptor, offset);
    if (offset < descriptor.size || !descriptor.size) TRY(stream->open());
    return stream;
}

Result<bool> RegistryClient::has_blob(const Digest& digest) {
    std::string what = cat("blob ", digest.text(), " of ", name());
    auto answer = ask({.method = "HEAD"}, cat("blobs/", digest.text()), largest_answer);
    if (!answer) return std::move(answer).error().within(what);
    if (answer->status == 200) return true;
    if (answer->status == 404) return false;
    return answer_error(*answer, what);
}

Result<bool> RegistryClient::mount_blob(const Descriptor& descriptor, const std::string& from) {
    std::string path = cat("blobs/uploads/?mount=", url_escaped(descriptor.digest.text()), "&from=", url_escaped(from));
    HttpRequest request{.method = "POST", .url = url(path)};
    HttpFailure failure = HttpFailure::none;
    // Whoever may not read the other repository gets a token without that, or none; then the bytes are sent.
    auto answer = once(request, largest_answer, failure, cat("repository:", from, ":pull"));
    if (!answer) {
        debug(cat("mounting blob ", descriptor.digest.text(), ": ", answer.error().text));
        return false;
    }
    if (answer->status == 201) return true;
    std::string location = answer->header("location");
    if (answer->status == 202 && !location.empty()) {
        std::lock_guard lock(mutex_);
        uploads_[descriptor.digest] = resolved_url(answer->url, location);
    }
    return false;
}

Result<std::string> RegistryClient::start_upload() {
    auto answer = ask({.method = "POST"}, "blobs/uploads/", largest_answer);
    if (!answer) return std::move(answer).error();
    if (answer->status != 202) return answer_error(*answer, "beginning to send it");
    std::string location = answer->header("location");
    if (location.empty()) return error(Errc::failed, "the registry does not say where to send it (there is no Location)");
    return resolved_url(answer->url, location);
}

// How much of a broken upload has arrived; 0 when the registry does not know it any more (then there is a new location).
Result<uint64_t> RegistryClient::sent_so_far(std::string& location) {
    auto answer = ask({.url = location}, "", largest_answer);
    std::string range = answer ? answer->header("range") : "";
    if (answer && answer->status == 204) {
        if (std::string next = answer->header("location"); !next.empty()) location = resolved_url(answer->url, next);
        auto last = parse_uint(std::string_view(range).substr(std::min(range.size(), range.find('-') + 1)));
        if (last && *last) return *last + 1;
    }
    location = TRY(start_upload());
    return uint64_t(0);
}

// From `offset` on. Monolithic when that is the beginning, else the rest as one chunk and then the end.
Result<> RegistryClient::send(const Descriptor& descriptor, const OpenBlob& open, std::string& location,
                              uint64_t& offset, bool& hopeful) {
    std::unique_ptr<Source> source = offset ? TRY(open(offset)) : checked(TRY(open(0)), descriptor);
    HttpRequest request{.method = offset ? "PATCH" : "PUT",
                        .headers = {"Content-Type: application/octet-stream"},
                        .upload = source.get()};
    auto closing = [&] {
        return cat(location, location.find('?') == location.npos ? "?" : "&",
                   "digest=", url_escaped(descriptor.digest.text()));
    };
    request.url = offset ? location : closing();
    request.upload_size = descriptor.size - offset;
    if (offset) request.headers.push_back(cat("Content-Range: ", offset, "-", descriptor.size - 1));
    HttpFailure failure = HttpFailure::none;
    auto answer = once(request, largest_answer, failure, "");
    hopeful = answer ? may_pass(answer->status) : may_pass(failure);
    if (!answer) return std::move(answer).error();
    // A token that became too old on the way.
    if (answer->status == 401) hopeful = TRY(authorize_anew(request, *answer, {scope()}));
    if (offset && answer->status == 202) {
        if (std::string next = answer->header("location"); !next.empty()) location = resolved_url(answer->url, next);
        answer = ask({.method = "PUT", .url = closing()}, "", largest_answer);
        if (!answer) return std::move(answer).error();
    }
    return answer->status == 201 || answer->status == 204 ? Result<>() : answer_error(*answer, "sending it");
}

Result<> RegistryClient::put_blob(const Descriptor& descriptor, const OpenBlob& open) {
    std::string what = cat("blob ", descriptor.digest.text(), " to ", name()), location;
    {
        std::lock_guard lock(mutex_);
        auto begun = uploads_.extract(descriptor.digest);
        if (begun) location = begun.mapped();
    }
    if (location.empty()) {
        auto started = start_upload();
        if (!started) return std::move(started).error().within(what);
        location = std::move(*started);
    }
    uint64_t offset = 0;
    for (unsigned tried = 0;; ++tried) {
        bool hopeful = false;
        Result<> sent = send(descriptor, open, location, offset, hopeful);
        if (sent) return {};
        if (!hopeful || !TRY(again(tried, nullptr))) return std::move(sent).error().within(what);
        auto arrived = sent_so_far(location);
        if (!arrived) return std::move(arrived).error().within(what);
        offset = *arrived < descriptor.size ? *arrived : 0;
        if (!offset && *arrived) location = TRY(start_upload());
        debug(cat(what, ": going on at byte ", offset));
    }
}

}  // namespace croft::registry
