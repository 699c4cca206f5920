// A config.json, through the reader and the planner of a usual host.
#include "dialect/oci_config.h"
#include "launch/launch_plan.h"
#include "plan/planner.h"
#include "property.h"

using namespace croft;

namespace {

spec::HostFacts host(size_t kind) {
    spec::HostFacts facts;
    facts.kernel_major = 6, facts.kernel_minor = 12;
    facts.machine_arch = "x86_64";
    facts.privileged = kind % 2 == 0;
    facts.capability_bounding = 0x1ffffffffff;
    facts.cgroup_root = "/sys/fs/cgroup";
    if (kind % 3 == 0)
        facts.cgroup_controllers = {"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"};
    facts.random_uuid = "0123456789abcdef0123456789abcdef";
    facts.run_directory = "/run/croft-oci/one";
    facts.helper_directory = "/usr/libexec/croft";
    facts.scratch_directory = "/run/croft-oci/one/scratch";
    facts.tree.directory = "/bundle/rootfs";
    return facts;
}

bool within(const std::string& path, std::string_view text) {
    fuzz::promise(path.starts_with('/'), "a path is absolute", text);
    return true;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text = fuzz::text_of(data, size);
    for (auto* part : {dialect::parse_oci_process, dialect::parse_oci_resources})
        if (auto alone = part(text); !alone)
            fuzz::promise(!alone.error().text.empty(), "an error says why", text);
    auto read = dialect::parse_oci_config(text, {"/bundle", "one"});
    if (!read) {
        std::string_view why = read.error().text;
        fuzz::promise(why.starts_with("$") || why.starts_with("is "), "an error starts with the place", why);
        return 0;
    }
    const spec::MachineSpec& spec = read->spec;
    fuzz::promise(read->warnings.size() <= 16, "warnings are few", text);
    within(spec.root.directory, text);
    if (!spec.process.command.empty()) within(spec.process.directory, text);
    spec::HostFacts facts = host(size);
    for (const spec::Mount& mount : spec.mounts) {
        within(mount.target, text);
        if (mount.kind == spec::Mount::Kind::bind)
            facts.path_is_directory[mount.source] = within(mount.source, text);
    }
    auto plans = plan::plan(spec, facts);
    if (!plans) fuzz::promise(!plans.error().text.empty(), "an error says why", text);
    return 0;
}
