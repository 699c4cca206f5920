#include "launch/outcome.h"

#include <gtest/gtest.h>

#include <csignal>

namespace croft::launch {
namespace {

using Kind = Outcome::Kind;

TEST(Outcome, FromWait) {
    Outcome exited = outcome_from_wait(CLD_EXITED, 7, true);
    EXPECT_EQ(exited.kind, Kind::exited);
    EXPECT_EQ(exit_status(exited), 7);
    EXPECT_EQ(describe(exited), "exited with status 7");

    Outcome killed = outcome_from_wait(CLD_KILLED, SIGKILL, true);
    EXPECT_EQ(killed.kind, Kind::signalled);
    EXPECT_EQ(exit_status(killed), 137);
    EXPECT_EQ(describe(killed), "killed by SIGKILL");
    EXPECT_EQ(exit_status(outcome_from_wait(CLD_DUMPED, SIGSEGV, true)), 139);
}

TEST(Outcome, RebootAndPowerOffArePid1s) {
    EXPECT_EQ(outcome_from_wait(CLD_KILLED, SIGHUP, true).kind, Kind::rebooted);
    EXPECT_EQ(outcome_from_wait(CLD_KILLED, SIGINT, true).kind, Kind::powered_off);
    EXPECT_EQ(outcome_from_wait(CLD_KILLED, SIGHUP, false).kind, Kind::signalled);
    EXPECT_EQ(outcome_from_wait(CLD_KILLED, SIGINT, false).kind, Kind::signalled);
    EXPECT_EQ(exit_status({Kind::powered_off, 0, {}}), 0);
}

TEST(Outcome, EveryKindHasWords) {
    EXPECT_EQ(describe({Kind::running, 0, {}}), "running");
    EXPECT_EQ(describe({Kind::never_started, 0, "no such tree"}), "did not start: no such tree");
    EXPECT_EQ(exit_status({Kind::never_started, 127, {}}), 127);
    EXPECT_EQ(exit_status({Kind::never_started, 0, {}}), 125);
    EXPECT_EQ(describe({Kind::rebooted, 0, {}}), "rebooted");
    EXPECT_EQ(describe({Kind::powered_off, 0, {}}), "powered off");
    EXPECT_EQ(describe({Kind::stopped, 3, {}}), "stopped on request, with status 3");
    EXPECT_EQ(exit_status({Kind::stopped, 3, {}}), 3);
    EXPECT_EQ(describe({Kind::killed, 0, {}}), "did not stop in time and was killed");
    EXPECT_EQ(exit_status({Kind::killed, 0, {}}), 137);
}

}  // namespace
}  // namespace croft::launch
