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
    {"snapshot", Access::snapshot, Named::first},
    {"restore", Access::snapshot, Named::first},
    {"rebuild", Access::define, Named::first},
    {"verify", Access::define},
    {"image list", Access::image_view, Named::images},
    {"image history", Access::image_view, Named::image},
    {"image verify", Access::image_view, Named::images},
    {"image df", Access::image_view, Named::images},
    {"image inspect", Access::image_view, Named::places},
    {"image list-tags", Access::image_manage, Named::places},
    {"image pull", Access::image_manage, Named::source},
    {"image import", Access::image_manage, Named::source},
    {"image tag", Access::image_manage, Named::renamed},
    {"image rename", Access::image_manage, Named::renamed},
    {"image rm", Access::image_manage, Named::images},
    {"image prune", Access::image_manage, Named::images},
    {"image export", Access::image_manage, Named::target},
    {"image push", Access::image_transfer, Named::target},
    {"image copy", Access::image_transfer, Named::places},
    {"image sync", Access::image_transfer, Named::places},
    {"image delete", Access::image_transfer, Named::places},
    {"image commit", Access::image_transfer, Named::committed},
    {"image bootstrap", Access::image_transfer},
    {"image mount", Access::image_transfer, Named::image},
    {"image umount", Access::image_transfer},
    {"doctor", Access::repair},
    {"plan", Access::local},
    {"explain", Access::local},
    {"help", Access::local},
    {"version", Access::local},
    // Logins are each user's own, in a file of that user's.
    {"image login", Access::local},
    {"image logout", Access::local},
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
    {"snapshot", "keep or bring back states of"},
    {"image-view", "look at"},
    {"image-manage", "bring in, name, hand out or remove"},
    {"image-transfer", "use files, directories or registries as this host's root for"},
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
           access == Access::define || access == Access::image_transfer;
}

bool is_about_images(Access access) {
    return access == Access::image_view || access == Access::image_manage || access == Access::image_transfer;
}

}  // namespace croft::cli
