#include "store/store.h"

#include "store/names.h"
#include "store_fixture.h"

namespace croft::store {
namespace {

TEST_F(StoreTest, AnotherVersionIsRefusedWithWhatToDo) {
    ASSERT_TRUE(replace_file_at(store_->fd(), "version", "2\n"));
    auto again = Store::open(top_ + "/store");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::unsupported);
    EXPECT_EQ(again.error().text, "the store " + top_ + "/store has format '2', and this croft knows '1': use the croft that made "
                                  "it, or move the directory away");
    auto found = Store::find(top_ + "/store");
    EXPECT_FALSE(found);
}

TEST_F(StoreTest, WhereNoneIsNothingIsMade) {
    auto none = Store::find(top_ + "/other");
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
    EXPECT_FALSE(exists("other"));
}

TEST_F(StoreTest, OneThatOthersMayWriteIsRefused) {
    ASSERT_EQ(chmod((top_ + "/store").c_str(), 0777), 0);
    auto again = Store::open(top_ + "/store");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::denied);
}

TEST_F(StoreTest, TrashIsEmptied) {
    ASSERT_TRUE(make_dirs_at(store_->fd(), "layers/x/tree/deep"));
    ASSERT_TRUE(store_->discard("layers/x"));
    ASSERT_TRUE(store_->discard("layers/x")) << "what is not there counts as removed";
    EXPECT_FALSE(exists("store/layers/x"));
    EXPECT_EQ(store_->names_in("trash")->size(), 1u);
    ASSERT_TRUE(store_->empty_trash());
    EXPECT_TRUE(store_->names_in("trash")->empty());
}

TEST_F(StoreTest, CollectionAndUseExcludeEachOther) {
    auto held = store_->hold();
    ASSERT_TRUE(held);
    auto alone = store_->try_hold_alone();
    ASSERT_TRUE(alone);
    EXPECT_FALSE(*alone);
    held->reset();
    alone = store_->try_hold_alone();
    ASSERT_TRUE(alone && *alone);
}

TEST(StoreNames, ImagesAsFiles) {
    for (const char* name : {"web", "localhost:5000/team/web:1", "oci:/srv/a b:1", ".hidden", "%41", "\xff"}) {
        auto file = reference_file(name);
        ASSERT_TRUE(file) << name;
        EXPECT_EQ(file->find('/'), std::string::npos);
        EXPECT_NE((*file)[0], '.');
        EXPECT_EQ(reference_of_file(*file), name);
    }
    EXPECT_FALSE(reference_file(""));
    EXPECT_FALSE(reference_file(std::string(300, 'a')));
}

TEST(StoreNames, LayersAsDirectories) {
    std::string hex(64, 'a');
    EXPECT_EQ(*layer_tree("sha256:" + hex), "layers/sha256-" + hex + "/tree");
    EXPECT_EQ(*layer_tree("sealed:0123456789abcdef"), "layers/sealed-0123456789abcdef/upper");
    EXPECT_EQ(layer_id("sha256-" + hex), "sha256:" + hex);
    EXPECT_EQ(layer_id("sealed-0123456789abcdef"), "sealed:0123456789abcdef");
    for (const char* wrong : {"sha256:12", "sealed:../../../../etc0", "sealed:", "../x", ""}) {
        EXPECT_FALSE(layer_tree(wrong)) << wrong;
        EXPECT_EQ(layer_id(wrong), "") << wrong;
    }
}

}  // namespace
}  // namespace croft::store
