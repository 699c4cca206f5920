// croft-systemd: the same command line, with systemd's D-Bus interfaces. croft executes it in place of itself for verbs
// that need them (cli/command_line.cc); so what a start in direct mode costs does not include loading libsystemd.
#include <cstring>

#include "base/log.h"
#include "base/text.h"
#include "bus/client.h"
#include "cli/remote.h"
#include "cli/verbs.h"
#include "manager/machines.h"
#include "systemd/machined.h"
#include "systemd/supervisor.h"

namespace {

// What the launcher becomes when its machine runs.
croft::Result<> register_machine(const std::string& name) {
    croft::manager::Paths paths = TRY(croft::manager::find_paths());
    croft::manager::Machine machine = TRY(croft::manager::find_running(paths, name));
    std::string bytes =
        TRY(croft::read_file_at(AT_FDCWD, croft::cat(paths.machines, "/", name, "/plan").c_str(), 64 << 20));
    croft::launch::LaunchPlan plan = TRY(croft::launch::decode(bytes));
    return croft::systemd::register_machine(machine.record, plan);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && !strcmp(argv[1], "_register")) {
        croft::set_log("croft", croft::LogLevel::info);
        auto done = register_machine(argv[2]);
        if (!done) croft::warn(done.error().text);
        return 0;
    }
    croft::systemd::SystemdSupervisor systemd(croft::systemd::Which::system);
    croft::manager::set_supervisor(&systemd);
    croft::cli::set_over_bus(croft::bus::run_over_bus);
    return croft::cli::run_command_line(argc, argv);
}
