// Whom a registry's certificate may be vouched for by, and what croft shows of itself: DIR/*.crt are authorities, DIR/X.cert
// with DIR/X.key is a certificate of one's own. DIR is --cert-dir, or HOST[:PORT] below ~/.config/containers/certs.d,
// /etc/containers/certs.d or /etc/docker/certs.d, the first that is there (containers-certs.d(5)).
#pragma once

#include <string>

#include "registry/http.h"
#include "registry/options.h"

namespace croft::registry {

Result<TlsOptions> find_certificates(const std::string& host, const PlaceOptions& options);

}  // namespace croft::registry
