// Blobs, layers, names and machines' roots.
#include "store_fixture.h"

namespace croft::store {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}

TEST_F(StoreTest, ABlobIsThereWholeOrNotAtAll) {
    {
        auto writer = BlobWriter::begin(*store_, digest('1'));
        ASSERT_TRUE(writer && *writer);
        ASSERT_TRUE((*writer)->write(bytes("hal")));
    }
    EXPECT_FALSE(blob_size(*store_, digest('1')));
    auto missing = open_blob(*store_, digest('1'));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::not_found);
    auto writer = BlobWriter::begin(*store_, digest('1'));
    ASSERT_TRUE(writer && *writer);
    EXPECT_EQ((*writer)->written(), 3u) << "the next one goes on where the first one ended";
    ASSERT_TRUE((*writer)->write(bytes("f")));
    ASSERT_TRUE((*writer)->commit(digest('1')));
    EXPECT_EQ(*read_blob(*store_, digest('1'), 100), "half");
    auto again = BlobWriter::begin(*store_, digest('1'));
    ASSERT_TRUE(again);
    EXPECT_FALSE(*again) << "it is there";
    EXPECT_TRUE(store_->names_in("partial")->empty());
}

TEST_F(StoreTest, ASecondWriterWaitsAndShares) {
    auto writer = BlobWriter::begin(*store_, digest('2'));
    ASSERT_TRUE(writer && *writer);
    ASSERT_TRUE((*writer)->write(bytes("all")));
    pid_t second = fork();
    if (second == 0) {
        auto own = Store::open(top_ + "/store");
        // Inherited, it would be the same lock.
        writer->reset();
        auto mine = BlobWriter::begin(*own, digest('2'));
        _exit(mine && !*mine ? 42 : 1);
    }
    ASSERT_TRUE((*writer)->commit(digest('2')));
    writer->reset();
    int status = 0;
    waitpid(second, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

TEST_F(StoreTest, ALayerAppearsWhole) {
    std::string id = digest('3').text();
    {
        auto writer = LayerWriter::begin(*store_, id);
        ASSERT_TRUE(writer && *writer);
        EXPECT_FALSE(*find_layer(*store_, id));
    }
    EXPECT_TRUE(store_->names_in("partial")->empty()) << "without commit nothing stays";
    add_layer(id, "file");
    auto layer = find_layer(*store_, id);
    ASSERT_TRUE(layer && *layer);
    EXPECT_EQ((*layer)->bytes, 5u);
    EXPECT_EQ((*layer)->archive_size, 10u);
    auto again = LayerWriter::begin(*store_, id);
    ASSERT_TRUE(again);
    EXPECT_FALSE(*again);
    EXPECT_EQ(*layers(*store_), std::vector<std::string>{id});
}

TEST_F(StoreTest, NamesAreFoundByWhatCanOnlyBeMeant) {
    auto put = [&](const char* name, char d) {
        ASSERT_TRUE(put_reference(*store_, {.name = name, .manifest = digest(d), .top = {}, .source = "s", .made = 1}));
    };
    put("web:latest", 'a'), put("host/library/debian:trixie", 'b'), put("other/debian:trixie", 'c'), put("same/x", 'd');
    put("again/x", 'd');
    EXPECT_EQ((*find_reference(*store_, "web"))->manifest, digest('a'));
    EXPECT_EQ((*find_reference(*store_, "aaaa"))->name, "web:latest");
    EXPECT_EQ((*find_reference(*store_, digest('b').text()))->manifest, digest('b'));
    EXPECT_EQ((*find_reference(*store_, "library/debian:trixie"))->manifest, digest('b'));
    auto two = find_reference(*store_, "debian:trixie");
    ASSERT_FALSE(two);
    EXPECT_EQ(two.error().text, "image 'debian:trixie' may be 'host/library/debian:trixie' or 'other/debian:trixie': give the "
                                "whole name");
    EXPECT_TRUE(*find_reference(*store_, "x")) << "two names of one image are no question";
    EXPECT_FALSE(*find_reference(*store_, "aaa"));
    auto none = get_reference(*store_, "wep:latest");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().text, "there is no image 'wep:latest' in the store; did you mean 'web:latest'?");
    ASSERT_TRUE(remove_reference(*store_, "web:latest"));
    EXPECT_EQ(remove_reference(*store_, "web:latest").error().code, Errc::not_found);
}

TEST_F(StoreTest, ADamagedNameIsToldWithItsFile) {
    ASSERT_TRUE(store_->write_file("refs/web", "{\"manifest\": 5}"));
    auto all = references(*store_);
    ASSERT_FALSE(all);
    EXPECT_NE(all.error().text.find("refs/web is damaged"), std::string::npos) << all.error().text;
}

TEST_F(StoreTest, AMachineGetsAnEmptyUpperAndKeepsIt) {
    add_layer(digest('4').text(), "base");
    MachineRoot root{"web", "image", digest('a'), {digest('4').text()}, 3};
    ASSERT_TRUE(make_machine_root(*store_, root));
    auto twice = make_machine_root(*store_, root);
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, Errc::exists);
    EXPECT_TRUE(exists("store/machines/web/upper"));
    auto found = find_machine_root(*store_, "web");
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->layers, root.layers);
    EXPECT_EQ((*found)->manifest, digest('a'));
    root.name = "other", root.layers.push_back(digest('f').text());
    EXPECT_EQ(make_machine_root(*store_, root).error().code, Errc::not_found) << "a layer that is not there";
    for (const char* wrong : {"../web", "", "a/b"}) EXPECT_FALSE(*find_machine_root(*store_, wrong));
}

TEST_F(StoreTest, SealingMakesALayerOfTheUpper) {
    add_layer(digest('4').text(), "base");
    ASSERT_TRUE(make_machine_root(*store_, {"web", "image", {}, {digest('4').text()}, 3}));
    SyncGroup group;
    auto empty = seal(*store_, "web", group);
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->layers.size(), 1u) << "an empty upper is none";
    ASSERT_EQ(chmod((top_ + "/store/machines/web/upper").c_str(), 0711), 0);
    write("machines/web/upper/mine");
    auto sealed = seal(*store_, "web", group);
    ASSERT_TRUE(sealed) << sealed.error().text;
    ASSERT_EQ(sealed->layers.size(), 2u);
    EXPECT_FALSE(exists("store/machines/web/upper/mine"));
    EXPECT_TRUE(exists("store/machines/web/work"));
    EXPECT_EQ((*find_machine_root(*store_, "web"))->layers, sealed->layers);
    auto layer = find_layer(*store_, sealed->layers[1]);
    ASSERT_TRUE(layer && *layer);
    std::string tree = *layer_tree(sealed->layers[1]);
    EXPECT_TRUE(exists("store/" + tree + "/mine"));
    struct stat st = {};
    ASSERT_EQ(stat((top_ + "/store/machines/web/upper").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0711u) << "the machine's / looks as before";
}

}  // namespace
}  // namespace croft::store
