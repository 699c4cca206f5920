// events: numbers of a container's control group, and the end of its memory.
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "base/text.h"
#include "format/json_writer.h"
#include "kernel/cgroup.h"
#include "manager/leader.h"
#include "oci/container.h"
#include "oci/output.h"
#include "oci/stats.h"

namespace croft::oci {

namespace {
Result<> print_stats(const Container& c, int group) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object().member("type", "stats").member("id", c.id).key("data");
    write_stats(json, group);
    json.end_object();
    return print(json.take() + "\n");
}

Result<> print_oom(const Container& c) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object().member("type", "oom").member("id", c.id).end_object();
    return print(json.take() + "\n");
}

// Until its first process has ended.
Result<> follow(const Container& c, int group, uint64_t interval) {
    Fd init = TRY(c.open_init());
    Fd changes(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (changes) inotify_add_watch(changes.get(), (c.record.cgroup + "/memory.events").c_str(), IN_MODIFY);
    uint64_t kills = kernel::cgroup_value(group, "memory.events", "oom_kill").value_or(0);
    uint64_t next = manager::monotonic_now() + interval;
    for (;;) {
        uint64_t now = manager::monotonic_now();
        pollfd watched[] = {{init.get(), POLLIN, 0}, {changes.get(), POLLIN, 0}};
        uint64_t wait = now >= next ? 0 : std::min<uint64_t>((next - now) / 1000 + 1, INT_MAX);
        if (poll(watched, 2, static_cast<int>(wait)) < 0 && errno != EINTR) return os_error(errno, "waiting for events");
        char ignored[4096];
        if (watched[1].revents) (void)!read(changes.get(), ignored, sizeof ignored);
        uint64_t killed = kernel::cgroup_value(group, "memory.events", "oom_kill").value_or(kills);
        if (killed > kills) TRY(print_oom(c));
        kills = killed;
        if (watched[0].revents) return {};
        if (manager::monotonic_now() < next) continue;
        TRY(print_stats(c, group));
        next += interval;
    }
}
}  // namespace

Result<int> verb_events(const Call& call) {
    Places places = TRY(find_places(call.global));
    auto interval = parse_duration(call.flags.text("--interval", "5s"));
    if (!interval || *interval == 0)
        return error(Errc::usage, cat("--interval: ", quoted(call.flags.text("--interval")), " is no time (5s, 500ms)"));
    Container c = TRY(open_container(places, call.operands[0], Lock::no));
    if (!c.alive()) return error(Errc::wrong_state, cat("container not running: ", quoted(c.id)));
    if (c.record.cgroup.empty())
        return error(Errc::unsupported, cat("container ", quoted(c.id), " has no control group of its own, so nothing counts "
                                                                       "what it uses"));
    Fd group = TRY(open_at(AT_FDCWD, c.record.cgroup.c_str(), O_RDONLY | O_DIRECTORY)
                       .within(cat("the control group of container ", quoted(c.id))));
    if (call.flags.has("--stats"))
        TRY(print_stats(c, group.get()));
    else
        TRY(follow(c, group.get(), *interval));
    return 0;
}

}  // namespace croft::oci
