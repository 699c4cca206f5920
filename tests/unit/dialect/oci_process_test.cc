// config.json: process.
#include "oci_sample.h"

namespace croft::dialect {
namespace {
using namespace samples;

TEST(OciProcess, EachMember) {
    spec::MachineSpec spec =
        taken({.process = R"(, "terminal": true, "consoleSize": {"height": 25, "width": 132},
        "user": {"uid": 1000, "gid": 4294967294, "umask": 63, "additionalGids": [5, 6]},
        "env": ["PATH=/bin", "EMPTY=", "A=b=c", "odd name=x", "PATH=/sbin"], "noNewPrivileges": true,
        "apparmorProfile": "profile", "selinuxLabel": "u:r:t:s0", "oomScoreAdj": -1000,
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 18446744073709551615},
                    {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}],
        "capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"], "inheritable": [],
                         "permitted": ["CAP_KILL"], "ambient": null},
        "scheduler": {"policy": "SCHED_FIFO", "priority": 7, "flags": ["SCHED_FLAG_RESET_ON_FORK"]},
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 3},
        "execCPUAffinity": {"initial": "0,1-2", "final": "7"})"});
    const spec::Process& process = spec.process;
    EXPECT_EQ(process.terminal, spec::Terminal::pty);
    EXPECT_EQ(process.console_size, (std::pair<uint16_t, uint16_t>(25, 132)));
    EXPECT_EQ(process.user.ids, (std::pair<uint32_t, uint32_t>(1000, 4294967294)));
    EXPECT_EQ(process.user.umask, 077u);
    EXPECT_EQ(process.user.extra_groups, (std::vector<uint32_t>{5, 6}));
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(process.environment.set,
              (Pairs{{"PATH", "/bin"}, {"EMPTY", ""}, {"A", "b=c"}, {"odd name", "x"}, {"PATH", "/sbin"}}));
    EXPECT_EQ(spec.security.no_new_privileges, true);
    EXPECT_EQ(process.apparmor_profile, "profile");
    EXPECT_EQ(process.selinux_label, "u:r:t:s0");
    EXPECT_EQ(process.oom_score_adjust, -1000);
    ASSERT_EQ(process.rlimits.size(), 2u);
    EXPECT_EQ(process.rlimits[0].name, "NOFILE");
    EXPECT_EQ(process.rlimits[0].soft, 10u);
    EXPECT_EQ(process.rlimits[0].hard, UINT64_MAX);
    EXPECT_EQ(spec.security.capabilities->bounding, (std::vector<std::string>{"CAP_CHOWN", "CAP_KILL"}));
    EXPECT_EQ(spec.security.capabilities->effective, std::vector<std::string>{"CAP_CHOWN"});
    EXPECT_EQ(spec.security.capabilities->permitted, std::vector<std::string>{"CAP_KILL"});
    EXPECT_TRUE(spec.security.capabilities->ambient.empty());
    ASSERT_TRUE(process.scheduler);
    EXPECT_EQ(process.scheduler->policy, "SCHED_FIFO");
    EXPECT_EQ(process.scheduler->priority, 7);
    EXPECT_EQ(process.scheduler->flags, std::vector<std::string>{"SCHED_FLAG_RESET_ON_FORK"});
    EXPECT_EQ(process.io_priority_class, "IOPRIO_CLASS_BE");
    EXPECT_EQ(process.io_priority, 3);
    EXPECT_EQ(process.exec_affinity_initial, "0-2");
    EXPECT_EQ(process.exec_affinity_final, "7");
}

TEST(OciProcess, Schedulers) {
    auto scheduler = [](const char* text) {
        return taken({.process = cat(R"(, "scheduler": )", text)})
            .process.scheduler.value_or(spec::Scheduler());
    };
    EXPECT_EQ(scheduler(R"({"policy": "SCHED_OTHER", "nice": -20})").nice, -20);
    EXPECT_EQ(scheduler(R"({"policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 2, "period": 3})").period,
              3u);
    EXPECT_EQ(scheduler(R"({"policy": "SCHED_IDLE"})").policy, "SCHED_IDLE");
}

TEST(OciProcess, ConsoleSizeIsOfATerminal) {
    EXPECT_FALSE(taken({.process = R"(, "consoleSize": {"height": 25, "width": 80})"}).process.console_size);
}

