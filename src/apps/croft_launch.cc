// croft-launch: what systemd starts in a machine's unit (manager/unit_launch.h). Static like croft, for the same reason.
#include <cstring>

#include "base/log.h"
#include "base/text.h"
#include "manager/unit_launch.h"

namespace {

using croft::Result;
using Action = Result<> (*)(const croft::manager::Paths&, const std::string&);

int usage() {
    croft::log(croft::LogLevel::error,
               "usage: croft-launch [--ready|--cleanup] NAME (systemd runs it in the machine's unit)");
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    croft::set_log("croft-launch", croft::LogLevel::info);
    Action action = croft::manager::launch_in_unit;
    if (argc == 3 && !strcmp(argv[1], "--ready"))
        action = croft::manager::unit_is_ready;
    else if (argc == 3 && !strcmp(argv[1], "--cleanup"))
        action = croft::manager::end_of_unit;
    else if (argc != 2 || argv[1][0] == '-')
        return usage();
    auto paths = croft::manager::find_paths();
    Result<> done = paths ? action(*paths, argv[argc - 1]) : Result<>(std::move(paths).error());
    if (done) return 0;
    croft::log(croft::LogLevel::error, done.error().text);
    return croft::errc_row(done.error().code).exit_status;
}
