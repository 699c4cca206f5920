// Limits: the settings of a spec's resources as files of the control group.
#include <algorithm>

#include "plan/draft.h"

namespace croft::plan {

namespace {

constexpr uint64_t default_tasks = 16384;  // as systemd gives to each machine

std::string number(uint64_t value) {
    return value == UINT64_MAX ? "max" : cat(value);
}

// The settings of the spec as files of cgroup2 (Documentation/admin-guide/cgroup-v2.rst), each with the
// name that it was asked for by for the sentence of its refusal.
class Limits {
  public:
    explicit Limits(Draft& d) : d_(d) {}

    Result<> all() {
        const spec::Resources& r = d_.spec.resources;
        TRY(memory(r));
        TRY(cpu(r));
        if (!r.cpuset_cpus.empty()) TRY(set("cpuset.cpus", r.cpuset_cpus, "--allowed-cpus", "cpu.cpus"));
        if (!r.cpuset_mems.empty()) TRY(set("cpuset.mems", r.cpuset_mems, "--allowed-memory-nodes", "cpu.mems"));
        TRY(tasks(r));
        TRY(io(r));
        // Of what is in use, and of what is reserved: the latter fails with ENOMEM, the former with SIGBUS.
        for (const auto& [size, bytes] : r.hugetlb)
            for (const char* file : {".max", ".rsvd.max"})
                TRY(set(cat("hugetlb.", size, file), number(bytes), "hugepageLimits", "hugepageLimits"));
        for (const auto& [device, value] : r.rdma) TRY(set("rdma.max", cat(device, " ", value), "rdma", "rdma"));
        for (const auto& [file, value] : r.unified) TRY(set(file, value, cat("unified ", file), cat("unified.", file)));
        return {};
    }

  private:
    Result<> set(std::string file, std::string value, std::string_view option, std::string_view member) {
        const std::string name = d_.bundle ? cat("linux.resources.", member) : std::string(option);
        if (file.find('/') != file.npos || file.empty())
            return error(Errc::invalid, cat(name, ": ", quoted(file), " is no file of a cgroup"));
        std::string controller = file.substr(0, file.find('.'));
        if (d_.launch.cgroup.path.empty())
            return error(Errc::unsupported,
                         cat(name,
                             ": this host has no cgroup2 that croft may use, so nothing can be "
                             "limited (mount one at /sys/fs/cgroup, or start croft in a delegated group)"));
        if (controller != "cgroup" && !has_controller(controller))
            return error(Errc::unsupported,
                         cat(name, ": this host has no cgroup2 ", controller,
                             " controller that croft may use (it may be switched off, held by cgroup v1, "
                             "or not delegated)"));
        auto& wanted = d_.launch.cgroup.controllers;
        if (controller != "cgroup" && std::ranges::find(wanted, controller) == wanted.end())
            wanted.push_back(controller);
        d_.launch.cgroup.settings.push_back({std::move(file), std::move(value)});
        return {};
    }

    bool has_controller(std::string_view name) const {
        return std::ranges::find(d_.facts.cgroup_controllers, name) != d_.facts.cgroup_controllers.end();
    }

    Result<> memory(const spec::Resources& r) {
        struct Row {
            const std::optional<uint64_t>& value;
            const char *file, *option, *member;
        };
        const Row rows[] = {{r.memory_max, "memory.max", "--memory", "memory.limit"},
                            {r.memory_high, "memory.high", "--memory-high", ""},
                            {r.memory_low, "memory.low", "--memory-low", "memory.reservation"},
                            {r.memory_min, "memory.min", "--memory-min", ""},
                            {r.swap_max, "memory.swap.max", "--memory-swap", "memory.swap"}};
        for (const Row& row : rows)
            if (row.value) TRY(set(row.file, number(*row.value), row.option, row.member));
        return {};
    }

    Result<> cpu(const spec::Resources& r) {
        uint64_t period = r.cpu_period.value_or(100'000);
        if (r.cpu_quota || r.cpu_period) {
            std::string quota = "max";
            // The kernel refuses less than a millisecond.
            if (r.cpu_quota && *r.cpu_quota != UINT64_MAX)
                quota = cat(std::max<uint64_t>(*r.cpu_quota * period / 1'000'000, 1000));
            TRY(set("cpu.max", cat(quota, " ", period), "--cpus", "cpu.quota"));
        }
        if (r.cpu_burst) TRY(set("cpu.max.burst", cat(*r.cpu_burst), "burst", "cpu.burst"));
        // The kernel's own default, which engines write in every config.json, needs nobody to set it.
        const bool needless = d_.bundle && r.cpu_weight == 100 && !has_controller("cpu");
        if (r.cpu_weight && !needless) TRY(set("cpu.weight", cat(*r.cpu_weight), "--cpu-weight", "cpu.shares"));
        if (r.cpu_idle) TRY(set("cpu.idle", "1", "--cpu-weight", "cpu.idle"));
        return {};
    }

    Result<> tasks(const spec::Resources& r) {
        if (r.tasks_max) return set("pids.max", number(*r.tasks_max), "--tasks", "pids.limit");
        // Nobody asked for the default, so a host that cannot do it goes without.
        if (d_.boot && has_controller("pids") && !d_.launch.cgroup.path.empty())
            return set("pids.max", cat(default_tasks), "TasksMax", "");
        return {};
    }

    Result<> io(const spec::Resources& r) {
        if (r.io_weight) TRY(set("io.weight", cat("default ", *r.io_weight), "--io-weight", "blockIO.weight"));
        for (const auto& [path, limit] : r.io_max) {
            auto device = d_.facts.devices.find(path);
            if (device == d_.facts.devices.end() || device->second.type != 'b')
                return error(Errc::invalid,
                             cat("I/O limit: ", quoted(path), " is no block device of this host"));
            TRY(set("io.max", cat(device->second.major, ":", device->second.minor, " ", limit),
                    "an I/O limit", "blockIO"));
        }
        return {};
    }

    Draft& d_;
};

}  // namespace

Result<> plan_limits(Draft& d) {
    return Limits(d).all();
}

}  // namespace croft::plan