TEST(OciProcess, UnknownCapabilitiesAreLeftOut) {
    EXPECT_EQ(
        warnings({.process = R"(, "capabilities": {"bounding": ["CAP_NEW", "CAP_KILL", "kill", "all"]})"}),
        "$.process.capabilities.bounding[0]: 'CAP_NEW' is no capability, and left out; "
        "$.process.capabilities.bounding[2]: 'kill' is no capability, and left out; "
        "$.process.capabilities.bounding[3]: 'all' is no capability, and left out");
    auto out = parse(config({.process = R"(, "capabilities": {"bounding": ["CAP_NEW", "CAP_KILL"]})"}));
    EXPECT_EQ(out->spec.security.capabilities->bounding, std::vector<std::string>{"CAP_KILL"});
    EXPECT_EQ(warnings({.process = R"(, "user": {"username": "me"}, "commandLine": "x")"}),
              "$.process.user.username: is of Windows, and ignored: here uid and gid count; "
              "$.process.commandLine: is of Windows, and ignored: here args count");
}

TEST(OciProcess, WhatMustBeThere) {
    auto with = [](const char* process) {
        return why_not(cat(R"({"ociVersion": "1.0.0", "root": {"path": "/r"}, "process": )", process, "}"));
    };
    EXPECT_EQ(with("[]"), "$.process: is array, not an object");
    EXPECT_EQ(with("null"), "taken");
    EXPECT_EQ(with(R"({"cwd": "/"})"), "$.process: args is missing");
    EXPECT_EQ(with(R"({"cwd": "/", "args": []})"), "$.process.args: names no program");
    EXPECT_EQ(with(R"({"cwd": "/", "args": [""]})"), "$.process.args: names no program");
    EXPECT_EQ(with(R"({"cwd": "/", "args": "sh"})"), "$.process.args: is string, not an array");
    EXPECT_EQ(with(R"({"cwd": "/", "args": ["a", null]})"), "$.process.args[1]: is null, not a string");
    EXPECT_EQ(with(R"({"cwd": "/", "args": ["a\u0000"]})"), "$.process.args[0]: holds a NUL character");
    EXPECT_EQ(with(R"({"args": ["x"]})"), "$.process: cwd is missing");
    EXPECT_EQ(with(R"({"args": ["x"], "cwd": ""})"), "$.process.cwd: '' is no absolute path");
    EXPECT_EQ(with(R"({"args": ["x"], "cwd": "tmp"})"), "$.process.cwd: 'tmp' is no absolute path");
}

