// Everything that a start takes before it launches: the name, ids, the tree's lock, the plan, the record.
// Called by start.cc; preview() stops before anything is taken.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "manager/id_ranges.h"
#include "manager/machines.h"
#include "manager/start.h"
#include "manager/tree_lock.h"
#include "plan/planner.h"
#include "run/launch.h"
#include "run/seccomp_cache.h"
#include "spec/host_facts.h"

namespace croft::manager {

// A machine that is about to start. Its end gives back all that was taken, unless keep() handed it to a
// keeper.
class Prepared {
  public:
    Prepared(Paths machine_paths, Claim machine_claim)
        : paths(std::move(machine_paths)), claim(std::move(machine_claim)) {}
    Prepared(Prepared&& other) noexcept;
    Prepared& operator=(Prepared&&) = delete;
    ~Prepared();

    // What launch() wants beside the plan; the caller sets the streams. The first call compiles or loads the
    // filter.
    Result<run::LaunchEnvironment> environment();
    // The keeper lives on in another process, which has inherited the locks.
    void keep();
    // Lets the locks live on over exec.
    void make_inheritable();
    // The descriptors of all locks.
    std::vector<int> locks() const;

    Paths paths;
    Claim claim;
    TreeLock tree;
    IdRange ids;
    launch::LaunchPlan plan;
    launch::UnitPlan unit;  // when the machine will be a unit
    Record record;
    std::string cgroup_root;
    int fail_step = -1, kill_step = -1;

  private:
    Fd run_directory_;
    std::optional<run::SeccompProgram> filter_;
    bool kept_ = false;
};

// Asks the host, takes what is needed, plans, and writes record and plan into the machine's directory.
Result<Prepared> prepare(const Paths& paths, spec::MachineSpec& spec, const StartOptions& options);

// For a machine that starts again from its record and plan, under a claim that was taken anew: its tree, its ids and its
// throwaway files.
Result<> retake(Prepared& machine);

// A system call filter, and where launch() and join() look for it: the program must outlive the environment.
Result<run::SeccompProgram> load_filter(const Paths& paths, std::string_view request);
void set_filter(run::LaunchEnvironment& environment, const run::SeccompProgram& filter);

// Of the transient unit of a machine.
std::string unit_name(std::string_view machine);

// The name of a machine that was given none.
std::string choose_name(const spec::MachineSpec& spec);

}  // namespace croft::manager
