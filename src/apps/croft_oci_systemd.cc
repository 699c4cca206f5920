// croft-oci-systemd: the same command line, with systemd's D-Bus interfaces. croft-oci executes it in place of itself for
// --systemd-cgroup (oci/command_line.cc).
#include <unistd.h>

#include "manager/supervisor.h"
#include "oci/command_line.h"
#include "systemd/supervisor.h"

int main(int argc, char** argv) {
    croft::systemd::SystemdSupervisor systemd(croft::oci::is_system() ? croft::systemd::Which::system
                                                                      : croft::systemd::Which::user);
    croft::manager::set_supervisor(&systemd);
    return croft::oci::run_command_line(argc, argv);
}
