// /dev: a tmpfs with the few nodes that every machine has, and those that were asked for.
//
// The launcher makes the nodes before the payload's user namespace exists: a node made inside one does not
// open.
#include <sys/mount.h>

#include "plan/draft.h"

namespace croft::plan {

namespace {

using launch::Slot;

class Dev {
  public:
    explicit Dev(Draft& d) : d_(d) {}

    void base() {
        // Small, but with room for the odd file that programs leave in /dev.
        slot_ = d_.tmpfs("0755", {{"size", "4M"}, {"nr_inodes", "64k"}}, attr::nosuid);
        for (const char* name : {"pts", "shm", "mqueue"}) d_.host(d_.directory(slot_, name));
        link("fd", "/proc/self/fd");
        link("stdin", "/proc/self/fd/0");
        link("stdout", "/proc/self/fd/1");
        link("stderr", "/proc/self/fd/2");
        link("ptmx", "pts/ptmx");
        d_.stage(d_.attach(slot_, "/dev"));
        Slot shm = d_.tmpfs("1777", {{"size", "10%"}, {"nr_inodes", "400k"}}, attr::nosuid | attr::nodev);
        for (const StandardNode& node : standard_nodes)
            add(cat("/dev/", node.name), node.name, {'c', node.major, node.minor, 0666, 0, 0});
        d_.stage(d_.attach(shm, "/dev/shm", launch::Create::no));
    }

    // A node below /dev at `name`, of the host's device at `path`.
    void add(const std::string& path, const std::string& name, const spec::DeviceFacts& device) {
        make_parents(name);
        // mknod(2) is for the host's root alone, so others get the host's own node.
        if (!d_.facts.privileged) return bind(path, cat("/dev/", name));
        d_.host(launch::MakeNode{.base = slot_,
                                 .path = name,
                                 .type = device.type,
                                 .major = device.major,
                                 .minor = device.minor,
                                 .mode = device.mode & 0777,
                                 .uid = d_.host_uid(device.uid).value_or(d_.root_uid),
                                 .gid = d_.host_gid(device.gid).value_or(d_.root_gid)});
    }

    // The host's node itself, as a mount.
    void bind(const std::string& path, const std::string& target) {
        launch::OpenTree tree{.slot = d_.new_slot(), .path = path};
        tree.attr = {.set = attr::nosuid | attr::noexec, .propagation = MS_PRIVATE};
        d_.stage(d_.attach(tree.slot, target, launch::Create::file));
        d_.host(std::move(tree));
    }

    void link(const char* name, const char* target) {
        d_.host(launch::MakeLink{
            .base = slot_, .path = name, .target = target, .uid = d_.root_uid, .gid = d_.root_gid});
    }

  private:
    void make_parents(const std::string& name) {
        for (size_t slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1))
            d_.host(d_.directory(slot_, name.substr(0, slash)));
    }

    Draft& d_;
    Slot slot_ = launch::no_slot;
};

Result<> add_device(Draft& d, Dev& dev, const spec::Device& device) {
    if (!device.node || device.path.starts_with("char-") || device.path.starts_with("block-")) return {};
    auto found = d.facts.devices.find(device.path);
    if (found == d.facts.devices.end() || found->second.type == 0)
        return error(Errc::not_found, cat("--device: ", quoted(device.path), " is no device of this host"));
    const std::string& target = device.target.empty() ? device.path : device.target;
    for (const StandardNode& node : standard_nodes)
        if (target == cat("/dev/", node.name)) return {};
    if (target.starts_with("/dev/"))
        dev.add(device.path, target.substr(5), found->second);
    else
        dev.bind(device.path, target);
    return {};
}

}  // namespace

Result<> plan_dev(Draft& d) {
    Dev dev(d);
    dev.base();
    auto asked_for = [&](std::string_view path) {
        for (const spec::Device& device : d.spec.devices)
            if (device.path == path) return true;
        return false;
    };
    if (d.boot)
        for (const char* path : {"/dev/fuse", "/dev/net/tun"})
            if (auto found = d.facts.devices.find(path);
                found != d.facts.devices.end() && found->second.type == 'c' && !asked_for(path))
                dev.add(path, path + 5, found->second);
    for (const spec::Device& device : d.spec.devices) TRY(add_device(d, dev, device));
    return {};
}

}  // namespace croft::plan
