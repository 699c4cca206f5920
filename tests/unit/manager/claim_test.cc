#include <fcntl.h>
#include <signal.h>

#include "base/log.h"
#include "manager/leader.h"
#include "run_fixture.h"

namespace croft::manager {
namespace {

class ClaimTest : public RunTest {
  protected:
    // A child that claims `name`, writes a record with itself as leader, and stays until it is killed.
    pid_t start_holder(const std::string& name) {
        int ready[2];
        EXPECT_EQ(pipe(ready), 0);
        pid_t child = fork();
        if (child == 0) {
            auto mine = claim(paths_, name);
            Record r = record(name);
            r.leader = r.keeper = {getpid(), process_start(getpid()).value_or(0)};
            if (mine && mine->write(r)) (void)!write(ready[1], "x", 1);
            close(ready[1]);
            for (;;) pause();
        }
        close(ready[1]);
        char byte = 0;
        EXPECT_EQ(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        return child;
    }
    static void end_holder(pid_t child) {
        ::kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
    }
};

TEST_F(ClaimTest, DroppedWithoutKeepLeavesNothing) {
    {
        auto mine = claim(paths_, "web");
        ASSERT_TRUE(mine) << mine.error().text;
        ASSERT_TRUE(mine->write(record("web")));
        EXPECT_TRUE(exists("run/machines/web/record"));
    }
    EXPECT_FALSE(exists("run/machines/web"));
}

TEST_F(ClaimTest, NamesAreChecked) {
    for (const char* wrong : {"", ".", "..", "a/b", "-a", "a_b", "a b"})
        EXPECT_FALSE(claim(paths_, wrong)) << wrong;
}

TEST_F(ClaimTest, TheSecondIsToldWhy) {
    auto mine = claim(paths_, "web");
    ASSERT_TRUE(mine);
    auto second = claim(paths_, "web");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::busy);
    Record r = record("web");
    r.leader = {getpid(), process_start(getpid()).value_or(0)};
    ASSERT_TRUE(mine->write(r));
    auto third = claim(paths_, "web");
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, Errc::exists);
    EXPECT_NE(third.error().text.find("croft stop web"), std::string::npos);
    EXPECT_TRUE(claim(paths_, "other"));
}

// Many processes want one name at the same moment: one gets it, each time, and the directory is never half
// there.
TEST_F(ClaimTest, OneWinsARace) {
    for (int round = 0; round < 5; ++round) {
        int gate[2], result[2], hold[2];
        ASSERT_EQ(pipe(gate), 0);
        ASSERT_EQ(pipe(result), 0);
        ASSERT_EQ(pipe(hold), 0);
        std::vector<pid_t> children;
        for (int i = 0; i < 16; ++i) {
            pid_t child = fork();
            if (child == 0) {
                close(gate[1]);
                close(hold[1]);
                char byte;
                (void)!read(gate[0], &byte, 1);  // returns for all when the parent closes it
                {
                    auto mine = claim(paths_, "race");
                    (void)!write(result[1], mine ? "w" : mine.error().code == Errc::busy ? "b" : "?", 1);
                    (void)!read(hold[0], &byte, 1);  // the winner keeps it until every other has its answer
                }
                _exit(0);
            }
            children.push_back(child);
        }
        for (int fd : {gate[0], gate[1], hold[0]}) close(fd);
        std::string answers(16, ' ');
        for (char& answer : answers) ASSERT_EQ(read(result[0], &answer, 1), 1);
        for (int fd : {hold[1], result[0], result[1]}) close(fd);
        for (pid_t child : children) waitpid(child, nullptr, 0);
        EXPECT_EQ(std::count(answers.begin(), answers.end(), 'w'), 1) << answers;
        EXPECT_EQ(std::count(answers.begin(), answers.end(), 'b'), 15) << answers;
    }
}

// Claims that come and go all the time: never two at once, and none fails for another reason than "busy".
TEST_F(ClaimTest, ComingAndGoing) {
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        pid_t child = fork();
        if (child == 0) {
            int bad = 0;
            for (int round = 0; round < 150; ++round) {
                auto mine = claim(paths_, "churn");
                if (!mine && mine.error().code != Errc::busy) ++bad;
                if (!mine) continue;
                // O_EXCL in the claimed directory fails if anybody else is in here too.
                int fd = openat(mine->directory(), "alone", O_CREAT | O_EXCL | O_WRONLY, 0600);
                if (fd < 0) ++bad;
                close(fd);
                unlinkat(mine->directory(), "alone", 0);
            }
            _exit(bad > 100 ? 100 : bad);
        }
        children.push_back(child);
    }
    for (pid_t child : children) {
        int status = 0;
        waitpid(child, &status, 0);
        EXPECT_EQ(WEXITSTATUS(status), 0);
    }
    EXPECT_FALSE(exists("run/machines/churn"));
}

