// /run, /tmp and /run/host: what the container interface of systemd promises to an init, and the little of it
// that an app needs when it asks for credentials or reports readiness.
#include <sys/mount.h>

#include "plan/draft.h"

namespace croft::plan {

namespace {

using launch::Slot;

constexpr uint64_t quiet = attr::nosuid | attr::nodev | attr::noexec;

bool wants_notify(const Draft& d) {
    using spec::NotifyReady;
    if (d.spec.process.notify_ready == NotifyReady::automatic) return d.boot;
    return d.spec.process.notify_ready == NotifyReady::yes;
}

// Nodes that refuse everything, for the init to cover things with: in a user namespace it could not make
// devices.
void inaccessible(Draft& d, Slot host) {
    d.host(d.directory(host, "inaccessible"));
    d.host(d.file(host, "inaccessible/reg", "", 0));
    d.host(d.directory(host, "inaccessible/dir", 0));
    d.host(launch::MakeFifo{host, "inaccessible/fifo", 0, d.root_uid, d.root_gid});
    if (!d.facts.privileged) return;
    for (char type : {'c', 'b'})
        d.host(launch::MakeNode{.base = host,
                                .path = type == 'c' ? "inaccessible/chr" : "inaccessible/blk",
                                .type = type,
                                .mode = 0,
                                .uid = d.root_uid,
                                .gid = d.root_gid});
}

// What plan_api binds over files of /proc: a boot id of this boot, and a kernel log that never says anything.
void kernel_files(Draft& d, Slot host) {
    launch::MakeFile boot_id = d.file(host, "proc-sys-kernel-random-boot-id", "");
    boot_id.random_uuid = true;
    d.host(std::move(boot_id));
    d.host(launch::MakeFifo{host, "proc-kmsg", 0600, d.root_uid, d.root_gid});
}

// A tmpfs of their own, so that they can be kept out of swap, and unreadable for all but their user.
void credentials(Draft& d) {
    const spec::TreeFacts& tree = d.facts.tree;
    uint32_t uid = d.host_uid(tree.uid).value_or(d.root_uid), gid = d.host_gid(tree.gid).value_or(d.root_gid);
    std::vector<std::pair<std::string, std::string>> options = {
        {"mode", "0700"}, {"uid", cat(uid)}, {"gid", cat(gid)}, {"size", "8M"}};
    bool can_stay_in_memory =
        d.facts.kernel_major > 6 || (d.facts.kernel_major == 6 && d.facts.kernel_minor >= 4);
    if (can_stay_in_memory && d.facts.privileged) options.emplace_back("noswap", "");
    Slot slot = d.new_slot();
    d.host(launch::MakeFs{slot, "tmpfs", "croft", std::move(options), quiet | attr::nosymfollow});
    for (const spec::Credential& credential : d.spec.integration.credentials)
        d.host(launch::MakeFile{.base = slot,
                                .path = credential.id,
                                .content = credential.value,
                                .mode = 0400,
                                .uid = uid,
                                .gid = gid});
    d.stage(d.attach(slot, "/run/host/credentials", launch::Create::no));
    d.stage(launch::SetAttr{"/run/host/credentials", {.set = attr::ro}});
    d.has_credentials = true;
}

// systemd itself may hear the payload where that is nobody on the host: a sender without privilege can name as main
// process only one of its own unit. Root of the host could name any, so there the launcher listens instead.
bool tells_systemd(const Draft& d) {
    return d.private_users && !d.facts.unit_notify.empty();
}

void bind_notify_socket(Draft& d) {
    Slot socket = d.new_slot();
    d.host(launch::OpenTree{.slot = socket, .path = d.facts.unit_notify});
    d.stage(d.attach(socket, "/run/host/notify", launch::Create::no));
}

// `machinectl bind`: what systemd-machined mounts in the one place appears in the other, and is moved on by a process
// that it sends in (systemd.nspawn's convention). It refuses user namespaces, whose copy of the place would be locked.
bool takes_mounts(const Draft& d) {
    return d.boot && !d.private_users && !d.facts.propagate_directory.empty();
}

void bind_incoming(Draft& d) {
    launch::OpenTree tree{.slot = d.new_slot(), .path = d.facts.propagate_directory};
    tree.attr = {.set = attr::ro, .propagation = MS_SLAVE};
    d.stage(d.attach(tree.slot, "/run/host/incoming", launch::Create::no));
    d.host(std::move(tree));
    d.launch.cleanup.remove_trees.push_back(d.facts.propagate_directory);
    d.has_incoming = true;
}

void host_directory(Draft& d, bool notify) {
    Slot host = d.tmpfs("0755", {{"size", "4M"}, {"nr_inodes", "1k"}}, quiet);
    d.host(d.file(host, "container-manager", "croft\n"));
    if (d.boot) {
        d.host(launch::CopyFile{.from = "/etc/os-release",
                                .base = host,
                                .path = "os-release",
                                .mode = 0444,
                                .uid = d.root_uid,
                                .gid = d.root_gid,
                                .optional = true});
        inaccessible(d, host);
        kernel_files(d, host);
    }
    std::string uuid = machine_uuid(d);
    if (!uuid.empty()) d.host(d.file(host, "container-uuid", cat(uuid, "\n")));
    bool to_systemd = notify && tells_systemd(d);
    if (notify && !to_systemd) {
        d.launch.notify = d.new_slot();
        d.host(launch::NotifySocket{d.launch.notify, host, "notify", d.root_uid, d.root_gid});
    }
    d.has_notify = notify;
    if (to_systemd) d.host(d.file(host, "notify", ""));
    if (takes_mounts(d)) d.host(d.directory(host, "incoming", 0600));
    bool secrets = !d.spec.integration.credentials.empty();
    if (secrets) d.host(d.directory(host, "credentials", 0700));
    d.stage(d.attach(host, "/run/host"));
    if (to_systemd) bind_notify_socket(d);
    if (takes_mounts(d)) bind_incoming(d);
    if (secrets) credentials(d);
    // Read-only last: until here it was being filled.
    d.stage(launch::SetAttr{"/run/host", {.set = attr::ro}});
}

}  // namespace

Result<> plan_run(Draft& d) {
    bool notify = wants_notify(d);
    bool host_wanted = d.boot || notify || !d.spec.integration.credentials.empty();
    // An app keeps the /run of its tree, as image builders expect; in a read-only tree /run/host could not be
    // made.
    if (d.boot || (host_wanted && !d.root_writable))
        d.stage(d.attach(
            d.tmpfs("0755", {{"size", "20%"}, {"nr_inodes", "800k"}}, attr::nosuid | attr::nodev), "/run"));
    if (d.boot)
        d.stage(d.attach(
            d.tmpfs("1777", {{"size", "10%"}, {"nr_inodes", "400k"}}, attr::nosuid | attr::nodev), "/tmp"));
    if (host_wanted) host_directory(d, notify);
    using spec::NotifyReady;
    // Only systemd is known to say READY=1; of another init it must be promised.
    d.launch.wait_ready =
        d.spec.process.notify_ready == NotifyReady::yes || (notify && d.facts.tree.systemd_init);
    return {};
}

}  // namespace croft::plan
