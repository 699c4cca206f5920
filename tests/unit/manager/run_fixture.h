// A run directory of the test's own, so that no machine of the host is ever looked at.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "base/text.h"
#include "manager/machines.h"
#include "manager/paths.h"

namespace croft::manager {

class RunTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/croft-run-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        top_ = name;
        paths_.run = top_ + "/run";
        paths_.machines = paths_.run + "/machines";
        paths_.state = top_ + "/state";
        paths_.scratch = paths_.state + "/scratch";
        // Not the system's: nspawn's locks are left alone.
        paths_.system = false;
        ASSERT_TRUE(open_machines(paths_));
    }
    void TearDown() override { ASSERT_EQ(system(cat("rm -rf '", top_, "'").c_str()), 0); }

    // Runs `work` in a child; its exit status.
    static int in_child(const std::function<int()>& work) {
        pid_t child = fork();
        if (child == 0) _exit(work());
        int status = 0;
        waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    bool exists(const std::string& path) const { return access((top_ + "/" + path).c_str(), F_OK) == 0; }
    static Record record(const std::string& name) {
        Record r;
        r.name = name;
        return r;
    }

    std::string top_;
    Paths paths_;
};

}  // namespace croft::manager
