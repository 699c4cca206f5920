#include "image/manifest.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "image/media_types.h"

using namespace croft;
using namespace croft::image;

namespace {
std::string digest_text(char digit) {
    return cat("sha256:", std::string(64, digit));
}

std::string descriptor(std::string_view media_type, char digit, std::string_view more = "") {
    return cat("{\"mediaType\":\"", media_type, "\",\"digest\":\"", digest_text(digit), "\",\"size\":7", more, "}");
}

std::string manifest(std::string_view media_type, std::string_view more = "") {
    return cat("{\"schemaVersion\":2,\"mediaType\":\"", media_type, "\",\"config\":", descriptor(oci_config, '1'), ",\"layers\":[",
               descriptor("application/vnd.oci.image.layer.v1.tar+gzip", '2'), "]", more, "}");
}

TEST(Manifest, IsWrittenAsItWasRead) {
    std::string text = manifest(oci_manifest, cat(",\"subject\":", descriptor(oci_manifest, '3'), ",\"annotations\":{\"a\":\"b\"}"));
    auto read = parse_manifest(text, oci_manifest);
    ASSERT_TRUE(read) << read.error().text;
    const auto& value = std::get<Manifest>(*read);
    EXPECT_EQ(value.layers.at(0).digest.text(), digest_text('2'));
    EXPECT_EQ(value.layers.at(0).size, 7u);
    EXPECT_EQ(manifest_json(value), text);
}

TEST(Manifest, AnIndexIsWrittenAsItWasRead) {
    std::string text =
        cat("{\"schemaVersion\":2,\"mediaType\":\"", oci_index, "\",\"manifests\":[",
            descriptor(oci_manifest, '1', ",\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v6\"}"), ",",
            descriptor(oci_manifest, '2', ",\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}"), "]}");
    auto read = parse_manifest(text);
    ASSERT_TRUE(read) << read.error().text;
    const auto& index = std::get<Index>(*read);
    EXPECT_EQ(index_json(index), text);
    EXPECT_EQ(choose(index, *parse_platform("linux/arm/v7"))->digest.text(), digest_text('1'));
    EXPECT_EQ(choose(index, *parse_platform("amd64"))->digest.text(), digest_text('2'));
    auto none = choose(index, *parse_platform("linux/riscv64"));
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().text.find("'linux/arm/v6', 'linux/amd64'"), std::string::npos);
}

TEST(Manifest, WithoutAMediaTypeItsMembersTell) {
    std::string docker = cat("{\"schemaVersion\":2,\"config\":", descriptor(docker_config, '1'), ",\"layers\":[]}");
    EXPECT_EQ(*detect_media_type(docker), docker_manifest);
    EXPECT_EQ(*detect_media_type("{\"schemaVersion\":2,\"manifests\":[]}"), oci_index);
    EXPECT_EQ(std::get<Manifest>(*parse_manifest(docker, docker_manifest)).media_type, docker_manifest);
}

TEST(Manifest, WhatIsNoneIsRefusedByName) {
    struct Wrong {
        std::string text, media_type, told;
    };
    for (const Wrong& wrong : std::vector<Wrong>{
             {"<html>", "", "is no JSON"},
             {"", "", "is no JSON"},
             {"[]", "", "not an object"},
             {"{}", "", "schemaVersion is missing"},
             {"{\"schemaVersion\":1,\"fsLayers\":[],\"signatures\":[]}", "", "schema 1"},
             {"{\"schemaVersion\":3}", "", "a version that is not known"},
             {"{\"schemaVersion\":2}", "", "a manifest has"},
             {manifest(oci_manifest), std::string(docker_manifest), "but was given as"},
             {manifest(oci_index), "", "an index has"},
             {manifest(oci_manifest, ",\"manifests\":[]"), "", "a manifest has"},
             {manifest(oci_manifest, ",\"layers\":[]"), "", "twice"},
             {manifest("text/html"), "", "is not the media type"},
             {cat("{\"schemaVersion\":2,\"config\":", descriptor(oci_config, 'g'), ",\"layers\":[]}"), "", "is no digest"},
             {"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"size\":1},\"layers\":[]}", "", "digest is missing"},
             {cat("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"digest\":\"", digest_text('a'), "\",\"size\":-1},\"layers\":[]}"), "",
              "$.config.size"},
             {cat("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a\",\"digest\":\"", digest_text('a'), "\",\"size\":1e30},\"layers\":[]}"), "",
              "$.config.size"},
             {std::string(200, '['), "", "is no JSON"},
             {std::string(largest_manifest + 1, ' '), "", "more than"}}) {
        auto read = parse_manifest(wrong.text, wrong.media_type);
        ASSERT_FALSE(read) << wrong.text.substr(0, 200);
        EXPECT_NE(read.error().text.find(wrong.told), std::string::npos) << read.error().text;
    }
}

TEST(Manifest, TooManyLayersAreRefused) {
    std::string layers;
    for (size_t i = 0; i <= most_layers; ++i) layers += cat(i ? "," : "", descriptor(oci_layer, '2'));
    auto read = parse_manifest(cat("{\"schemaVersion\":2,\"config\":", descriptor(oci_config, '1'), ",\"layers\":[", layers, "]}"));
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().text.find("more than 1024"), std::string::npos) << read.error().text;
}

TEST(MediaTypes, LayersOfBothFamilies) {
    EXPECT_EQ(layer_kind("application/vnd.oci.image.layer.v1.tar+zstd").compression, "zstd");
    EXPECT_EQ(layer_kind("application/vnd.docker.image.rootfs.diff.tar.gzip").compression, "gzip");
    EXPECT_TRUE(layer_kind("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip").foreign);
    EXPECT_TRUE(layer_kind("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip").foreign);
    EXPECT_FALSE(layer_kind("application/vnd.oci.image.layer.v1.tarx").known);
    EXPECT_FALSE(layer_kind("application/vnd.oci.image.layer.v1.tar+lz4").known);
    EXPECT_EQ(layer_media_type(Family::docker, "gzip"), "application/vnd.docker.image.rootfs.diff.tar.gzip");
    EXPECT_EQ(layer_media_type(Family::docker, "zstd"), "application/vnd.oci.image.layer.v1.tar+zstd");
}

}  // namespace
