// Golden specs: bundles as engines make them (oci/NAME.json) and what they mean (oci/NAME.spec).
// CROFT_GOLDEN=update writes the latter anew; review them as a diff.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "dialect/oci_config.h"
#include "spec/seccomp_request.h"

namespace croft::dialect {
namespace {

using Strings = std::vector<std::string>;

class Dump {
  public:
    void line(std::string_view name, const std::string& value) {
        if (!value.empty()) out += cat(name, ": ", value, "\n");
    }
    void list(std::string_view name, const Strings& values) { line(name, join(values, " ")); }
    void pairs(std::string_view name, const std::vector<std::pair<std::string, std::string>>& values) {
        for (const auto& [key, value] : values) out += cat(name, ": ", key, " = ", value, "\n");
    }
    template <class T>
    void number(std::string_view name, const std::optional<T>& value) {
        if (value) out += cat(name, ": ", *value, "\n");
    }
    void maps(std::string_view name, const std::vector<spec::IdMapping>& maps) {
        for (const spec::IdMapping& map : maps)
            out += cat(name, ": ", map.inside, " ", map.outside, " ", map.count, "\n");
    }
    std::string out;
};

void dump_files(Dump& d, const spec::MachineSpec& s) {
    d.line("root", cat(s.root.directory, s.root.read_only ? " ro" : "", " propagation ",
                       static_cast<int>(s.root.propagation)));
    for (const spec::Mount& m : s.mounts)
        d.line("mount",
               cat(m.kind == spec::Mount::Kind::bind ? "bind" : m.fs_type, " ", m.source, " on ", m.target,
                   m.writable ? "" : " ro", m.recursive ? " recursive" : "", " propagation ",
                   static_cast<int>(m.propagation), " [", join(m.options, ","), "]"));
    for (const spec::Device& device : s.devices)
        d.line("device", cat(device.target, " ", device.exact->type, " ", device.exact->major, ":",
                             device.exact->minor, " mode ", device.exact->mode.value_or(0)));
    d.list("masked", s.security.masked_paths.value_or(Strings()));
    d.list("readonly", s.security.readonly_paths.value_or(Strings()));
}

void dump_process(Dump& d, const spec::MachineSpec& s) {
    const spec::Process& p = s.process;
    d.list("command", p.command);
    d.line("in", p.directory);
    if (p.terminal == spec::Terminal::pty) d.line("terminal", "yes");
    d.line("user", cat(p.user.ids->first, ":", p.user.ids->second));
    for (uint32_t group : p.user.extra_groups) d.line("group", cat(group));
    d.number("umask", p.user.umask);
    d.pairs("env", p.environment.set);
    for (const spec::Rlimit& limit : p.rlimits)
        d.line("rlimit", cat(limit.name, " ", limit.soft, " ", limit.hard));
    d.number("oom", p.oom_score_adjust);
    d.line("apparmor", p.apparmor_profile);
    const spec::CapabilitySets& sets = *s.security.capabilities;
    d.list("bounding", sets.bounding);
    d.list("effective", sets.effective);
    d.list("inheritable", sets.inheritable);
    d.list("permitted", sets.permitted);
    d.list("ambient", sets.ambient);
    d.line("no_new_privileges", *s.security.no_new_privileges ? "yes" : "no");
    if (s.security.seccomp) d.line("seccomp", spec::profile_request(*s.security.seccomp).value());
}

void dump_rest(Dump& d, const spec::MachineSpec& s) {
    const spec::Namespaces& ns = s.namespaces;
    d.line("namespaces",
           cat("ipc '", ns.ipc, "' uts '", ns.uts, "' cgroup '", ns.cgroup, "' pid '", ns.pid, "' mount '",
               ns.mount, "' network ", static_cast<int>(s.network.mode), " '", s.network.path, "' users ",
               static_cast<int>(s.users.mode), ns.time ? " time" : ""));
    d.maps("uid", s.users.uid_maps);
    d.maps("gid", s.users.gid_maps);
    const spec::Resources& r = s.resources;
    d.line("cgroup", r.cgroup_path);
    d.number("memory.max", r.memory_max);
    d.number("memory.swap.max", r.swap_max);
    d.number("cpu.weight", r.cpu_weight);
    d.number("cpu quota", r.cpu_quota);
    d.number("cpu period", r.cpu_period);
    d.number("pids.max", r.tasks_max);
    d.number("io.weight", r.io_weight);
    d.pairs("unified", r.unified);
    for (const spec::DeviceRule& rule : r.device_rules)
        d.line("rule", cat(rule.allow ? "allow " : "deny ", rule.type, " ", rule.major.value_or(-1), ":",
                           rule.minor.value_or(-1), " ", rule.access));
    d.pairs("sysctl", s.security.sysctls);
    d.line("hostname", s.integration.hostname);
    d.pairs("annotation", s.integration.annotations);
    for (const spec::Hook& hook : s.hooks.prestart)
        d.line("prestart", cat(hook.path, " ", join(hook.args, " ")));
}

std::string dump(const OciSpec& read) {
    Dump d;
    for (const std::string& warning : read.warnings) d.line("warning", warning);
    dump_files(d, read.spec);
    dump_process(d, read.spec);
    dump_rest(d, read.spec);
    return d.out;
}

TEST(OciGolden, BundlesOfEngines) {
    const char* mode = getenv("CROFT_GOLDEN");
    Fd folder = open_at(AT_FDCWD, CROFT_OCI_DIRECTORY, O_RDONLY | O_DIRECTORY).value();
    for (std::string engine : {"docker", "podman", "containerd", "buildah"}) {
        auto text = read_file_at(folder.get(), (engine + ".json").c_str());
        ASSERT_TRUE(text) << text.error().text;
        auto read = parse_oci_config(*text, {"/bundle", engine});
        ASSERT_TRUE(read) << engine << ": " << read.error().text;
        std::string golden = engine + ".spec";
        if (mode && std::string_view(mode) == "update")
            ASSERT_TRUE(replace_file_at(folder.get(), golden.c_str(), dump(*read)));
        auto expected = read_file_at(folder.get(), golden.c_str());
        ASSERT_TRUE(expected) << golden << " is missing: run with CROFT_GOLDEN=update";
        EXPECT_EQ(dump(*read), *expected) << engine;
    }
}

}  // namespace
}  // namespace croft::dialect
