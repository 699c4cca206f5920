// A machine that starts again from its record: its id range may be another's by now.
#include <sys/stat.h>

#include "manager/prepare.h"
#include "run_fixture.h"

namespace croft::manager {
namespace {

constexpr uint32_t base = first_id_base;

class Retake : public RunTest {
  protected:
    void SetUp() override {
        RunTest::SetUp();
        ASSERT_EQ(mkdir((top_ + "/tree").c_str(), 0755), 0);
    }
    Prepared again(bool picked) {
        Prepared machine(paths_, std::move(*claim(paths_, "web")));
        machine.record = record("web");
        machine.record.tree = top_ + "/tree";
        machine.record.id_base = base, machine.record.id_count = id_range_size;
        machine.record.ids_picked = picked;
        machine.plan.uid_maps = machine.plan.gid_maps = {{0, base, id_range_size}};
        return machine;
    }
};

TEST_F(Retake, TheRangeIsTakenAgain) {
    Prepared machine = again(true);
    ASSERT_TRUE(retake(machine));
    EXPECT_EQ(machine.ids.base, base);
    auto other = claim(paths_, "other");
    EXPECT_FALSE(pick_ids(paths_, "other", base, base));
}

TEST_F(Retake, ARangeThatCroftChoseIsNeverShared) {
    auto other = claim(paths_, "other");
    ASSERT_TRUE(pick_ids(paths_, "other", base, base));
    {
        Prepared machine = again(true);
        Result<> taken = retake(machine);
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error().code, Errc::busy);
        for (const char* part : {"524288 to 589823", "'web'", "machine 'other'", "croft run"})
            EXPECT_NE(taken.error().text.find(part), std::string::npos) << taken.error().text;
    }
    // What could not be taken is not given back either: the range is still the other's.
    auto third = claim(paths_, "third");
    EXPECT_FALSE(pick_ids(paths_, "third", base, base));
}

TEST_F(Retake, ARangeOfTheUsersChoiceMayBeShared) {
    auto other = claim(paths_, "other");
    ASSERT_TRUE(pick_ids(paths_, "other", base, base));
    Prepared machine = again(false);
    testing::internal::CaptureStderr();
    Result<> taken = retake(machine);
    EXPECT_TRUE(taken) << taken.error().text;
    EXPECT_NE(testing::internal::GetCapturedStderr().find("'other' uses the same ids"), std::string::npos);
}

}  // namespace
}  // namespace croft::manager
