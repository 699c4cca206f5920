#include "archive/hash.h"

#include <gtest/gtest.h>

#include <string_view>

namespace croft::archive {
namespace {

std::string hash(HashAlgorithm algorithm, std::initializer_list<std::string_view> parts) {
    Hasher hasher(algorithm);
    for (std::string_view part : parts) hasher.update(std::as_bytes(std::span(part)));
    return hasher.digest();
}

// The examples of FIPS 180-4 ("abc", and nothing).
TEST(Hash, KnownAnswers) {
    EXPECT_EQ(hash(HashAlgorithm::sha256, {"abc"}),
              "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hash(HashAlgorithm::sha256, {}),
              "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hash(HashAlgorithm::sha512, {"abc"}),
              "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Hash, PartsAreOneStream) {
    EXPECT_EQ(hash(HashAlgorithm::sha256, {"a", "", "bc"}), hash(HashAlgorithm::sha256, {"abc"}));
}

TEST(Hash, LengthOfItsText) {
    for (HashAlgorithm algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha512})
        EXPECT_EQ(hash(algorithm, {"x"}).size(), name_of(algorithm).size() + 1 + hex_length(algorithm));
}

}  // namespace
}  // namespace croft::archive
