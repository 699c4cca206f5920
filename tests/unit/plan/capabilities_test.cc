#include "plan/capabilities.h"

#include <gtest/gtest.h>

namespace croft::plan {
namespace {

TEST(Capabilities, NamesAndNumbers) {
    EXPECT_EQ(capability_number("CAP_CHOWN"), 0u);
    EXPECT_EQ(capability_number("net_admin"), 12u);
    EXPECT_EQ(capability_number("cap_checkpoint_restore"), 40u);
    EXPECT_EQ(capability_number("CAP_63"), 63u);
    EXPECT_FALSE(capability_number("CAP_64"));
    EXPECT_FALSE(capability_number("CAP_FLY"));
    EXPECT_FALSE(capability_number(""));
    for (unsigned n = 0; n < 64; ++n) EXPECT_EQ(capability_number(capability_name(n)), n);
    EXPECT_EQ(capability_names(0x3), (std::vector<std::string>{"CAP_CHOWN", "CAP_DAC_OVERRIDE"}));
}

TEST(Capabilities, Sets) {
    EXPECT_EQ(app_capabilities(), 0xa80425fbu);   // Docker's
    EXPECT_EQ(boot_capabilities(), 0xfdecafffu);  // systemd-nspawn's
    EXPECT_EQ(*capability_set({"CAP_CHOWN", "kill"}, 40), 0x21u);
    EXPECT_EQ(*capability_set({"all"}, 40), 0x1ffffffffffu);
    EXPECT_EQ(*capability_set({"all"}, 63), UINT64_MAX);
    EXPECT_EQ(capability_set({"CAP_FLY"}, 40).error().text,
              "'CAP_FLY' is no capability (CAP_NET_ADMIN, …, all)");
}

}  // namespace
}  // namespace croft::plan
