#include "base/date.h"

#include <gtest/gtest.h>

namespace croft {
namespace {

TEST(Date, IsReadWithItsZoneAndFraction) {
    EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01Z"), 1'000'000u);
    EXPECT_EQ(parse_rfc3339("2024-05-01T12:00:00Z"), 1'714'564'800'000'000u);
    EXPECT_EQ(parse_rfc3339("2024-05-01T14:00:00.25+02:00"), 1'714'564'800'250'000u);
    EXPECT_EQ(parse_rfc3339("2024-05-01t12:00:00.123456789z"), 1'714'564'800'123'456u);
    EXPECT_EQ(parse_rfc3339("2024-05-01T07:30:00-04:30"), 1'714'564'800'000'000u);
}

TEST(Date, OtherTextsAreNone) {
    for (const char* text : {"", "yesterday", "2024-05-01", "2024-05-01T12:00:00", "2024-05-01T12:00:00+0200", "2024-05-01 12:00:00Z",
                             "2024-05-01T12:00:0xZ", "0001-01-01T00:00:00Z", "2024-05-01T12:00:00+aa:00", "2024-05-01T12:00:00."})
        EXPECT_FALSE(parse_rfc3339(text)) << text;
}

}  // namespace
}  // namespace croft
