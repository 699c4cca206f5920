// /dev of a bundle: the nodes and links that every container has (runtime-spec, "Default Devices"), and those of
// config.json. Where /dev itself is a bind, it is somebody else's and stays as it is.
#include <sys/mount.h>

#include <algorithm>

#include "plan/bundle.h"

namespace croft::plan {

namespace {

using spec::Device;

class BundleDev {
  public:
    BundleDev(Draft& d, Places& places) : d_(d), places_(places) {
        for (const spec::Mount& mount : d.spec.mounts)
            if (std::string target = clean_path(mount.target); target != "/dev" && is_at_or_below(target, "/dev"))
                below_dev_.push_back(std::move(target));
    }

    Result<> all() {
        if (is_foreign()) return {};
        if (places_.dev() == launch::no_slot) parent_of("/dev/null");
        for (const StandardNode& standard : standard_nodes)
            if (std::string path = cat("/dev/", standard.name); !is_listed(path))
                node(path, {'c', standard.major, standard.minor, {}, {}, {}});
        for (const Device& device : d_.spec.devices) TRY(add(device));
        link("fd", "/proc/self/fd");
        link("stdin", "/proc/self/fd/0");
        link("stdout", "/proc/self/fd/1");
        link("stderr", "/proc/self/fd/2");
        link("core", "/proc/kcore");
        link("ptmx", "pts/ptmx");
        if (d_.spec.process.terminal == spec::Terminal::pty) console();
        return {};
    }

  private:
    bool is_foreign() const {
        for (size_t i = d_.spec.mounts.size(); i-- > 0;)
            if (clean_path(d_.spec.mounts[i].target) == "/dev")
                return d_.spec.mounts[i].kind == spec::Mount::Kind::bind;
        return false;
    }
    bool is_listed(std::string_view path) const {
        return std::ranges::any_of(d_.spec.devices,
                                   [&](const Device& device) { return clean_path(device.target) == path; });
    }
    // Directly in the tmpfs on /dev, unless another mount of the spec is on the way.
    bool is_in_dev(std::string_view path) const {
        if (places_.dev() == launch::no_slot || !path.starts_with("/dev/")) return false;
        return std::ranges::none_of(below_dev_, [&](const std::string& target) { return is_at_or_below(path, target); });
    }

    void parent_of(const std::string& path) {
        size_t slash = path.rfind('/');
        if (slash > 0)
            d_.stage(launch::MakePoint{.path = path.substr(0, slash), .uid = d_.root_uid, .gid = d_.root_gid});
    }

    Result<> add(const Device& device) {
        if (!device.exact) return {};
        const std::string path = clean_path(device.target);
        if (path == "/") return error(Errc::invalid, "linux.devices: a device has no path");
        node(path, *device.exact);
        return {};
    }

    void node(const std::string& path, const Device::Node& node) {
        const bool in_dev = is_in_dev(path);
        // mknod(2) of a device is for the host's root alone, so others get the host's own node; and so do places that the
        // launcher does not see.
        if ((!d_.facts.privileged && node.type != 'p') || (!in_dev && places_.is_inside(path))) return bind(path);
        launch::MakeNode step{.base = in_dev ? places_.dev() : launch::no_slot,
                              .path = path.substr(in_dev ? 5 : 1),
                              .type = node.type == 'u' ? 'c' : node.type,
                              .major = node.major,
                              .minor = node.minor,
                              .mode = node.mode.value_or(0666) & 07777,
                              .uid = d_.host_uid(node.uid.value_or(0)).value_or(d_.root_uid),
                              .gid = d_.host_gid(node.gid.value_or(0)).value_or(d_.root_gid),
                              .replace = true};
        if (in_dev) {
            for (size_t slash = step.path.find('/'); slash != step.path.npos; slash = step.path.find('/', slash + 1))
                d_.host(d_.directory(places_.dev(), step.path.substr(0, slash)));
            d_.host(std::move(step));
        } else {
            if (path.find('/', 1) != 4 || path.find('/', 5) != path.npos || !path.starts_with("/dev")) parent_of(path);
            d_.stage(std::move(step));
        }
    }

    void bind(const std::string& path) {
        launch::OpenTree tree{.slot = d_.new_slot(), .path = path};
        tree.attr.propagation = MS_PRIVATE;
        places_.attach_bind({.slot = tree.slot, .target = path, .create = launch::Create::file});
        d_.host(std::move(tree));
    }

    // What a tree has at the link's place stays there, but for the terminals' multiplexer, which is not the host's.
    void link(const char* name, const char* target) {
        const bool in_dev = is_in_dev(cat("/dev/", name));
        launch::MakeLink step{.base = in_dev ? places_.dev() : launch::no_slot,
                              .path = in_dev ? name : cat("dev/", name),
                              .target = target,
                              .replace = !in_dev && std::string_view(name) == "ptmx",
                              .optional = true,
                              .uid = d_.root_uid,
                              .gid = d_.root_gid};
        in_dev ? d_.host(std::move(step)) : d_.stage(std::move(step));
    }

    // The place for the terminal, while it can still be written to.
    void console() {
        if (is_in_dev("/dev/console"))
            d_.host(d_.file(places_.dev(), "console", "", 0600));
        else
            d_.stage(launch::MakePoint{
            .path = "/dev/console", .directory = false, .no_symlinks = true, .uid = d_.root_uid, .gid = d_.root_gid});
    }

    Draft& d_;
    Places& places_;
    std::vector<std::string> below_dev_;  // where the spec mounts something
};

}  // namespace

Result<> plan_bundle_dev(Draft& d, Places& places) {
    return BundleDev(d, places).all();
}

}  // namespace croft::plan
