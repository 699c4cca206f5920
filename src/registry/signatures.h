// Signatures of images: where they are, and whether a key has made them. Two kinds: "simple signing" by GPG
// (containers-signature(5)), and sigstore's with a key, whose payload has the same form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "image/digest.h"
#include "registry/place.h"
#include "registry/policy.h"

namespace croft::registry {

struct Signature {
    std::string payload;    // what was signed; of GPG the whole signed message
    std::string signature;  // of sigstore; of GPG it is in the message
};

// What a payload says: the manifest's digest and the name it is good for.
struct Claim {
    image::Digest digest;
    std::string name;
};
Result<Claim> parse_claim(std::string_view payload, bool sigstore);

// Of a registry: the attached ones (tag sha256-HEX.sig). Of dir: the files signature-N. Others have none.
Result<std::vector<Signature>> sigstore_signatures(ImageSource& source, const image::Digest& digest);
Result<std::vector<Signature>> gpg_signatures(ImageSource& source, const image::Digest& digest, const PlaceOptions& options);

// `key` is PEM of an ECDSA, Ed25519 or RSA public key. An error only for a key that is none.
Result<bool> verify_with_key(std::string_view key, std::string_view payload, std::string_view signature);
// Runs gpgv with exactly these keys (armoured or not); the payload of a good signature, or why it is none.
Result<std::string> verify_with_gpg(const std::vector<std::string>& keys, const std::string& message);

}  // namespace croft::registry
