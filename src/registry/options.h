// How places are reached: what skopeo's and podman's options of the same names mean. Filled by the verbs in images/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "image/platform.h"

namespace croft::registry {

struct Credentials {
    std::string user, password;
    std::string identity_token;  // OAuth2's refresh token: then there is no password
    bool empty() const { return user.empty() && password.empty() && identity_token.empty(); }
};

struct PlaceOptions {
    std::string authfile;                    // --authfile; "": the usual places (auth_file.h)
    std::optional<Credentials> credentials;  // --creds
    bool anonymous = false;                  // --no-creds
    std::string registry_token;              // --registry-token
    std::string cert_dir;                    // --cert-dir; "": certs.d (certificates.h)
    std::optional<bool> tls_verify;          // --tls-verify; nothing: as registries.conf has it
    unsigned retry_times = 3;                // --retry-times
    std::optional<uint64_t> retry_delay;     // --retry-delay, µs; nothing: doubling from one second
    uint64_t timeout = 60'000'000;           // --timeout, µs: nothing came for that long
    std::string registries_conf;             // --registries-conf; "": the usual places
    bool check_policy = true;                // looking at an image lets nothing in
    std::string registries_d;                // --registries.d; "": the usual places (lookaside.h)
    std::string policy;                      // --policy; "": the usual places
    image::Platform platform = image::host_platform();  // of an index, where one image is meant
    bool whole_index = false;                // all of them are meant: policy then asks for a signature of the index
    std::string temporary;                   // where large files are put for a while; "": $TMPDIR, /var/tmp
    std::vector<std::string> additional_tags;  // --additional-tag, for docker-archive:
    // Asked now and then; true ends the work with Errc::failed "interrupted".
    bool (*interrupted)() = nullptr;
};

}  // namespace croft::registry
