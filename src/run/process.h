// What makes a process the payload's: the attributes of launch::Process, applied by itself in a fixed order,
// which is that of systemd.exec(5)'s own child: what needs rights first, identity later, what takes rights
// away last. The same code serves PID 1 of a machine and a process that joins one. Heap-free (run/context.h).
#pragma once

#include "run/child.h"

namespace croft::run {

class ProcessStages {
  public:
    ProcessStages(const Prepared& prepared, Context& context) : prepared_(prepared), c(context) {}
    // Performs the stage at this place in the order, of process_points: 0 or -errno.
    long apply(uint32_t place);
    static launch::ProcessStage name(uint32_t place);
    bool command_is_there() const { return there_; }

  private:
    struct Row {
        launch::ProcessStage name;
        long (ProcessStages::*run)();
    };
    static const Row order[process_points];

    long keyring();
    long session();
    long streams();
    long fds();
    long directory();
    long rlimits();
    long personality();
    long memory_policy();
    long command();
    long read_permitted();
    long bounding();
    long labels();
    long groups();
    long ids();
    long parent_death();
    long no_new_privileges();
    long seccomp();
    long capabilities();

    const Prepared& prepared_;
    Context& c;
    const launch::Process& p = prepared_.process;
    long hand_on_listener(long fd);

    uint64_t permitted_ = 0;  // what we hold before giving up anything
    bool there_ = false;      // of command(): a file of that name, though it cannot be executed
};

// Until exec nobody but the launcher knows of us, so we end with it, by this signal (0: no more).
void end_with_launcher(const Context& context, long signal);

}  // namespace croft::run
