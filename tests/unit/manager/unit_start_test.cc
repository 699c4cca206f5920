// A service manager that does not do what it was asked: what the starting command says, and what it leaves. With a real one:
// tests/vm/test_units.py.
#include "manager/unit_start.h"

#include "manager/handover.h"
#include "run_fixture.h"

namespace croft::manager {
namespace {

class Sulking : public Supervisor {
  public:
    Result<Job> start_transient(const launch::UnitPlan& plan, Pin) override {
        started.push_back(plan.name);
        if (refusal) return *refusal;
        return Job{1};
    }
    bool can_pin(const launch::UnitPlan&) override { return false; }
    Result<std::optional<UnitExit>> exit_of(const std::string&) override { return std::optional<UnitExit>(); }
    Result<Job> start(const std::string&) override { return Job{1}; }
    Result<Job> stop(const std::string& unit) override { return stopped.push_back(unit), Job{2}; }
    int fd() override { return wake.read.get(); }
    Result<JobEnd> job_end(Job) override { return end; }
    Result<> kill(const std::string&, int) override { return {}; }
    Result<> freeze(const std::string&) override { return {}; }
    Result<> thaw(const std::string&) override { return {}; }
    Result<> set_properties(const std::string&, const std::vector<std::pair<std::string, std::string>>&) override { return {}; }
    Result<> reload() override { return {}; }
    void forget(const std::string&) override {}

    Pipe wake = *make_pipe();
    JobEnd end = JobEnd::running;
    std::optional<Error> refusal;
    std::vector<std::string> started, stopped;
};

class UnitStartTest : public RunTest {
  protected:
    void SetUp() override {
        RunTest::SetUp();
        set_supervisor(&systemd_);
    }
    void TearDown() override {
        set_supervisor(nullptr);
        RunTest::TearDown();
    }
    Error failure(uint64_t patience) {
        Prepared machine(paths_, std::move(*claim(paths_, "web")));
        machine.record = record("web");
        machine.unit.name = "croft-web.service";
        auto started = start_unit(machine, Streams::journal, false, Pin::no, patience);
        EXPECT_FALSE(started);
        return started ? Error() : std::move(started).error();
    }
    Sulking systemd_;
};

TEST_F(UnitStartTest, AUnitWhoseTurnDoesNotComeIsTakenBack) {
    Error why = failure(20'000);
    EXPECT_EQ(why.code, Errc::timeout);
    EXPECT_EQ(why.text, "systemd has not begun to start croft-web.service for 20ms; `systemctl list-jobs` shows what it waits for");
    EXPECT_EQ(systemd_.stopped, std::vector<std::string>{"croft-web.service"});
    EXPECT_FALSE(exists("run/machines/web"));
}

TEST_F(UnitStartTest, AUnitThatFailsIsTold) {
    systemd_.end = JobEnd::failed;
    ASSERT_TRUE(write_all(systemd_.wake.write.get(), "x"));
    Error why = failure(start_patience);
    EXPECT_EQ(why.code, Errc::failed);
    EXPECT_NE(why.text.find("journalctl -u croft-web.service"), std::string::npos) << why.text;
    EXPECT_TRUE(systemd_.stopped.empty());
    EXPECT_FALSE(exists("run/machines/web"));
}

TEST_F(UnitStartTest, WhatSystemdSaysOfTheUnitIsTheError) {
    systemd_.refusal = error(Errc::invalid, "starting the unit croft-web.service: no such property");
    EXPECT_EQ(failure(start_patience).text, systemd_.refusal->text);
    EXPECT_EQ(systemd_.started.size(), 1u);
    EXPECT_FALSE(exists("run/machines/web"));
}

}  // namespace
}  // namespace croft::manager
