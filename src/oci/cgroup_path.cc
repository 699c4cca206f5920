#include "oci/cgroup_path.h"

#include "base/text.h"

namespace croft::oci {

Result<std::optional<ScopeName>> choose_cgroup(const Global& global, const Places& places, spec::MachineSpec& spec) {
    std::string& path = spec.resources.cgroup_path;
    std::optional<ScopeName> scope;
    if (!global.cgroups) return path.clear(), scope;
    if (global.systemd) {
        scope = TRY(parse_scope(path, spec.name, places.paths.system));
        path = scope_path(*scope);
        return scope;
    }
    std::string out;
    for (const std::string& part : split(path, '/')) {
        if (part == "..")
            return error(Errc::invalid, cat("$.linux.cgroupsPath: ", quoted(path), " leaves the control groups' root: "
                                                                                   "write it without .."));
        if (!part.empty() && part != ".") out += cat(out.empty() ? "" : "/", part);
    }
    path = out.empty() ? spec.name : out;
    return scope;
}

}  // namespace croft::oci