TEST(OciProcess, WrongOnesSayWhere) {
    const Wrong table[] = {
        {{.process = R"(, "terminal": "yes")"}, "$.process.terminal: is string, not true or false"},
        {{.process = R"(, "consoleSize": {"height": 1})"}, "$.process.consoleSize: width is missing"},
        {{.process = R"(, "consoleSize": {"height": 70000, "width": 1})"},
         "$.process.consoleSize.height: is no whole number from 0 to 65535"},
        {{.process = R"(, "user": {"uid": -1})"},
         "$.process.user.uid: is no whole number from 0 to 4294967294"},
        {{.process = R"(, "user": {"gid": 4294967295})"},
         "$.process.user.gid: is no whole number from 0 to 4294967294"},
        {{.process = R"(, "user": {"umask": 512})"},
         "$.process.user.umask: is no whole number from 0 to 511"},
        {{.process = R"(, "user": {"additionalGids": [1, "x"]})"},
         "$.process.user.additionalGids[1]: is no whole number from 0 to 4294967294"},
        {{.process = R"(, "env": ["A=1", "B"])"}, "$.process.env[1]: 'B' is no NAME=VALUE"},
        {{.process = R"(, "env": ["=1"])"}, "$.process.env[0]: '=1' is no NAME=VALUE"},
        {{.process = R"(, "capabilities": ["CAP_KILL"])"}, "$.process.capabilities: is array, not an object"},
        {{.process = R"(, "capabilities": {"bounding": "CAP_KILL"})"},
         "$.process.capabilities.bounding: is string, not an array"},
        {{.process = R"(, "rlimits": [{"soft": 1, "hard": 1}])"}, "$.process.rlimits[0]: type is missing"},
        {{.process = R"(, "rlimits": [{"type": "RLIMIT_CPU", "hard": 1}])"},
         "$.process.rlimits[0]: soft is missing"},
        {{.process = R"(, "rlimits": [{"type": "RLIMIT_NOFLE", "soft": 1, "hard": 1}])"},
         "$.process.rlimits[0].type: 'RLIMIT_NOFLE' is no resource limit of getrlimit(2) (did you mean "
         "'NOFILE'?)"},
        {{.process = R"(, "rlimits": [{"type": "NOFILE", "soft": 1, "hard": 1}])"},
         "$.process.rlimits[0].type: 'NOFILE' is written RLIMIT_NOFILE"},
        {{.process = R"(, "rlimits": [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}])"},
         "$.process.rlimits[0]: soft limit 2 is above the hard limit 1"},
        {{.process = R"(, "rlimits": [{"type": "RLIMIT_CPU", "soft": -1, "hard": 1}])"},
         "$.process.rlimits[0].soft: is no whole number from 0 to 18446744073709551615"},
        {{.process =
              R"(, "rlimits": [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}, {"type": "RLIMIT_CPU", "soft": 2, "hard": 2}])"},
         "$.process.rlimits[1]: RLIMIT_CPU is given twice"},
        {{.process = R"(, "oomScoreAdj": 1001)"},
         "$.process.oomScoreAdj: is no whole number from -1000 to 1000"},
        {{.process = R"(, "oomScoreAdj": 1.5)"},
         "$.process.oomScoreAdj: is no whole number from -1000 to 1000"},
        {{.process = R"(, "scheduler": {})"}, "$.process.scheduler: policy is missing"},
        {{.process = R"(, "scheduler": {"policy": "SCHED_FIFI"})"},
         "$.process.scheduler.policy: 'SCHED_FIFI' is not known (did you mean 'SCHED_FIFO'?)"},
        {{.process = R"(, "scheduler": {"policy": "SCHED_RR"})"},
         "$.process.scheduler: SCHED_RR needs a priority from 1 to 99"},
        {{.process = R"(, "scheduler": {"policy": "SCHED_OTHER", "priority": 1})"},
         "$.process.scheduler: priority is for SCHED_FIFO and SCHED_RR, not SCHED_OTHER"},
        {{.process = R"(, "scheduler": {"policy": "SCHED_IDLE", "nice": 1})"},
         "$.process.scheduler: nice is for SCHED_OTHER and SCHED_BATCH, not SCHED_IDLE"},
        {{.process = R"(, "scheduler": {"policy": "SCHED_OTHER", "runtime": 1})"},
         "$.process.scheduler: runtime, deadline and period are for SCHED_DEADLINE, not SCHED_OTHER"},
        {{.process = R"(, "scheduler": {"policy": "SCHED_DEADLINE"})"},
         "$.process.scheduler: SCHED_DEADLINE needs a runtime"},
        {{.process = R"(, "scheduler": {"policy": "SCHED_OTHER", "nice": 20})"},
         "$.process.scheduler.nice: is no whole number from -20 to 19"},
        {{.process = R"(, "scheduler": {"policy": "SCHED_OTHER", "flags": ["X"]})"},
         "$.process.scheduler.flags[0]: 'X' is not known (SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, "
         "SCHED_FLAG_DL_OVERRUN, "
         "SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_UTIL_CLAMP_MIN, "
         "SCHED_FLAG_UTIL_CLAMP_MAX)"},
        {{.process = R"(, "ioPriority": {"priority": 1})"}, "$.process.ioPriority: class is missing"},
        {{.process = R"(, "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8})"},
         "$.process.ioPriority.priority: is no whole number from 0 to 7"},
        {{.process = R"(, "ioPriority": {"class": "IOPRIO_CLASS_NONE", "priority": 1})"},
         "$.process.ioPriority.class: 'IOPRIO_CLASS_NONE' is not known (IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, "
         "IOPRIO_CLASS_IDLE)"},
        {{.process = R"(, "execCPUAffinity": {"initial": "0-"})"},
         "$.process.execCPUAffinity.initial: '0-' is no list of CPU numbers (0-3,6; at most 8191)"},
    };
    expect_wrong(table);
}

}  // namespace
}  // namespace croft::dialect
