// Rows: what the machine may use of the host. Keys are systemd.resource-control(5)'s: every one of them goes
// to the unit as written (Resources::unit_properties); those that croft can apply itself, without systemd,
// set a typed field as well. A percentage needs systemd, which knows what it is a share of, and leaves the
// typed field unset.
#include "spec/properties.h"

namespace croft::spec {

namespace {
using std::string_view;

struct MemoryMax {
    static constexpr const char* name = "MemoryMax";
};
struct MemoryHigh {
    static constexpr const char* name = "MemoryHigh";
};
struct MemoryLow {
    static constexpr const char* name = "MemoryLow";
};
struct MemoryMin {
    static constexpr const char* name = "MemoryMin";
};
struct MemorySwapMax {
    static constexpr const char* name = "MemorySwapMax";
};
struct CpuQuota {
    static constexpr const char* name = "CPUQuota";
};
struct CpuPeriod {
    static constexpr const char* name = "CPUQuotaPeriodSec";
};
struct CpuWeight {
    static constexpr const char* name = "CPUWeight";
};
struct AllowedCpus {
    static constexpr const char* name = "AllowedCPUs";
};
struct AllowedNodes {
    static constexpr const char* name = "AllowedMemoryNodes";
};

template <class P, auto Slot>
Result<> set_size(MachineSpec& s, string_view text) {
    if (auto percent = parse_percent(text); percent && *percent <= 10000) {
        property_store<P, Slot>(s, std::nullopt, std::string(text));
        return {};
    }
    if (text.ends_with('%')) return wrong_value(text, "is no share of memory (0% to 100%)");
    uint64_t bytes = TRY(parse_size_value(text));
    property_store<P, Slot>(s, bytes, size_text(bytes));
    return {};
}

// 1 % of a CPU is the least the kernel takes (cpu.max: 1 ms of a period of 100 ms); systemd keeps hundredths
// of a percent.
Result<> set_cpu_time(MachineSpec& s, string_view text, std::optional<uint64_t> micros, string_view form) {
    if (!micros || *micros < 10000 || *micros > 8192000000 || *micros % 100) return wrong_value(text, form);
    property_store<CpuQuota, ROW_SLOT(resources.cpu_quota)>(s, *micros,
                                                            cat(decimal_text(*micros * 100), "%"));
    return {};
}
Result<> set_cpus(MachineSpec& s, string_view text) {
    return set_cpu_time(s, text, parse_decimal(text), "is no number of CPUs (0.01 to 8192, as 1.5)");
}
Result<> set_cpu_quota(MachineSpec& s, string_view text) {
    auto percent = parse_percent(text);
    return set_cpu_time(s, text, percent ? std::optional(*percent * 100) : std::nullopt,
                        "is no share of a CPU (1% to 819200%, as 150%)");
}
std::vector<std::string> get_cpus(const MachineSpec& s) {
    if (!s.resources.cpu_quota) return {};
    return {decimal_text(*s.resources.cpu_quota)};
}
Result<> set_cpu_period(MachineSpec& s, string_view text) {
    uint64_t period = TRY(parse_duration_value(text));
    if (period < 1000 || period > 1000000) return wrong_value(text, "is no CPU period (1ms to 1s)");
    property_store<CpuPeriod, ROW_SLOT(resources.cpu_period)>(s, period, duration_text(period));
    return {};
}
Result<> set_cpu_weight(MachineSpec& s, string_view text) {
    s.resources.cpu_idle = text == "idle";
    if (text == "idle") {
        property_store<CpuWeight, ROW_SLOT(resources.cpu_weight)>(s, std::nullopt, "idle");
        return {};
    }
    uint64_t weight = static_cast<uint64_t>(TRY(parse_range(text, 1, 10000, "CPU weight")));
    property_store<CpuWeight, ROW_SLOT(resources.cpu_weight)>(s, weight, cat(weight));
    return {};
}
void reset_cpu_weight(MachineSpec& s) {
    s.resources.cpu_idle = false;
    property_reset<CpuWeight, ROW_SLOT(resources.cpu_weight)>(s);
}
template <class P, auto Slot, auto Parse>
Result<> set_list(MachineSpec& s, string_view text) {
    std::string list = TRY(Parse(text));
    property_store<P, Slot>(s, list, list);
    return {};
}
#define SIZE_ROW(tag, slot)                                                   \
    .set = set_size<tag, ROW_SLOT(resources.slot)>, .get = property_get<tag>, \
    .reset = property_reset<tag, ROW_SLOT(resources.slot)>
#define SIZES " Bytes, with a suffix K M G T P E of base 1024, infinity, or (with systemd) a share as 50%."

const Field table[] = {
    {.name = "memory",
     .option = "--memory",
     .short_option = 'm',
     .aliases = "--memory-max",
     .section = "Resources",
     .key = "MemoryMax",
     .argument = "BYTES",
     .help = "Most memory the machine may use",
     .doc = "Above it the kernel reclaims, then kills inside the machine (memory.max)." SIZES
            " Default: infinity.",
     .example = "--memory=512M",
     SIZE_ROW(MemoryMax, memory_max)},
    {.name = "memory-high",
     .option = "--memory-high",
     .section = "Resources",
     .key = "MemoryHigh",
     .argument = "BYTES",
     .help = "Memory above which the machine is slowed down",
     .doc = "Above it the kernel throttles and reclaims, and does not kill (memory.high)." SIZES
            " Default: infinity.",
     .example = "--memory-high=400M",
     SIZE_ROW(MemoryHigh, memory_high)},
    {.name = "memory-low",
     .option = "--memory-low",
     .section = "Resources",
     .key = "MemoryLow",
     .argument = "BYTES",
     .help = "Memory that is kept for the machine if possible",
     .doc = "Below it the kernel reclaims from others first (memory.low)." SIZES " Default: 0.",
     .example = "--memory-low=64M",
     SIZE_ROW(MemoryLow, memory_low)},
    {.name = "memory-min",
     .option = "--memory-min",
     .section = "Resources",
     .key = "MemoryMin",
     .argument = "BYTES",
     .help = "Memory that is never taken from the machine",
     .doc = "Below it the kernel never reclaims (memory.min)." SIZES " Default: 0.",
     .example = "--memory-min=32M",
     SIZE_ROW(MemoryMin, memory_min)},
    {.name = "memory-swap",
     .option = "--memory-swap",
     .section = "Resources",
     .key = "MemorySwapMax",
     .argument = "BYTES",
     .help = "Most swap the machine may use, besides its memory",
     .doc = "Swap alone (memory.swap.max); not the sum of memory and swap that Docker's option of this name "
            "means." SIZES " Default: infinity.",
     .example = "--memory-swap=0",
     SIZE_ROW(MemorySwapMax, swap_max)},
    {.name = "cpus",
     .option = "--cpus",
     .argument = "NUMBER",
     .help = "How many CPUs' time the machine may use",
     .doc =
         "A number from 0.01 to 8192, with up to four decimals: 1.5 is one and a half CPUs (cpu.max). Key: "
         "CPUQuota=. Default: all.",
     .example = "--cpus=1.5",
     .set = set_cpus,
     .get = get_cpus,
     .reset = property_reset<CpuQuota, ROW_SLOT(resources.cpu_quota)>},
    {.name = "cpu-quota",
     .section = "Resources",
     .key = "CPUQuota",
     .argument = "PERCENT",
     .offered = Offered::file_only,
     .help = "Share of one CPU's time",
     .doc = "From 1% with at most two decimals; 150% is one and a half CPUs. Option: --cpus. Default: none.",
     .example = "CPUQuota=150%",
     OWN_ROW(set_cpu_quota, CpuQuota, cpu_quota)},
    {.name = "cpu-period",
     .section = "Resources",
     .key = "CPUQuotaPeriodSec",
     .argument = "DURATION",
     .offered = Offered::file_only,
     .help = "Period over which CPUQuota= is measured",
     .doc = "From 1ms to 1s. Default: 100ms, the kernel's.",
     .example = "CPUQuotaPeriodSec=10ms",
     OWN_ROW(set_cpu_period, CpuPeriod, cpu_period)},
    {.name = "cpu-weight",
     .option = "--cpu-weight",
     .section = "Resources",
     .key = "CPUWeight",
     .argument = "WEIGHT",
     .help = "Share of CPU time when others want it too",
     .doc = "From 1 to 10000, or idle: only when nobody else wants it (cpu.weight, cpu.idle). Default: 100.",
     .example = "--cpu-weight=50",
     .set = set_cpu_weight,
     .get = property_get<CpuWeight>,
     .reset = reset_cpu_weight},
    {.name = "allowed-cpus",
     .option = "--allowed-cpus",
     .aliases = "--cpuset-cpus",
     .section = "Resources",
     .key = "AllowedCPUs",
     .argument = "CPUS",
     .help = "CPUs the machine may run on",
     .doc = "Numbers and ranges from 0 to 8191 (cpuset.cpus); unlike --cpu-affinity the machine cannot widen "
            "it. Default: all.",
     .example = "--allowed-cpus=0-3",
     OWN_ROW((set_list<AllowedCpus, ROW_SLOT(resources.cpuset_cpus), parse_cpu_list>), AllowedCpus,
             cpuset_cpus)},
    {.name = "allowed-memory-nodes",
     .option = "--allowed-memory-nodes",
     .aliases = "--cpuset-mems",
     .section = "Resources",
     .key = "AllowedMemoryNodes",
     .argument = "NODES",
     .help = "NUMA nodes to take memory from",
     .doc = "Numbers and ranges of NUMA nodes (cpuset.mems). Default: all.",
     .example = "--allowed-memory-nodes=0",
     OWN_ROW((set_list<AllowedNodes, ROW_SLOT(resources.cpuset_mems), parse_node_list>), AllowedNodes,
             cpuset_mems)},
};
}  // namespace

std::span<const Field> resource_rows() {
    return table;
}

}  // namespace croft::spec
