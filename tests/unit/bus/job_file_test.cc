// A job's files: written by one croftd, read by the next.
#include <gtest/gtest.h>

#include "bus/jobs.h"

namespace croft::bus {
namespace {

Job sample() {
    Job job;
    job.id = "0123456789abcdef";
    job.verb = "exec";
    job.machine = "web";
    job.image = "h.example/web:1";
    job.unit = "croft-job-0123456789abcdef.service";
    job.client = ":1.42";
    job.owner = 1001;
    job.started = 1234567;
    return job;
}

TEST(JobFile, ComesBackAsItWas) {
    auto read = parse_job("0123456789abcdef", job_text(sample()));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(job_text(*read), job_text(sample()));
    EXPECT_EQ(read->owner, 1001u);
    EXPECT_EQ(read->client, ":1.42");
    EXPECT_EQ(read->state, JobState::running);
}

TEST(JobFile, HalfAFileIsNone) {
    EXPECT_FALSE(parse_job("x", ""));
    EXPECT_FALSE(parse_job("x", "verb stop\n"));
    EXPECT_FALSE(parse_job("x", "owner 0\n"));
    EXPECT_FALSE(parse_job("x", "verb stop\nowner someone\n"));
    EXPECT_TRUE(parse_job("x", "verb stop\nowner 0\nfuture thing\n"));
}

TEST(JobFile, ExitSaysHowItWas) {
    Job job = sample();
    EXPECT_TRUE(read_exit(job, "exited 7 99\n", ""));
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(job.status, 7);
    EXPECT_EQ(job.error, "");  // the program's own
    job = sample();
    job.verb = "stop";
    EXPECT_TRUE(read_exit(job, "exited 3 99\n", "croft: there is no machine 'x'\n"));
    EXPECT_EQ(job.error, "org.croft.Croft1.Error.NotFound");
    EXPECT_EQ(job.message, "there is no machine 'x'");
    job = sample();
    EXPECT_TRUE(read_exit(job, "killed TERM 99\n", ""));
    EXPECT_EQ(job.status, 143);
    job = sample();
    EXPECT_TRUE(read_exit(job, "exited 0 99\n", ""));
    EXPECT_EQ(job.state, JobState::done);
    EXPECT_FALSE(read_exit(job, "", ""));
    EXPECT_FALSE(read_exit(job, "exited", ""));
}

}  // namespace
}  // namespace croft::bus
