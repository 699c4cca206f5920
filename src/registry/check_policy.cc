// Holds an image against the policy (policy.h): each requirement of its name has to be met by one signature at least.
#include <fcntl.h>
#include <limits.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "registry/blobs.h"
#include "registry/policy.h"
#include "registry/signatures.h"

namespace croft::registry {

namespace {
using image::Digest;

class Checker {
  public:
    Checker(ImageSource& source, const PlaceOptions& options, const Policy& policy)
        : source_(source), options_(options), policy_(policy) {}

    Result<> run() {
        // A policy names files by whole paths without links, however the command line does.
        image::Reference named = source_.reference();
        char whole[PATH_MAX];
        if (!named.path.empty() && realpath(named.path.c_str(), whole)) named.path = whole;
        for (const Requirement& one : requirements_for(policy_, named)) TRY(meet(one));
        return {};
    }

  private:
    Error refused(std::string_view why) {
        return error(Errc::denied, cat(quoted(source_.reference().text()), " may not come in: ", why, " (", policy_.path, ")"));
    }

    Result<> meet(const Requirement& requirement) {
        if (requirement.kind == Requirement::Kind::accept) return {};
        if (requirement.kind == Requirement::Kind::reject) return refused("the policy rejects it");
        std::vector<std::string> keys = TRY(keys_of(requirement));
        // An index is good for all that it lists, since it lists digests; an image also when only it was
        // signed, and only it is wanted.
        ManifestBytes top = TRY(source_.manifest());
        std::string why;
        if (TRY(meet_for(requirement, keys, top.digest, why))) return {};
        if (!options_.whole_index) {
            auto chosen = choose_image(source_, options_.platform);
            if (chosen && chosen->bytes.digest != top.digest &&
                TRY(meet_for(requirement, keys, chosen->bytes.digest, why)))
                return {};
        }
        return refused(why.empty() ? "a signature is required, and there is none" : why);
    }

    Result<std::vector<std::string>> keys_of(const Requirement& requirement) {
        std::vector<std::string> out = requirement.keys;
        for (const std::string& path : requirement.key_paths)
            out.push_back(TRY(
                read_file_at(AT_FDCWD, path.c_str()).within(cat(policy_.path, ": the key ", quoted(path)))));
        return out;
    }

    Result<bool> meet_for(const Requirement& requirement, const std::vector<std::string>& keys,
                          const Digest& digest, std::string& why) {
        bool sigstore = requirement.kind == Requirement::Kind::sigstore;
        std::vector<Signature> signatures =
            TRY(sigstore ? sigstore_signatures(source_, digest) : gpg_signatures(source_, digest, options_));
        for (const Signature& one : signatures) {
            auto good = sigstore ? by_key(keys, one) : verify_with_gpg(keys, one.payload);
            // What is wrong with a key or with gpgv is no matter of this signature.
            if (!good && good.error().code != Errc::denied) return std::move(good).error().within(policy_.path);
            Result<> fits = good ? fits_image(*good, sigstore, requirement, digest) : Result<>(std::move(good).error());
            if (fits) return true;
            why = cat("of ", signatures.size(), signatures.size() == 1 ? " signature" : " signatures",
                      " none is good enough; of the last one: ", fits.error().text);
        }
        return false;
    }

    Result<std::string> by_key(const std::vector<std::string>& keys, const Signature& signature) {
        for (const std::string& key : keys)
            if (TRY(verify_with_key(key, signature.payload, signature.signature))) return signature.payload;
        return error(Errc::denied, "it was made by another key, or for something else");
    }

    Result<> fits_image(const std::string& payload, bool sigstore, const Requirement& requirement, const Digest& digest) {
        Claim claim = TRY(parse_claim(payload, sigstore));
        if (claim.digest != digest) return error(Errc::denied, cat("it is for the image ", claim.digest.text()));
        // Only names of registries are signed; of a directory it is the content that counts.
        bool named = source_.reference().transport == image::Transport::registry;
        bool told = requirement.identity.kind == SignedIdentity::Kind::exact_reference ||
                    requirement.identity.kind == SignedIdentity::Kind::exact_repository;
        if ((named || told) && !identity_matches(requirement.identity, source_.reference(), claim.name))
            return error(Errc::denied, cat("it is for the name ", quoted(claim.name)));
        if (!named && !told)
            return error(Errc::denied,
                         cat("it is for the name ", quoted(claim.name),
                             ", and for a file the policy has to say which name is meant (exactReference)"));
        return {};
    }

    ImageSource& source_;
    const PlaceOptions& options_;
    const Policy& policy_;
};
}  // namespace

Result<> check_policy(ImageSource& source, const PlaceOptions& options) {
    if (!options.check_policy) return {};
    auto policy = TRY(load_policy(options));
    return policy ? Checker(source, options, *policy).run() : Result<>();
}

}  // namespace croft::registry
