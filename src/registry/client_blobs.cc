// Blobs from and to a registry (registry_client.h): reading goes on where a connection was cut, and so does sending.
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "registry/blobs.h"
#include "registry/registry_client.h"
#include "registry/resumed_stream.h"
#include "registry/url.h"

namespace croft::registry {

namespace {
using image::Descriptor;
using image::Digest;

constexpr size_t largest_answer = 256 << 10;
}  // namespace

Result<std::unique_ptr<Source>> RegistryClient::blob(const Descriptor& descriptor, uint64_t offset) {
    Download download{.what = cat("blob ", descriptor.digest.text(), " of ", name()), .giver = "registry", .size = descriptor.size,
                      .send = [this, path = cat("blobs/", descriptor.digest.text())](
                                  HttpRequest request) { return open_stream(std::move(request), path); },
                      .refusal = answer_error, .options = options_};
    auto stream = std::make_unique<ResumedStream>(std::move(download), offset);
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
