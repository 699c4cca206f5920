// Copying between layouts in directories: what is moved, what is spared, and what a failure leaves.
#include "registry/copy.h"

#include <gtest/gtest.h>

#include <atomic>

#include "archive/streams.h"
#include "base/fd.h"
#include "base/text.h"
#include "image/media_types.h"
#include "registry/blobs.h"

using namespace croft;
using namespace croft::registry;

namespace {

// A place in memory, both source and target; it counts, and can be told to fail.
class Memory : public ImageSource, public ImageTarget {
  public:
    image::Reference name{.transport = image::Transport::oci, .path = "memory"};
    std::map<image::Digest, std::string> blobs;
    std::map<image::Digest, ManifestBytes> manifests;
    std::optional<ManifestBytes> top;
    std::atomic<unsigned> puts = 0, fails_at = 0;
    bool committed = false;
    std::mutex mutex;
    std::vector<std::string> order;

    const image::Reference& reference() const override { return name; }
    Result<ManifestBytes> manifest(const std::optional<image::Digest>& digest) override {
        if (!digest) return *top;
        auto found = manifests.find(*digest);
        if (found == manifests.end()) return error(Errc::not_found, cat("no manifest ", digest->text()));
        return found->second;
    }
    Result<std::unique_ptr<Source>> blob(const image::Descriptor& descriptor, uint64_t offset) override {
        std::lock_guard lock(mutex);
        return archive::read_text(blobs.at(descriptor.digest).substr(offset));
    }
    Result<bool> has_blob(const image::Descriptor& descriptor) override {
        std::lock_guard lock(mutex);
        return blobs.contains(descriptor.digest);
    }
    Result<> put_blob(const image::Descriptor& descriptor, const OpenBlob& open) override {
        if (++puts == fails_at) return error(Errc::no_space, "full");
        auto source = checked(TRY(open(0)), descriptor);
        std::string bytes = TRY(archive::read_all(*source, 1 << 20));
        std::lock_guard lock(mutex);
        blobs.emplace(descriptor.digest, std::move(bytes));
        return {};
    }
    Result<> put_manifest(const ManifestBytes& bytes, Role role) override {
        order.push_back(bytes.digest.text());
        manifests.emplace(bytes.digest, bytes);
        if (role == Role::top) top = bytes;
        return {};
    }
    Result<> commit(const std::vector<std::string>&) override {
        committed = true;
        return {};
    }

    image::Descriptor add(std::string_view media_type, std::string bytes) {
        image::Digest digest = digest_of(bytes);
        image::Descriptor out{.media_type = std::string(media_type), .digest = digest, .size = bytes.size()};
        blobs.emplace(digest, std::move(bytes));
        return out;
    }
    image::Descriptor add_manifest(std::string bytes, std::string_view media_type) {
        image::Digest digest = digest_of(bytes);
        image::Descriptor out{.media_type = std::string(media_type), .digest = digest, .size = bytes.size()};
        top = ManifestBytes{std::move(bytes), std::string(media_type), digest};
        manifests.emplace(digest, *top);
        return out;
    }
    // An image with `layers` layers, named by `seed`.
    image::Descriptor add_image(std::string_view seed, unsigned layers) {
        image::Manifest manifest{.media_type = std::string(image::oci_manifest), .config = add(image::oci_config, cat("{\"rootfs\":{},\"author\":\"", seed, "\"}"))};
        for (unsigned i = 0; i < layers; ++i) manifest.layers.push_back(add(image::oci_layer, cat("layer ", seed, i)));
        return add_manifest(image::manifest_json(manifest), manifest.media_type);
    }
};

TEST(Copy, WhatIsThereIsSpared) {
    Memory from, to;
    from.add_image("a", 20);
    auto copied = copy_image(from, to, {});
    ASSERT_TRUE(copied) << copied.error().text;
    EXPECT_TRUE(to.committed);
    EXPECT_EQ(to.top->bytes, from.top->bytes);
    EXPECT_EQ(to.blobs, from.blobs);
    EXPECT_EQ(copied->spared_bytes, 0u);
    auto again = copy_image(from, to, {});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->moved_bytes, 0u);
    EXPECT_EQ(again->spared_bytes, copied->moved_bytes);
}

