// A place to launch real machines in: a temporary tree with a static busybox, a run directory of its own and
// a cgroup of its own. At the end of a test everything must be gone: leftovers() tells what is not.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "launch/launch_plan.h"
#include "launch/outcome.h"
#include "run/launch.h"

namespace croft::run::testing {

enum class Users { host, own };

class Machine : public ::testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    // A plan as the planner would make it for an app, reduced to what these tests are about. The command is
    // run by the tree's /bin/sh.
    launch::LaunchPlan plan(Users users, const std::string& script) const;
    // Launches, waits and returns what standard output got; the outcome lands in `outcome`.
    std::string run(const launch::LaunchPlan& plan);
    std::string run(const launch::LaunchPlan& plan, LaunchEnvironment environment);
    LaunchEnvironment environment() const;
    // Waits for a launched machine.
    launch::Outcome wait(const Launched& launched) const;
    // Removes the cgroup of a machine that has ended.
    void remove_cgroup(Launched& launched) const;
    // A file in the tree.
    void put_file(const std::string& path, std::string_view content, mode_t mode) const;
    // As the next command does for a machine whose launcher was killed.
    void clear_cgroup() const;
    // The inode number of one of this process's namespaces.
    static std::string own_namespace(const char* name);

    std::string tree, run_path, cgroup_mount, cgroup;
    Fd run_directory;
    launch::Outcome outcome;
    std::string failure;  // of the last run()

  private:
    size_t mounts_before_ = 0, children_before_ = 0, fds_before_ = 0;
    std::string namespace_before_, directory_before_;
};

// Mounts at or of this path (others on this host come and go); open descriptors of this process; its
// children.
size_t count_mounts(std::string_view below);
size_t count_fds();
size_t count_children();
std::string read_output(int fd);

}  // namespace croft::run::testing
