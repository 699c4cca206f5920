#include "registry/policy.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "registry/base64.h"
#include "registry/signatures.h"

using namespace croft;
using namespace croft::registry;

namespace {

Policy read(std::string_view text) {
    auto policy = parse_policy(text, "p.json");
    EXPECT_TRUE(policy) << policy.error().text;
    return policy ? *policy : Policy{};
}

Requirement::Kind kind_for(const Policy& policy, const std::string& reference) {
    return requirements_for(policy, *image::parse_reference(reference)).front().kind;
}

TEST(Policy, TheNarrowestScopeCounts) {
    Policy policy = read(R"({"default":[{"type":"reject"}],"transports":{
        "docker":{"":[{"type":"reject"}],"a.example":[{"type":"insecureAcceptAnything"}],"a.example/team/secret":[{"type":"reject"}],
                  "a.example/team/secret:open":[{"type":"insecureAcceptAnything"}],"*.b.example":[{"type":"insecureAcceptAnything"}]},
        "dir":{"/srv":[{"type":"insecureAcceptAnything"}],"/srv/bad":[{"type":"reject"}]}}})");
    using Kind = Requirement::Kind;
    for (auto& [reference, kind] : std::vector<std::pair<std::string, Kind>>{{"docker://a.example/x:1", Kind::accept},
                                                                             {"docker://a.example/team/secret:1", Kind::reject},
                                                                             {"docker://a.example/team/secret/below", Kind::reject},
                                                                             {"docker://a.example/team/secret:open", Kind::accept},
                                                                             {"docker://x.b.example/y", Kind::accept},
                                                                             {"docker://b.example/y", Kind::reject},
                                                                             {"docker://c.example/y", Kind::reject},
                                                                             {"dir:/srv/good", Kind::accept},
                                                                             {"dir:/srv/bad/x", Kind::reject},
                                                                             {"dir:/srvx", Kind::reject},
                                                                             {"oci:/srv/x", Kind::reject}})
        EXPECT_EQ(kind_for(policy, reference), kind) << reference;
}

TEST(Policy, WhatIsNotUnderstoodIsAnError) {
    for (const char* text : {"{}", R"({"default":[]})", R"({"default":[{"type":"x"}]})", R"({"default":[{"type":"signedBy","keyType":"GPGKeys"}]})",
                             R"({"default":[{"type":"reject"}],"unknown":1})", R"({"default":[{"type":"sigstoreSigned","fulcio":{},"keyPath":"/k"}]})",
                             R"({"default":[{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"any"}}]})", R"({"default":[{"type":"reject","more":1}]})",
                             R"({"default":[{"type":"signedBy","keyType":"X509","keyPath":"/k"}]})", R"({"default":[{"type":"signedBy","keyData":"%"}]})",
                             R"({"default":[{"type":"reject"}],"transports":{"docker":{"a":[{"type":"reject"}],"a":[{"type":"insecureAcceptAnything"}]}}})",
                             R"({"default":[{"type":"sigstoreSigned","keyPath":"/k","signedIdentity":{"type":"exactReference"}}]})"}) {
        auto policy = parse_policy(text, "/p.json");
        ASSERT_FALSE(policy) << text;
        EXPECT_TRUE(policy.error().text.starts_with("/p.json: ")) << policy.error().text;
    }
}

TEST(Policy, NamesMatchAsTheIdentitySays) {
    auto wanted = *image::parse_reference("docker://h.example/team/web:1");
    auto by_digest = *image::parse_reference(cat("docker://h.example/team/web@sha256:", std::string(64, 'a')));
    using Kind = SignedIdentity::Kind;
    SignedIdentity identity;
    EXPECT_TRUE(identity_matches(identity, wanted, "h.example/team/web:1"));
    EXPECT_FALSE(identity_matches(identity, wanted, "h.example/team/web:2"));
    EXPECT_FALSE(identity_matches(identity, wanted, "h.example/team/web"));
    EXPECT_TRUE(identity_matches(identity, by_digest, "h.example/team/web:2"));
    EXPECT_FALSE(identity_matches(identity, by_digest, "h.example/team/other:2"));
    identity.kind = Kind::match_exact;
    EXPECT_FALSE(identity_matches(identity, by_digest, "h.example/team/web:2"));
    identity.kind = Kind::match_repository;
    EXPECT_TRUE(identity_matches(identity, wanted, "h.example/team/web:2"));
    EXPECT_FALSE(identity_matches(identity, wanted, "h.example/team/website:2"));
    identity = {.kind = Kind::exact_reference, .reference = "o.example/x:3", .prefix = "", .signed_prefix = ""};
    EXPECT_TRUE(identity_matches(identity, wanted, "o.example/x:3"));
    identity = {.kind = Kind::exact_repository, .reference = "o.example:5/x", .prefix = "", .signed_prefix = ""};
    EXPECT_TRUE(identity_matches(identity, wanted, "o.example:5/x:9"));
    identity = {.kind = Kind::remap, .reference = "", .prefix = "h.example", .signed_prefix = "v.example/mirror"};
    EXPECT_TRUE(identity_matches(identity, wanted, "v.example/mirror/team/web:1"));
    EXPECT_FALSE(identity_matches(identity, wanted, "h.example/team/web:1"));
}

TEST(Signatures, APayloadIsReadStrictly) {
    std::string digest = cat("sha256:", std::string(64, 'b'));
    auto payload = [&](std::string_view type) {
        return cat(R"({"critical":{"type":")", type, R"(","image":{"docker-manifest-digest":")", digest, R"("},"identity":{"docker-reference":"h/x:1"}},"optional":null})");
    };
    EXPECT_EQ(parse_claim(payload("atomic container signature"), false)->name, "h/x:1");
    EXPECT_EQ(parse_claim(payload("cosign container image signature"), true)->digest.text(), digest);
    EXPECT_FALSE(parse_claim(payload("cosign container image signature"), false));
    for (const char* text : {"", "{}", "[]", R"({"critical":5})", R"({"critical":{"type":"atomic container signature"}})"}) EXPECT_FALSE(parse_claim(text, false)) << text;
}

// An Ed25519 key and its signature of "hello", made by openssl.
constexpr const char* ed25519_key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA+L1CNmkt5sukyibeEsnLjcz/Zgwi65egrYqju2/h1lc=\n-----END PUBLIC KEY-----\n";

TEST(Signatures, AKeySaysYesOnlyToItsOwn) {
    std::string signature = *from_base64("iINsFejHqbT0RpoWKCVxWEhhx8sZ3S7oZHxZnHNiksEhpjuk7m0poHNPx1AM7INiTeZYorFGgFPfoEvfTkWTAg==");
    EXPECT_TRUE(*verify_with_key(ed25519_key, "hello", signature));
    EXPECT_FALSE(*verify_with_key(ed25519_key, "hellO", signature));
    EXPECT_FALSE(*verify_with_key(ed25519_key, "hello", "nonsense"));
    EXPECT_FALSE(*verify_with_key(ed25519_key, "hello", ""));
    EXPECT_FALSE(verify_with_key("no key", "hello", signature));
}

}  // namespace