TEST(Copy, AFailureAnywhereNamesNothing) {
    for (unsigned parallel : {1u, 6u})
        for (unsigned at = 1; at <= 6; ++at) {
            Memory from, to;
            from.add_image("a", 5);
            to.fails_at = at;
            CopyOptions options;
            options.parallel = parallel;
            auto copied = copy_image(from, to, options);
            ASSERT_FALSE(copied);
            EXPECT_EQ(copied.error().code, Errc::no_space) << copied.error().text;
            EXPECT_FALSE(to.committed);
            EXPECT_TRUE(to.manifests.empty());
        }
}

TEST(Copy, AnIndexComesAfterWhatItLists) {
    Memory from, to;
    image::Index index{.media_type = std::string(image::oci_index)};
    for (const char* name : {"amd64", "arm64"}) {
        index.manifests.push_back(from.add_image(name, 2));
        index.manifests.back().platform = image::Platform{.os = "linux", .architecture = name};
    }
    image::Descriptor top = from.add_manifest(image::index_json(index), image::oci_index);
    CopyOptions options;
    options.which = Which::all;
    auto copied = copy_image(from, to, options);
    ASSERT_TRUE(copied) << copied.error().text;
    EXPECT_EQ(to.order, (std::vector<std::string>{index.manifests[0].digest.text(), index.manifests[1].digest.text(), top.digest.text()}));
    Memory one;
    options.which = Which::system;
    options.platform = *image::parse_platform("arm64");
    ASSERT_TRUE(copy_image(from, one, options));
    EXPECT_EQ(one.order, std::vector<std::string>{index.manifests[1].digest.text()});
    EXPECT_EQ(one.blobs.size(), 3u);
    Memory only;
    options.which = Which::index_only;
    ASSERT_TRUE(copy_image(from, only, options));
    EXPECT_TRUE(only.blobs.empty());
    EXPECT_EQ(only.order, std::vector<std::string>{top.digest.text()});
}

TEST(Copy, AnotherFormatAndBackIsTheSameContent) {
    Memory from, docker, back;
    from.add_image("a", 2);
    CopyOptions options;
    options.format = Format::docker;
    ASSERT_TRUE(copy_image(from, docker, options));
    EXPECT_EQ(docker.top->media_type, image::docker_manifest);
    EXPECT_NE(docker.top->digest, from.top->digest);
    options.format = Format::oci;
    ASSERT_TRUE(copy_image(docker, back, options));
    EXPECT_EQ(back.top->bytes, from.top->bytes);
    options.format = Format::docker, options.preserve_digests = true;
    auto refused = copy_image(from, docker, options);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("--preserve-digests"), std::string::npos);
}

TEST(Copy, InterruptsEndIt) {
    Memory from, to;
    from.add_image("a", 3);
    CopyOptions options;
    options.interrupted = [] { return true; };
    ASSERT_FALSE(copy_image(from, to, options));
    EXPECT_FALSE(to.committed);
}

TEST(Checked, BytesAreHeldAgainstTheirDigest) {
    Memory place;
    image::Descriptor descriptor = place.add(image::oci_layer, "hello");
    auto read = [&](std::string text) {
        auto source = checked(archive::read_text(std::move(text)), descriptor);
        auto bytes = archive::read_all(*source, 1000);
        return bytes ? *bytes : "error: " + bytes.error().text;
    };
    EXPECT_EQ(read("hello"), "hello");
    EXPECT_NE(read("hellO").find("other bytes"), std::string::npos);
    EXPECT_NE(read("hell").find("4 bytes where 5"), std::string::npos);
    EXPECT_NE(read("hello!").find("more than the 5"), std::string::npos);
    EXPECT_FALSE(read_blob(place, descriptor, 4));
    descriptor.data = "aGVsbG8=";
    place.blobs.clear();
    EXPECT_EQ(*read_blob(place, descriptor, 5), "hello");
}

}  // namespace
