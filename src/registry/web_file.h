// A file at an address: https://HOST/PATH or http://. What is fetched so is no image of a registry; archives and disk images
// are. Redirects are followed (http.h), a connection that is cut is gone on with, proxies are the environment's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"
#include "registry/options.h"

namespace croft::registry {

struct WebFile {
    std::unique_ptr<Source> bytes;
    std::optional<uint64_t> size;  // bytes, where the server says
};

// Of the options: certificates, --creds (shown to that host alone), patience. Errors, each with the address: invalid (no
// address, a page for people), not_found, denied, failed, timeout.
Result<WebFile> open_web_file(const std::string& url, const PlaceOptions& options);

// "debian.tar.xz" of https://host/a/debian.tar.xz?x=y; "" when the path has no last part.
std::string url_file_name(std::string_view url);

}  // namespace croft::registry
