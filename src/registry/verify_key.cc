// Signatures by a key, with libcrypto (signatures.h).
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "base/text.h"
#include "registry/signatures.h"

namespace croft::registry {

namespace {
struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

Result<std::unique_ptr<EVP_PKEY, Free>> read_key(std::string_view pem) {
    std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    std::unique_ptr<EVP_PKEY, Free> key(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    ERR_clear_error();
    if (!key) return error(Errc::invalid, "it is no public key in PEM (BEGIN PUBLIC KEY)");
    return key;
}
}  // namespace

Result<bool> verify_with_key(std::string_view pem, std::string_view payload, std::string_view signature) {
    auto key = TRY(read_key(pem));
    int kind = EVP_PKEY_get_base_id(key.get());
    if (kind != EVP_PKEY_EC && kind != EVP_PKEY_ED25519 && kind != EVP_PKEY_RSA)
        return error(Errc::unsupported, "it is a key of a kind that signs no images (ECDSA, Ed25519 and RSA do)");
    // Ed25519 hashes for itself.
    const EVP_MD* hash = kind == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
    std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    bool ready = context && EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key.get()) == 1;
    auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
    bool good = ready && EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(payload), payload.size()) == 1;
    ERR_clear_error();
    return good;
}

}  // namespace croft::registry
