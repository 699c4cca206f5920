#include "manager/guest_ids.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace croft::manager {
namespace {

TEST(GuestIds, BothWays) {
    std::vector<GuestIds::Map> maps = {{0, 524288, 65536}, {100000, 7, 1}};
    EXPECT_EQ(GuestIds::to_outside(maps, 0), 524288u);
    EXPECT_EQ(GuestIds::to_outside(maps, 65535), 589823u);
    EXPECT_EQ(GuestIds::to_outside(maps, 65536), std::nullopt);
    EXPECT_EQ(GuestIds::to_outside(maps, 100000), 7u);
    EXPECT_EQ(GuestIds::to_inside(maps, 524288), 0u);
    EXPECT_EQ(GuestIds::to_inside(maps, 524287), std::nullopt);
    EXPECT_EQ(GuestIds::to_inside(maps, 0), std::nullopt) << "the host's root is nobody inside";
    EXPECT_EQ(GuestIds::to_inside(maps, UINT32_MAX), std::nullopt);
}

TEST(GuestIds, OwnMap) {
    auto ids = read_guest_ids(getpid());
    ASSERT_TRUE(ids) << ids.error().text;
    ASSERT_FALSE(ids->uids.empty());
    EXPECT_FALSE(ids->gids.empty());
    EXPECT_FALSE(read_guest_ids(1 << 22));
}

}  // namespace
}  // namespace croft::manager
