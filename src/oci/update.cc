#include "oci/update.h"

#include "base/text.h"
#include "format/json_writer.h"
#include "host/facts.h"
#include "kernel/cgroup.h"
#include "manager/supervisor.h"
#include "oci/scope.h"
#include "plan/planner.h"
#include "run/machine_cgroup.h"

namespace croft::oci {

namespace {
using format::JsonWriter;

struct Row {
    const char *flag, *object, *member;
};
constexpr Row numbers[] = {{"--memory", "memory", "limit"},
                           {"--memory-reservation", "memory", "reservation"},
                           {"--memory-swap", "memory", "swap"},
                           {"--kernel-memory", "memory", "kernel"},
                           {"--kernel-memory-tcp", "memory", "kernelTCP"},
                           {"--cpu-period", "cpu", "period"},
                           {"--cpu-quota", "cpu", "quota"},
                           {"--cpu-burst", "cpu", "burst"},
                           {"--cpu-share", "cpu", "shares"},
                           {"--cpu-shares", "cpu", "shares"},
                           {"--cpu-idle", "cpu", "idle"},
                           {"--cpu-rt-period", "cpu", "realtimePeriod"},
                           {"--cpu-rt-runtime", "cpu", "realtimeRuntime"},
                           {"--blkio-weight", "blockIO", "weight"},
                           {"--pids-limit", "pids", "limit"}};
constexpr Row texts[] = {{"--cpuset-cpus", "cpu", "cpus"}, {"--cpuset-mems", "cpu", "mems"}};

Result<int64_t> amount(const Flags& flags, const char* flag) {
    const std::string& text = *flags.value(flag);
    if (auto number = parse_int(text)) return *number;
    // "512M", as people write it.
    if (auto size = parse_size(text); size && *size <= INT64_MAX) return static_cast<int64_t>(*size);
    return error(Errc::usage, cat(flag, ": ", quoted(text), " is no number"));
}

// The kernel keeps quota and period in one file; the one that is not given stays.
void complete_cpu(spec::Resources& r, int group) {
    constexpr uint64_t second = 1'000'000, usual_period = 100'000;
    auto text = read_file_at(group, "cpu.max", 64);
    if (!text) return;
    std::string_view now = trim(*text);
    size_t blank = now.find(' ');
    auto period = blank == now.npos ? std::nullopt : parse_uint(now.substr(blank + 1));
    auto quota = parse_uint(now.substr(0, blank));
    if (r.cpu_quota && !r.cpu_period && period && *period != usual_period) {
        // It was taken for a part of the usual period.
        if (*r.cpu_quota != UINT64_MAX) {
            uint64_t part = (*r.cpu_quota * usual_period + second / 2) / second;
            r.cpu_quota = (part * second + *period - 1) / *period;
        }
        r.cpu_period = *period;
    }
    if (r.cpu_period && !r.cpu_quota && quota) r.cpu_quota = (*quota * second + *r.cpu_period - 1) / *r.cpu_period;
}

Result<> check_memory(const spec::Resources& r, int group) {
    if (!r.memory_check_before_update || !r.memory_max) return {};
    uint64_t used = kernel::cgroup_number(group, "memory.current").value_or(0);
    if (*r.memory_max >= used) return {};
    return error(Errc::invalid, cat("linux.resources.memory.limit: ", *r.memory_max, " is below the ", used,
                                    " bytes that are in use, and checkBeforeUpdate is set"));
}

Result<> write_settings(const launch::Cgroup& wanted, int group) {
    for (const launch::CgroupSetting& setting : wanted.settings) {
        if (!exists_at(group, setting.file.c_str()) && setting.file != "memory.swap.max")
            return error(Errc::unsupported, cat(setting.file, " is not there in the container's control group: its controller "
                                                              "was not available when the container was made"));
        TRY(run::write_setting(group, setting).within(cat("writing ", quoted(setting.value), " to ", setting.file)));
    }
    return {};
}
}  // namespace

Result<std::string> resources_of(const Flags& flags, const Container& container) {
    JsonWriter json(format::JsonStyle::compact);
    json.begin_object();
    for (const char* object : {"memory", "cpu", "blockIO", "pids"}) {
        json.key(object).begin_object();
        for (const Row& row : numbers)
            if (std::string_view(row.object) == object && flags.has(row.flag))
                json.member(row.member, TRY(amount(flags, row.flag)));
        for (const Row& row : texts)
            if (std::string_view(row.object) == object && flags.has(row.flag)) json.member(row.member, *flags.value(row.flag));
        // The limit of swap is of both together: without a new limit of memory it is counted from the one there is.
        if (std::string_view(object) == "memory" && flags.has("--memory-swap") && !flags.has("--memory")) {
            auto group = open_at(AT_FDCWD, container.record.cgroup.c_str(), O_RDONLY | O_DIRECTORY);
            uint64_t now = group ? kernel::cgroup_number(group->get(), "memory.max").value_or(UINT64_MAX) : UINT64_MAX;
            if (now <= INT64_MAX) json.member("limit", now);
        }
        json.end_object();
    }
    json.end_object();
    return json.take();
}

Result<> apply_resources(const Container& container, spec::MachineSpec spec) {
    if (container.record.cgroup.empty())
        return error(Errc::unsupported, cat("container ", quoted(container.id),
                                            " has no control group of its own, so nothing can be limited"));
    Fd group = TRY(open_at(AT_FDCWD, container.record.cgroup.c_str(), O_RDONLY | O_DIRECTORY)
                       .within(cat("the control group of container ", quoted(container.id))));
    spec.root.layout = spec::Layout::bundle;
    spec.resources.cgroup_path = container.record.cgroup;
    TRY(check_memory(spec.resources, group.get()));
    complete_cpu(spec.resources, group.get());
    spec::HostFacts facts;
    host::find_cgroup2(facts);
    launch::Cgroup wanted = TRY(plan::plan_changed_limits(spec, facts));
    // systemd writes its files again whenever it likes, so it has to know.
    auto properties = unit_properties(wanted.settings);
    if (!container.record.unit.empty() && manager::supervisor() && !properties.empty())
        TRY(manager::supervisor()->set_properties(container.record.unit, properties));
    return write_settings(wanted, group.get());
}

}  // namespace croft::oci
