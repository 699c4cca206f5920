#include "manager/config_changed.h"

#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"
#include "manager/events.h"
#include "manager/supervisor.h"

namespace croft::manager {
namespace {

// Where systemd lets generators write (systemd.generator(7)).
std::string generated_file(const std::string& name) {
    return cat("/run/systemd/generator/croft@", name, ".service.d/50-croft.conf");
}

bool is_older(const timespec& a, const timespec& b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

}  // namespace

void config_changed(const Paths& paths, const std::string& name, const std::string& how) {
    tell_event(paths, {.machine = name, .event = Event::config, .detail = how});
    if (!supervisor() || !machines_are_units(paths)) return;
    if (Result<> read = supervisor()->reload(); !read)
        warn(cat(read.error().text, "; `systemctl daemon-reload` makes the change count"));
}

bool unit_is_current(const std::string& name, const std::vector<std::string>& files) {
    struct stat unit = {}, file = {};
    if (stat(generated_file(name).c_str(), &unit) < 0) return false;
    for (const std::string& path : files)
        if (stat(path.c_str(), &file) < 0 || is_older(unit.st_mtim, file.st_mtim)) return false;
    return true;
}

bool unit_is_generated(const std::string& name) {
    struct stat unit = {};
    return stat(generated_file(name).c_str(), &unit) == 0;
}

}  // namespace croft::manager
