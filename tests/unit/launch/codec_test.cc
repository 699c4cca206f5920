#include <gtest/gtest.h>

#include <random>

#include "launch/launch_plan.h"
#include "samples.h"

namespace croft::launch {
namespace {

TEST(Codec, SamplesHaveEveryKindOfStep) {
    auto steps = samples::every_step();
    ASSERT_EQ(steps.size(), std::variant_size_v<Step>);
    for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i].index(), i);
}

TEST(Codec, RoundTripOfEverything) {
    LaunchPlan plan = samples::full_plan();
    std::string bytes = encode(plan);
    auto back = decode(bytes);
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(encode(*back), bytes);
    EXPECT_EQ(to_json(*back), to_json(plan));
    EXPECT_EQ(back->process.env, plan.process.env);
    EXPECT_EQ(back->monotonic_offset, -5);
    EXPECT_EQ(back->boottime_offset, INT64_MIN);
    EXPECT_EQ(std::get<MakeFile>(back->inside[12]).content, std::string("a\0\xff", 3));
}

TEST(Codec, RoundTripOfNothing) {
    std::string bytes = encode(LaunchPlan{});
    auto back = decode(bytes);
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(encode(*back), bytes);
    EXPECT_FALSE(back->process.oom_score_adjust);
}

TEST(Codec, EachStepAlone) {
    for (const Step& step : samples::every_step()) {
        LaunchPlan plan;
        plan.stage = {step};
        auto back = decode(encode(plan));
        ASSERT_TRUE(back) << kind_name(step) << ": " << back.error().text;
        EXPECT_EQ(to_json(*back), to_json(plan));
    }
}

TEST(Codec, RefusesEveryTruncation) {
    std::string bytes = encode(samples::full_plan());
    for (size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode(std::string_view(bytes).substr(0, n))) << n;
}

TEST(Codec, RefusesTrailingBytes) {
    auto result = decode(encode(samples::full_plan()) + '\0');
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::invalid);
    EXPECT_NE(result.error().text.find("follows its end"), std::string::npos) << result.error().text;
}

TEST(Codec, RefusesOtherFilesAndVersionsByName) {
    EXPECT_EQ(decode("").error().text, "this is no launch plan of croft");
    EXPECT_EQ(decode("[Exec]\n").error().text, "this is no launch plan of croft");
    std::string bytes = encode(LaunchPlan{});
    bytes[11] ^= 1;  // in the fingerprint
    EXPECT_EQ(decode(bytes).error().text, "the launch plan was written by another version of croft");
}

// Whatever is done to the bytes, decode either refuses them or they are what encode writes for the value that
// it gave: there is one spelling of each plan. (The sanitizers watch memory meanwhile.)
TEST(Codec, MutationsAreRefusedOrCanonical) {
    const std::string original = encode(samples::full_plan());
    std::mt19937 random(20240501);
    auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
    int accepted = 0;
    for (int round = 0; round < 30000; ++round) {
        std::string bytes = original;
        for (size_t change = below(3) + 1; change > 0; --change) {
            size_t at = 11 + below(bytes.size() - 11);
            switch (below(4)) {
                case 0:
                    bytes[at] = static_cast<char>(random());
                    break;
                case 1:
                    bytes[at] ^= static_cast<char>(1 << below(8));
                    break;
                case 2:
                    bytes.erase(at, below(8));
                    break;
                case 3:
                    bytes.insert(at, std::string(below(8), static_cast<char>(random())));
                    break;
            }
        }
        auto result = decode(bytes);
        if (!result) continue;
        ++accepted;
        ASSERT_EQ(encode(*result), bytes) << "round " << round;
    }
    EXPECT_GT(accepted, 0);  // a changed letter of a path is fine, so the canonical half was tested too
}

TEST(Codec, ForgedCountsAskForNoMemory) {
    LaunchPlan plan;
    plan.name = "x";
    std::string bytes = encode(plan);
    size_t name = bytes.find("\x01x");
    ASSERT_NE(name, std::string::npos);
    // A length of 2^63 - 1 where the name's was.
    bytes.replace(name, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
    auto result = decode(bytes);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().text.find("cut off"), std::string::npos) << result.error().text;
}

}  // namespace
}  // namespace croft::launch
