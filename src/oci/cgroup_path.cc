#include "oci/cgroup_path.h"

#include "base/text.h"

namespace croft::oci {

Result<> choose_cgroup(const Global& global, spec::MachineSpec& spec) {
    std::string& path = spec.resources.cgroup_path;
    if (!global.cgroups) return path.clear(), Result<>();
    std::string out;
    for (const std::string& part : split(path, '/')) {
        if (part == "..")
            return error(Errc::invalid, cat("$.linux.cgroupsPath: ", quoted(path), " leaves the control groups' root: "
                                                                                   "write it without .."));
        if (!part.empty() && part != ".") out += cat(out.empty() ? "" : "/", part);
    }
    path = out.empty() ? spec.name : out;
    return {};
}

}  // namespace croft::oci
