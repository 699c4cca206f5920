#include "store/collect.h"

#include <csignal>

#include "store_fixture.h"

namespace croft::store {
namespace {

class CollectTest : public StoreTest {
  protected:
    Collected collect_now(Collect how = Collect::all) {
        auto done = collect(*store_, "this-boot", how);
        EXPECT_TRUE(done) << done.error().text;
        EXPECT_TRUE(*done);
        return done && *done ? **done : Collected();
    }
};

TEST_F(CollectTest, OnlyWhatNothingRefersTo) {
    add_image("one", 'a', 'b', 'c', 'd');
    add_image("two", '1', '2', '3', '4');
    EXPECT_EQ(collect_now().blobs, 0u);
    ASSERT_TRUE(remove_reference(*store_, "one"));
    EXPECT_EQ(collect_now(Collect::dry_run).blobs, 3u);
    EXPECT_TRUE(blob_size(*store_, digest('a')));
    Collected gone = collect_now();
    EXPECT_EQ(gone.blobs, 3u);
    EXPECT_EQ(gone.layers, 1u);
    EXPECT_FALSE(blob_size(*store_, digest('a')));
    EXPECT_TRUE(*find_layer(*store_, digest('4').text()));
    EXPECT_TRUE(read_image(*store_, digest('1')));
}

TEST_F(CollectTest, SharedThingsStay) {
    add_image("one", 'a', 'b', 'c', 'd');
    add_image("two", '1', '2', 'c', 'd');
    ASSERT_TRUE(remove_reference(*store_, "one"));
    Collected gone = collect_now();
    EXPECT_EQ(gone.blobs, 2u);
    EXPECT_EQ(gone.layers, 0u);
}

TEST_F(CollectTest, WhatAMachineStandsOnStays) {
    add_image("one", 'a', 'b', 'c', 'd');
    ASSERT_TRUE(make_machine_root(*store_, {"web", "one", digest('a'), {digest('d').text()}, 3}));
    ASSERT_TRUE(remove_reference(*store_, "one"));
    EXPECT_EQ(collect_now().blobs + collect_now().layers, 0u);
    ASSERT_TRUE(remove_machine_root(*store_, "web"));
    EXPECT_EQ(collect_now().layers, 1u);
}

TEST_F(CollectTest, WhatRunsStaysForThisBootOnly) {
    add_image("one", 'a', 'b', 'c', 'd');
    ASSERT_TRUE(make_dirs_at(store_->fd(), "uses/app/upper"));
    ASSERT_TRUE(write_use(*store_, {"app", "one", digest('a'), {digest('d').text()}, 3}, "this-boot"));
    ASSERT_TRUE(remove_reference(*store_, "one"));
    EXPECT_EQ(collect_now().layers, 0u);
    EXPECT_TRUE(exists("store/uses/app/upper"));
    auto later = collect(*store_, "next-boot", Collect::all);
    ASSERT_TRUE(later && *later);
    EXPECT_EQ((*later)->layers, 1u);
    EXPECT_EQ((*later)->uses, 1u);
}

TEST_F(CollectTest, NothingIsTakenWhileSomebodyWorks) {
    auto held = store_->hold();
    ASSERT_TRUE(held);
    auto done = collect(*store_, "this-boot", Collect::all);
    ASSERT_TRUE(done);
    EXPECT_FALSE(*done);
}

TEST_F(CollectTest, AFileThatCannotBeReadEndsIt) {
    add_image("one", 'a', 'b', 'c', 'd');
    ASSERT_TRUE(store_->write_file("refs/broken", "nonsense"));
    EXPECT_FALSE(collect(*store_, "this-boot", Collect::all));
    EXPECT_TRUE(blob_size(*store_, digest('a')));
}

// What a process that is killed anywhere leaves is a whole store: all that names and machines refer to is there, and
// collection takes the rest.
class KilledTest : public CollectTest {
  protected:
    void whole() {
        auto all = references(*store_);
        ASSERT_TRUE(all) << all.error().text;
        for (const Named& named : *all) {
            auto image = read_image(*store_, named);
            ASSERT_TRUE(image) << image.error().text;
            EXPECT_TRUE(missing_layers(*store_, *image)->empty());
            EXPECT_TRUE(missing_blobs(*store_, *image)->empty());
        }
        auto roots = machine_roots(*store_);
        ASSERT_TRUE(roots) << roots.error().text;
        for (const MachineRoot& root : *roots) {
            EXPECT_TRUE(exists(cat("store/machines/", root.name, "/upper")));
            for (const std::string& id : root.layers) EXPECT_TRUE(exists("store/" + *layer_tree(id))) << id;
        }
    }
    // How often it was killed until it came through.
    int walk(const std::function<void()>& work) {
        for (int at = 1; at < 200; ++at) {
            int status = in_child([&] {
                setenv("CROFT_STORE_KILL_AT", cat(at).c_str(), 1);
                work();
            });
            whole();
            if (status == 0) return at;
            EXPECT_EQ(status, 128 + SIGKILL);
        }
        ADD_FAILURE() << "never came through";
        return 0;
    }
};

TEST_F(KilledTest, WhileAnImageIsAdded) {
    int steps = walk([&] { add_image("one", 'a', 'b', 'c', 'd'); });
    EXPECT_GT(steps, 5);
    collect_now();
    EXPECT_TRUE(store_->names_in("partial")->empty());
}

TEST_F(KilledTest, WhileAMachineIsMadeSealedAndRemoved) {
    add_image("one", 'a', 'b', 'c', 'd');
    walk([&] { (void)make_machine_root(*store_, {"web", "one", digest('a'), {digest('d').text()}, 3}); });
    write("machines/web/upper/mine");
    walk([&] {
        SyncGroup group;
        (void)seal(*store_, "web", group);
    });
    collect_now();
    MachineRoot root = **find_machine_root(*store_, "web");
    ASSERT_EQ(root.layers.size(), 2u);
    EXPECT_TRUE(exists("store/" + *layer_tree(root.layers[1]) + "/mine")) << "what the machine wrote is there";
    walk([&] { (void)remove_machine_root(*store_, "web"); });
    EXPECT_FALSE(*find_machine_root(*store_, "web"));
}

TEST_F(KilledTest, WhileCollecting) {
    add_image("one", 'a', 'b', 'c', 'd');
    add_image("two", '1', '2', '3', '4');
    ASSERT_TRUE(remove_reference(*store_, "one"));
    walk([&] {
        (void)collect(*store_, "this-boot", Collect::all);
        (void)store_->empty_trash();
    });
    EXPECT_EQ(collect_now().blobs, 0u);
    EXPECT_TRUE(store_->names_in("trash")->empty());
}

}  // namespace
}  // namespace croft::store
