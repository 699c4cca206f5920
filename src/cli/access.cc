#include "cli/access.h"

namespace croft::cli {

namespace {
// The one table: verb, polkit action, where the machines' names stand.
constexpr AccessRow rows[] = {
    {"list", Access::view},
    {"show", Access::view, Named::all},
    {"wait", Access::view, Named::first},
    {"events", Access::view, Named::every},
    {"logs", Access::logs, Named::first},
    {"start", Access::start, Named::all},
    {"stop", Access::stop, Named::all},
    {"poweroff", Access::stop, Named::all},
    {"reboot", Access::stop, Named::all},
    {"pause", Access::pause, Named::all},
    {"resume", Access::pause, Named::all},
    {"kill", Access::kill, Named::all},
    {"exec", Access::login, Named::first},
    {"shell", Access::login, Named::first},
    {"attach", Access::login, Named::first},
    {"cp", Access::copy, Named::copy},
    {"bind", Access::bind, Named::first},
    {"unbind", Access::bind, Named::first},
    {"run", Access::run},
    {"boot", Access::run},
    {"rm", Access::remove, Named::all},
    // Files of machines can hold secrets (Environment=), and verify takes paths: so to read them is as much
    // as to write.
    {"create", Access::define, Named::first},
    {"edit", Access::define, Named::first},
    {"set", Access::define, Named::first},
    {"unset", Access::define, Named::first},
    {"cat", Access::define, Named::all},
    {"diff", Access::define, Named::all},
    {"rename", Access::define, Named::all},
    {"clone-config", Access::define, Named::all},
    {"clone", Access::define, Named::all},
    {"snapshot", Access::define, Named::first},
    {"restore", Access::define, Named::first},
    {"rebuild", Access::define, Named::first},
    {"verify", Access::define},
    {"doctor", Access::repair},
    // Of the caller's own store, with the caller's own files and logins.
    {"image bootstrap", Access::local},
    {"image commit", Access::local},
    {"image copy", Access::local},
    {"image delete", Access::local},
    {"image df", Access::local},
    {"image export", Access::local},
    {"image history", Access::local},
    {"image import", Access::local},
    {"image inspect", Access::local},
    {"image list", Access::local},
    {"image list-tags", Access::local},
    {"image login", Access::local},
    {"image logout", Access::local},
    {"image mount", Access::local},
    {"image prune", Access::local},
    {"image pull", Access::local},
    {"image push", Access::local},
    {"image rename", Access::local},
    {"image rm", Access::local},
    {"image sync", Access::local},
    {"image tag", Access::local},
    {"image umount", Access::local},
    {"image verify", Access::local},
    {"plan", Access::local},
    {"explain", Access::local},
    {"help", Access::local},
    {"version", Access::local},
};

struct AccessWords {
    const char* name;
    const char* phrase;
};
// In the order of the enum.
constexpr AccessWords words[] = {
    {"local", ""},
    {"view", "look at"},
    {"logs", "read the logs of"},
    {"start", "start"},
    {"stop", "stop"},
    {"pause", "pause or resume"},
    {"kill", "send signals to"},
    {"login", "log in to"},
    {"copy", "copy files in or out of"},
    {"bind", "show paths of this host in"},
    {"run", "run or boot a tree as"},
    {"define", "define or change"},
    {"delete", "remove what is left of"},
    {"repair", "check and repair"},
};
}  // namespace

std::span<const AccessRow> access_rows() {
    return rows;
}

const AccessRow* access_of(std::string_view verb) {
    for (const AccessRow& row : rows)
        if (verb == row.verb) return &row;
    return nullptr;
}

const char* access_name(Access access) {
    return words[static_cast<size_t>(access)].name;
}

const char* access_phrase(Access access) {
    return words[static_cast<size_t>(access)].phrase;
}

bool names_host_paths(Access access) {
    return access == Access::run || access == Access::copy || access == Access::bind ||
           access == Access::define;
}

}  // namespace croft::cli
