#include "manager/states.h"

#include <set>

#include "run_fixture.h"

namespace croft::manager {
namespace {

constexpr State all[] = {State::ready,    State::starting, State::booting,    State::running,
                         State::degraded, State::frozen,   State::stopping,   State::exited,
                         State::failed,   State::lost,     State::configured, State::incomplete,
                         State::installed};

Machine machine_in(State state) {
    Machine machine;
    machine.name = "web";
    machine.state = state;
    return machine;
}

TEST(States, NamesAreUnique) {
    std::set<std::string> names;
    for (State state : all) EXPECT_TRUE(names.insert(state_name(state)).second) << state_name(state);
}

TEST(States, LifeIsWhereALockIsHeld) {
    for (State state : all) {
        Machine machine = machine_in(state);
        EXPECT_FALSE(machine.alive() && machine.only_declared());
        EXPECT_EQ(machine.only_declared(),
                  state == State::configured || state == State::incomplete || state == State::installed);
    }
    EXPECT_TRUE(machine_in(State::ready).alive());
    EXPECT_TRUE(machine_in(State::stopping).alive());
    EXPECT_FALSE(machine_in(State::lost).alive());
}

// Each verb is refused somewhere and allowed somewhere, and a refusal names the state and those that are
// right.
TEST(States, EveryRefusalSaysWhatWouldDo) {
    for (const char* verb :
         {"start", "stop", "kill", "poweroff", "reboot", "pause", "resume", "exec", "attach", "cp", "bind",
          "unbind", "wait", "logs", "rm", "rm --config", "rename"}) {
        size_t allowed = 0;
        for (State state : all) {
            Result<> checked = check_state(machine_in(state), verb);
            if (checked) {
                ++allowed;
                EXPECT_NE(states_of(verb).find(state_name(state)), std::string::npos);
                continue;
            }
            EXPECT_EQ(checked.error().code, Errc::wrong_state);
            std::string expected = cat("machine 'web' is ", state_name(state));
            EXPECT_TRUE(checked.error().text.starts_with(expected)) << checked.error().text;
            EXPECT_NE(checked.error().text.find(states_of(verb)), std::string::npos) << checked.error().text;
        }
        EXPECT_GT(allowed, 0u) << verb;
        EXPECT_LT(allowed, std::size(all)) << verb;
    }
    EXPECT_FALSE(check_state(machine_in(State::running), "juggle"));
}

TEST(States, ListOfStatesReadsAsASentence) {
    EXPECT_EQ(states_of("resume"), "frozen");
    EXPECT_EQ(states_of("pause"), "booting, running, degraded or stopping");
    EXPECT_EQ(states_of("juggle"), "");
}

TEST(States, AnIncompleteMachineIsOnlyRemoved) {
    EXPECT_FALSE(check_state(machine_in(State::incomplete), "start"));
    EXPECT_FALSE(check_state(machine_in(State::incomplete), "rename"));
    EXPECT_TRUE(check_state(machine_in(State::incomplete), "rm --config"));
}

}  // namespace
}  // namespace croft::manager
