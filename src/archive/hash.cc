#include "archive/hash.h"

#include <openssl/evp.h>

#include <cstdlib>

#include "base/text.h"

namespace croft::archive {

struct Hasher::State {
    HashAlgorithm algorithm;
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~State() { EVP_MD_CTX_free(context); }
};

namespace {
// libcrypto fails here only without memory or without its default provider: nothing of an image can be
// believed then.
void must(bool worked) {
    if (!worked) std::abort();
}
}  // namespace

std::string_view name_of(HashAlgorithm algorithm) {
    return algorithm == HashAlgorithm::sha256 ? "sha256" : "sha512";
}

size_t hex_length(HashAlgorithm algorithm) {
    return algorithm == HashAlgorithm::sha256 ? 64 : 128;
}

Hasher::Hasher(HashAlgorithm algorithm) : state(std::make_unique<State>(algorithm)) {
    const EVP_MD* kind = algorithm == HashAlgorithm::sha256 ? EVP_sha256() : EVP_sha512();
    must(state->context && EVP_DigestInit_ex(state->context, kind, nullptr) == 1);
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
    must(EVP_DigestUpdate(state->context, bytes.data(), bytes.size()) == 1);
}

std::string Hasher::digest() {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    must(EVP_DigestFinal_ex(state->context, hash, &length) == 1);
    return cat(name_of(state->algorithm), ":", hex({reinterpret_cast<const char*>(hash), length}));
}

}  // namespace croft::archive
