#include "oci/default_config.h"

#include <initializer_list>
#include <string_view>

#include "dialect/oci_words.h"
#include "format/json_writer.h"

namespace croft::oci {

namespace {
using format::JsonWriter;
using std::string_view;
using Words = std::initializer_list<string_view>;

void list(JsonWriter& json, string_view name, Words words) {
    json.key(name).begin_array();
    for (string_view word : words) json.value(word);
    json.end_array();
}

void process(JsonWriter& json) {
    json.key("process").begin_object().member("terminal", true);
    json.key("user").begin_object().member("uid", 0).member("gid", 0).end_object();
    list(json, "args", {"sh"});
    list(json, "env", {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"});
    json.member("cwd", "/");
    json.key("capabilities").begin_object();
    for (string_view set : {"bounding", "effective", "permitted"})
        list(json, set, {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"});
    json.end_object();
    json.key("rlimits").begin_array().begin_object();
    json.member("type", "RLIMIT_NOFILE").member("hard", 1024).member("soft", 1024);
    json.end_object().end_array();
    json.member("noNewPrivileges", true).end_object();
}

struct MountRow {
    string_view destination, type, source;
    Words options;
};

void mounts(JsonWriter& json, bool rootless) {
    const MountRow rows[] = {
        {"/proc", "proc", "proc", {}},
        {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
        {"/dev/pts",
         "devpts",
         "devpts",
         {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
        {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
        {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
        {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
        {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}}};
    json.key("mounts").begin_array();
    for (const MountRow& row : rows) {
        // Only one's own group id is there for a user, so the terminals cannot belong to tty; and sysfs is of
        // a network namespace that is not the user's to mount from.
        bool sys = rootless && row.type == "sysfs";
        json.begin_object().member("destination", row.destination);
        json.member("type", sys ? "none" : row.type).member("source", sys ? "/sys" : row.source);
        if (row.options.size()) {
            json.key("options").begin_array();
            if (sys) json.value("rbind");
            for (string_view option : row.options)
                if (!rootless || option != "gid=5") json.value(option);
            json.end_array();
        }
        json.end_object();
    }
    json.end_array();
}

void map(JsonWriter& json, string_view name, unsigned host) {
    json.key(name).begin_array().begin_object();
    json.member("containerID", 0).member("hostID", host).member("size", 1);
    json.end_object().end_array();
}

void namespaces(JsonWriter& json, bool rootless) {
    json.key("namespaces").begin_array();
    for (string_view type : {"pid", "network", "ipc", "uts", "mount", "cgroup", "user"}) {
        // Without privileges a network of one's own would have nobody to connect it; the host's is of use.
        if (type == (rootless ? "network" : "user")) continue;
        json.begin_object().member("type", type).end_object();
    }
    json.end_array();
}

void linux_part(JsonWriter& json, const ConfigOwner& owner) {
    json.key("linux").begin_object();
    if (owner.rootless) {
        map(json, "uidMappings", owner.uid);
        map(json, "gidMappings", owner.gid);
    } else {
        json.key("resources").begin_object().key("devices").begin_array().begin_object();
        json.member("allow", false).member("access", "rwm");
        json.end_object().end_array().end_object();
    }
    namespaces(json, owner.rootless);
    list(json, "maskedPaths",
         {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi",
          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware"});
    list(json, "readonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"});
    json.end_object();
}
}  // namespace

std::string default_config(const ConfigOwner& owner) {
    JsonWriter json;
    json.begin_object().member("ociVersion", dialect::oci_version_max);
    process(json);
    json.key("root").begin_object().member("path", "rootfs").member("readonly", true).end_object();
    json.member("hostname", "croft");
    mounts(json, owner.rootless);
    linux_part(json, owner);
    json.end_object();
    return json.take();
}

}  // namespace croft::oci
