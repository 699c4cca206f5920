// croftd: croft on a bus. `croftd` for the system's machines, `croftd --user` for one user's; started by the
// bus, leaves when it is idle.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/log.h"
#include "base/text.h"
#include "bus/service.h"
#include "bus/tables.h"

namespace {
using namespace croft;

int fail(const Error& why) {
    log(LogLevel::error, why.text);
    return errc_row(why.code).exit_status;
}

int help() {
    fputs(
        "croftd [--user] [--idle=TIME]\n"
        "Offers org.croft.Croft1 on the system bus, or with --user on the session bus. It is started by the "
        "bus and leaves\n"
        "after TIME (30s; infinity) in which nobody wanted anything.\n",
        stdout);
    return 0;
}
}  // namespace

int main(int argc, char** argv) {
    set_log("croftd", LogLevel::info);
    bus::Options options;
    for (int i = 1; i < argc; ++i) {
        std::string_view word = argv[i];
        if (word == "--job-ended" && i + 1 < argc) return bus::write_exit(argv[i + 1]);
        if (word == "--tables") return bus::print_tables();
        if (word == "--help") return help();
        if (word == "--user") {
            options.scope = bus::Scope::user;
        } else if (word.starts_with("--idle=") && parse_duration(word.substr(7))) {
            options.idle = *parse_duration(word.substr(7));
        } else {
            return fail(
                error(Errc::usage, cat(quoted(word), " is no option of croftd (--user, --idle=TIME)")));
        }
    }
    // For whoever looks for a machine in vain: its sentence is not for a person here, so nobody looks for
    // names that are close.
    setenv("CROFT_JOB", "", 1);
    auto paths = manager::find_paths();
    if (!paths) return fail(paths.error());
    if (options.scope == bus::Scope::system && !paths->system)
        return fail(error(Errc::denied, "croftd of the system is root's; `croftd --user` is for yours"));
    Result<> ran = bus::Service(options, std::move(*paths)).run();
    return ran ? 0 : fail(ran.error());
}
