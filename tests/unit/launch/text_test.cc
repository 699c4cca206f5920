// Plans as text: JSON and unit files.
#include <gtest/gtest.h>

#include "launch/launch_plan.h"
#include "launch/unit_plan.h"
#include "samples.h"

namespace croft::launch {
namespace {

TEST(LaunchPlanJson, LeavesDefaultsOutAndNamesBits) {
    LaunchPlan plan;
    plan.name = "web";
    plan.new_namespaces = 0x20020000;
    plan.host = {OpenTree{0, "/srv/tree", no_slot, false, {1, 0, 1 << 18}}, MakeDir{0, "x", 01777}};
    plan.process.cap_bounding = 0xa80425fb;
    EXPECT_EQ(to_json(plan), R"({
  "name": "web",
  "new_namespaces": "mount,pid",
  "cgroup": {},
  "host": [
    {"step": "open-tree", "slot": 0, "path": "/srv/tree", "attr": {"set": "ro", "propagation": "private"}},
    {"step": "make-dir", "base": 0, "path": "x", "mode": "01777"}
  ],
  "process": {
    "cap_bounding": "0xa80425fb"
  },
  "cleanup": {}
}
)");
}

TEST(LaunchPlanJson, SaysEveryMemberThatIsSet) {
    std::string json = to_json(samples::full_plan());
    for (const char* member : {"boot", "join", "uid_maps", "monotonic_offset", "devices", "owner_uid",
                               "notify", "random_uuid", "noswap", "like-source", "remove_trees", "wait_ready",
                               "oom_score_adjust", "io_priority", "work_path"})
        EXPECT_NE(json.find(member), std::string::npos) << member;
}

TEST(UnitFile, DoublesPercentAndKeepsLines) {
    UnitPlan plan{"croft-web.service",
                  {{"Description", "100% web"}},
                  {{"Type", "notify"}, {"ExecStart", "a\nb"}, {"CPUQuota", "50%"}}};
    EXPECT_EQ(to_unit_file(plan),
              "[Unit]\nDescription=100%% web\n\n[Service]\nType=notify\nExecStart=a\\\nb\nCPUQuota=50%\n");
    EXPECT_NE(to_json(plan).find("\"croft-web.service\""), std::string::npos);
}

}  // namespace
}  // namespace croft::launch