TEST_F(ClaimTest, StatesAreTold) {
    pid_t child = start_holder("web");
    auto machine = find(paths_, "web");
    ASSERT_TRUE(machine);
    EXPECT_EQ(machine->state, State::running);
    EXPECT_TRUE(find_running(paths_, "web"));
    EXPECT_FALSE(clear(paths_, *machine));
    // Asking takes no lock: the holder keeps it, and nobody else is turned away by a list.
    EXPECT_EQ(list(paths_)->size(), 1u);
    end_holder(child);
    machine = find(paths_, "web");
    ASSERT_TRUE(machine);
    EXPECT_EQ(machine->state, State::lost);
    EXPECT_FALSE(find_running(paths_, "web"));
}

TEST_F(ClaimTest, ExitFileTellsHowItEnded) {
    auto directory = [&](const char* name, const char* exit_line, const char* stop) {
        std::string path = paths_.machines + "/" + name;
        mkdir(path.c_str(), 0755);
        Fd dir(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        EXPECT_TRUE(replace_file_at(dir.get(), "record", to_text(record(name))));
        EXPECT_TRUE(replace_file_at(dir.get(), "exit", exit_line));
        if (!stop) return;
        EXPECT_TRUE(replace_file_at(dir.get(), "stop", stop));
    };
    directory("good", "1 0 1700000000000000\n", nullptr);
    directory("bad", "1 7 1700000000000000\n", nullptr);
    directory("killed", "2 9 5\n", nullptr);
    directory("stopped", "2 15 5\n", "stopped\n");
    auto state = [&](const char* name) { return find(paths_, name)->state; };
    EXPECT_EQ(state("good"), State::exited);
    EXPECT_EQ(state("bad"), State::failed);
    EXPECT_EQ(find(paths_, "bad")->outcome.status, 7);
    EXPECT_EQ(state("killed"), State::failed);
    EXPECT_EQ(state("stopped"), State::exited);
    EXPECT_EQ(find(paths_, "good")->ended, 1700000000000000u);
    auto none = find(paths_, "god");
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().text.find("'good'"), std::string::npos) << none.error().text;
}

TEST_F(ClaimTest, WhatALostMachineLeftIsCleared) {
    pid_t child = start_holder("web");
    ASSERT_TRUE(make_dirs_at(AT_FDCWD, paths_.scratch + "/web/upper"));
    // A process of the machine's that outlived its keeper.
    pid_t orphan = fork();
    if (orphan == 0)
        for (;;) pause();
    Record r = record("web");
    r.leader = {orphan, process_start(orphan).value_or(0)};
    r.remove_trees = {paths_.scratch + "/web"};
    Fd dir(open((paths_.machines + "/web").c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_TRUE(replace_file_at(dir.get(), "record", to_text(r)));
    end_holder(child);
    EXPECT_EQ(in_child([&] { return claim(paths_, "web") ? 0 : 1; }), 0);
    int status = 0;
    EXPECT_EQ(waitpid(orphan, &status, 0), orphan);
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    EXPECT_FALSE(exists("state/scratch/web"));
    EXPECT_FALSE(exists("run/machines/web"));
}

TEST_F(ClaimTest, ARecordCannotPointElsewhere) {
    ASSERT_TRUE(make_dirs_at(AT_FDCWD, top_ + "/precious/data"));
    pid_t child = start_holder("web");
    Record r = record("web");
    r.remove_trees = {top_ + "/precious"};
    r.locks = {top_ + "/precious/data"};
    r.cgroup = top_ + "/precious/data";
    Fd dir(open((paths_.machines + "/web").c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_TRUE(replace_file_at(dir.get(), "record", to_text(r)));
    end_holder(child);
    EXPECT_TRUE(claim(paths_, "web"));
    EXPECT_TRUE(exists("precious/data"));
}

TEST_F(ClaimTest, DamagedRecordIsNoTrap) {
    std::string path = paths_.machines + "/web";
    mkdir(path.c_str(), 0755);
    Fd dir(open(path.c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_TRUE(replace_file_at(dir.get(), "record", "nonsense\n"));
    EXPECT_FALSE(find(paths_, "web"));
    EXPECT_TRUE(list(paths_)->empty());
    EXPECT_TRUE(claim(paths_, "web"));
}

TEST_F(ClaimTest, OthersDirectoriesAreNotTrusted) {
    ASSERT_EQ(chmod(paths_.machines.c_str(), 0777), 0);
    EXPECT_FALSE(open_machines(paths_));
}

TEST_F(ClaimTest, ListHasAllOfManyMachines) {
    std::vector<Claim> claims;
    claims.reserve(300);
    for (int i = 0; i < 300; ++i) {
        auto mine = claim(paths_, cat("m", i));
        ASSERT_TRUE(mine) << mine.error().text;
        ASSERT_TRUE(mine->write(record(cat("m", i))));
        claims.push_back(std::move(*mine));
    }
    auto all = list(paths_);
    ASSERT_TRUE(all) << all.error().text;
    EXPECT_EQ(all->size(), 300u);
}

}  // namespace
}  // namespace croft::manager
