#include <gtest/gtest.h>

#include <cerrno>

#include "launch/launch_plan.h"
#include "samples.h"

namespace croft::launch {
namespace {

bool has(const Error& e, std::string_view words) {
    return e.text.find(words) != std::string::npos;
}

StepFailure failure(Phase phase, size_t index, int error, uint8_t detail = 0) {
    return {phase, detail, static_cast<uint16_t>(index), error};
}

TEST(Describe, EveryStepHasWordsOfItsOwn) {
    std::vector<std::string> seen;
    for (const Step& step : samples::every_step()) {
        std::string words = describe(step);
        EXPECT_FALSE(words.empty());
        EXPECT_TRUE(std::islower(static_cast<unsigned char>(words.front()))) << words;
        for (const std::string& other : seen) EXPECT_NE(words, other);
        seen.push_back(words);
    }
    EXPECT_EQ(describe(BindInside{"/proc/sys", "/proc/sys"}), "protecting /proc/sys");
    EXPECT_EQ(describe(MakeNode{0, "null", 'c', 1, 3}), "making the device node null (c 1:3)");
}

TEST(Explain, SaysWhatWasMountedWhere) {
    LaunchPlan plan;
    plan.host = {OpenTree{1, "/srv/data"}};
    plan.stage = {AttachRoot{0}, Attach{1, "/data"}};
    plan.inside = {EnterRoot{}, MakeFs{2, "proc"}, Attach{2, "/proc"}};
    Error e = explain(plan, failure(Phase::inside, 2, EPERM));
    EXPECT_EQ(e.text, "mounting proc on /proc: Operation not permitted");
    EXPECT_EQ(e.code, Errc::denied);
    EXPECT_EQ(e.err, EPERM);
    e = explain(plan, failure(Phase::stage, 1, ENOENT));
    EXPECT_TRUE(
        has(e, "mounting /srv/data on /data: No such file or directory (the tree has no such mount point"))
        << e.text;
    EXPECT_EQ(e.code, Errc::not_found);
    e = explain(plan, failure(Phase::host, 0, ENOENT));
    EXPECT_TRUE(has(e, "opening /srv/data: ")) << e.text;
}

TEST(Explain, FileSystemsWithoutIdMapsGetAWayOut) {
    LaunchPlan plan;
    plan.host = {MakeUserns{0}, OpenTree{1, "/nfs/tree", no_slot, false, {}, 0}};
    Error e = explain(plan, failure(Phase::host, 1, EINVAL));
    EXPECT_EQ(e.code, Errc::unsupported);
    EXPECT_TRUE(has(e, "mapping the ids of /nfs/tree")) << e.text;
    EXPECT_TRUE(has(e, "--private-users=no")) << e.text;
}

TEST(Explain, ReadOnlyTreesWithoutAMountPoint) {
    LaunchPlan plan;
    plan.inside = {MakeFs{2, "proc"}, Attach{2, "/proc"}};
    EXPECT_TRUE(has(explain(plan, failure(Phase::inside, 1, EROFS)), "make it in the tree"));
}

TEST(Explain, Clone) {
    LaunchPlan plan;
    plan.new_namespaces = 0x10000000;  // CLONE_NEWUSER
    EXPECT_TRUE(has(explain(plan, failure(Phase::clone, 0, EPERM)), "user namespaces are switched off"));
    EXPECT_EQ(explain(plan, failure(Phase::clone, 0, ENOSPC)).code, Errc::no_space);
    EXPECT_EQ(explain(plan, failure(Phase::clone, 0, EAGAIN)).code, Errc::no_space);
    EXPECT_EQ(explain(plan, failure(Phase::clone, 0, EINVAL)).code, Errc::unsupported);
}

TEST(Explain, EveryProcessStageHasWords) {
    LaunchPlan plan;
    plan.process.directory = "/srv";
    plan.process.uid = 70000;
    for (int stage = 0; stage <= static_cast<int>(ProcessStage::keyring); ++stage) {
        Error e = explain(plan, failure(Phase::process, 0, EINVAL, static_cast<uint8_t>(stage)));
        EXPECT_FALSE(has(e, "preparing the machine's first process")) << stage;
        EXPECT_TRUE(has(e, ": Invalid argument")) << e.text;
    }
    auto at = [&](ProcessStage stage, int error) {
        return explain(plan, failure(Phase::process, 0, error, static_cast<uint8_t>(stage)));
    };
    EXPECT_EQ(
        at(ProcessStage::directory, ENOENT).text,
        "entering the working directory '/srv': No such file or directory (the tree has no such directory)");
    EXPECT_EQ(at(ProcessStage::ids, EINVAL).text,
              "becoming user 70000, group 0: Invalid argument (the id is outside the machine's id range)");
    EXPECT_TRUE(has(at(ProcessStage::rlimits, EPERM), "CAP_SYS_RESOURCE"));
}

TEST(Explain, ExecErrorsHaveTheShellsExitStatus) {
    LaunchPlan plan;
    plan.process.argv = {"foo"};
    plan.process.search_path = "/usr/bin:/bin";
    auto at = [&](int error, uint8_t detail = 0) {
        return explain(plan, failure(Phase::exec, 0, error, detail));
    };
    EXPECT_EQ(at(ENOENT).text, "there is no command 'foo' in the tree (searched /usr/bin:/bin)");
    EXPECT_EQ(errc_row(at(ENOENT).code).exit_status, 127);
    EXPECT_TRUE(has(at(ENOENT, 1), "interpreter")) << at(ENOENT, 1).text;
    EXPECT_EQ(errc_row(at(ENOENT, 1).code).exit_status, 127);
    EXPECT_EQ(errc_row(at(ENOEXEC).code).exit_status, 126);
    EXPECT_TRUE(has(at(ENOEXEC), "another architecture"));
    EXPECT_EQ(errc_row(at(EACCES).code).exit_status, 126);
    EXPECT_TRUE(has(at(EACCES), "noexec"));
    EXPECT_EQ(errc_row(at(ETXTBSY).code).exit_status, 126);
    plan.process.argv = {"/opt/foo"};
    EXPECT_EQ(at(ENOENT).text, "there is no '/opt/foo' in the tree");
}

// Nothing that the payload's side could send makes explain do more than answer.
TEST(Explain, AnswersEverything) {
    LaunchPlan plan = samples::full_plan();
    for (int phase = 0; phase <= static_cast<int>(Phase::exec) + 1; ++phase)
        for (size_t index = 0; index <= std::variant_size_v<Step>; ++index)
            for (int error :
                 {EPERM, ENOENT, EINVAL, EROFS, ELOOP, ENODEV, EOVERFLOW, EBUSY, ENOSPC, 0, 9999}) {
                Error e = explain(
                    plan, failure(static_cast<Phase>(phase), index, error, static_cast<uint8_t>(index)));
                EXPECT_FALSE(e.text.empty());
                EXPECT_EQ(e.text.find('\n'), std::string::npos) << e.text;
            }
}

}  // namespace
}  // namespace croft::launch
