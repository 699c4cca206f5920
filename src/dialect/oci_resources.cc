// config.json: linux.resources, which also comes alone (`update --resources`).
//
// The specification speaks of cgroup v1; here its values become those of cgroup2. 0 is written by engines for
// "nothing said", -1 for no limit. What cgroup2 has no counterpart for is refused when it would limit
// something.
#include <cmath>

#include "dialect/oci_parts.h"
#include "spec/values.h"

namespace croft::dialect {

namespace {
using spec::MachineSpec;
using spec::Resources;
using std::string_view;

// ------------------------------------------------------------ memory

struct Memory {
    int64_t limit = 0, reservation = 0, swap = 0;
    bool check = false;
};
template <int64_t Memory::*Member>
Result<> bytes(Json v, Memory& out, JsonNotes&) {
    out.*Member = TRY(json_integer(v, -1, INT64_MAX));
    return {};
}
Result<> kernel_memory(Json v, Memory&, JsonNotes& notes) {
    if (TRY(json_integer(v, -1, INT64_MAX)) > 0)
        notes.warn(
            v, "is ignored: kernels have no limit of kernel memory any more, it counts for the limit of all");
    return {};
}
Result<> kernel_tcp(Json v, Memory&, JsonNotes&) {
    if (TRY(json_integer(v, -1, INT64_MAX)) > 0)
        return json_error(v,
                          "cannot be limited by cgroup2: socket buffers count for the limit of all memory");
    return {};
}
Result<> swappiness(Json v, Memory&, JsonNotes&) {
    TRY(json_number(v, 100));
    return json_error(v, "cannot be set in cgroup2, where it is the host's (vm.swappiness)");
}
Result<> disable_oom_killer(Json v, Memory&, JsonNotes&) {
    if (TRY(json_bool(v)))
        return json_error(v, "cgroup2 has no groups without an OOM killer (use oomScoreAdj)");
    return {};
}
Result<> use_hierarchy(Json v, Memory&, JsonNotes& notes) {
    if (!TRY(json_bool(v))) notes.warn(v, "is ignored: cgroup2 always accounts hierarchically");
    return {};
}
Result<> check_before_update(Json v, Memory& out, JsonNotes&) {
    out.check = TRY(json_bool(v));
    return {};
}
constexpr JsonRow<Memory> memory_rows[] = {{"limit", bytes<&Memory::limit>},
                                           {"reservation", bytes<&Memory::reservation>},
                                           {"swap", bytes<&Memory::swap>},
                                           {"kernel", kernel_memory},
                                           {"kernelTCP", kernel_tcp},
                                           {"swappiness", swappiness},
                                           {"disableOOMKiller", disable_oom_killer},
                                           {"useHierarchy", use_hierarchy},
                                           {"checkBeforeUpdate", check_before_update}};

std::optional<uint64_t> limit_of(int64_t value) {
    if (!value) return {};
    return value < 0 ? UINT64_MAX : static_cast<uint64_t>(value);
}

// `swap` is of memory and swap together, memory.swap.max of swap alone.
Result<std::optional<uint64_t>> swap_alone(Json v, const Memory& memory) {
    // In cgroup v1 the sum cannot stay limited when its part is not.
    if (memory.limit == -1 && !memory.swap) return std::optional<uint64_t>(UINT64_MAX);
    if (memory.swap <= 0) return limit_of(memory.swap);
    Json at = json_member(v, "swap").value_or(v);
    if (memory.limit <= 0)
        return json_error(at, "is of memory and swap together, so it needs a limit of memory too");
    if (memory.swap < memory.limit)
        return json_error(at, "is of memory and swap together, and below the memory's limit");
    return std::optional(static_cast<uint64_t>(memory.swap - memory.limit));
}

Result<> memory(Json v, MachineSpec& spec, JsonNotes& notes) {
    Memory out;
    TRY(json_members(v, memory_rows, out, notes));
    Resources& r = spec.resources;
    r.memory_max = limit_of(out.limit);
    r.memory_low = limit_of(out.reservation);
    r.swap_max = TRY(swap_alone(v, out));
    r.memory_check_before_update = out.check;
    return {};
}

// ------------------------------------------------------------ cpu

struct Cpu {
    uint64_t shares = 0, period = 0;
    int64_t quota = 0;
    std::optional<uint64_t> burst;
    bool idle = false;
    std::string cpus, mems;
};
Result<> quota(Json v, Cpu& out, JsonNotes&) {
    out.quota = TRY(json_integer(v, -1, INT64_MAX / 1'000'000));
    return {};
}
// The kernel's own bounds are a millisecond and a second.
Result<> period(Json v, Cpu& out, JsonNotes&) {
    out.period = TRY(json_number(v, 1'000'000));
    if (out.period && out.period < 1000) return json_error(v, "is below 1000 (a millisecond)");
    return {};
}
Result<> burst(Json v, Cpu& out, JsonNotes&) {
    out.burst = TRY(json_number(v, UINT64_MAX / 1000));
    return {};
}
Result<> real_time(Json v, Cpu&, JsonNotes&) {
    if (TRY(json_integer(v, INT64_MIN, INT64_MAX)) > 0) return json_error(v, "cannot be limited by cgroup2");
    return {};
}
Result<> idle(Json v, Cpu& out, JsonNotes&) {
    out.idle = TRY(json_number(v, 1)) == 1;
    return {};
}
Result<> cpus(Json v, Cpu& out, JsonNotes&) {
    out.cpus = TRY(json_cpus(v));
    return {};
}
Result<> mems(Json v, Cpu& out, JsonNotes&) {
    out.mems = TRY(json_nodes(v));
    return {};
}
constexpr JsonRow<Cpu> cpu_rows[] = {{"shares", uint64_into<&Cpu::shares>},
                                     {"quota", quota},
                                     {"burst", burst},
                                     {"period", period},
                                     {"realtimeRuntime", real_time},
                                     {"realtimePeriod", real_time},
                                     {"cpus", cpus},
                                     {"mems", mems},
                                     {"idle", idle}};

// 2, 1024 and 262144 shares are the weights 1, 100 and 10000: the smallest, the default and the largest of
// both. The curve through these three points is quadratic in the logarithms; the runtimes of 2025 have agreed
// on it.
uint64_t weight_of(uint64_t shares) {
    double l = std::log2(static_cast<double>(std::clamp<uint64_t>(shares, 2, 262144)));
    double weight = std::exp2((l * l + 125 * l - 126) / 612 * std::log2(10.0));
    return static_cast<uint64_t>(std::ceil(weight - 1e-6));
}

Result<> cpu(Json v, MachineSpec& spec, JsonNotes& notes) {
    Cpu in;
    TRY(json_members(v, cpu_rows, in, notes));
    Resources& r = spec.resources;
    if (in.shares) r.cpu_weight = weight_of(in.shares);
    if (in.period) r.cpu_period = in.period;
    uint64_t length = in.period ? in.period : 100'000;
    if (in.quota < 0) r.cpu_quota = UINT64_MAX;
    // Per second, and rounded up: times the period, rounded down, it is the same again.
    if (in.quota > 0) r.cpu_quota = (static_cast<uint64_t>(in.quota) * 1'000'000 + length - 1) / length;
    if (in.burst && in.quota > 0 && *in.burst > static_cast<uint64_t>(in.quota))
        return json_error(json_member(v, "burst").value_or(v), "is above the quota");
    r.cpu_burst = in.burst;
    r.cpu_idle = in.idle;
    r.cpuset_cpus = in.cpus;
    r.cpuset_mems = in.mems;
    return {};
}

// ------------------------------------------------------------ pids, hugepages, rdma, network

Result<> pids_limit(Json v, Resources& out, JsonNotes&) {
    int64_t limit = TRY(json_integer(v, -1, INT64_MAX));
    out.tasks_max = limit < 0 ? UINT64_MAX : static_cast<uint64_t>(limit);
    return {};
}
constexpr JsonRow<Resources> pids_rows[] = {{"limit", pids_limit}};
Result<> pids(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, pids_rows, spec.resources, notes);
}

using Huge = std::pair<std::string, uint64_t>;
Result<> page_size(Json v, Huge& out, JsonNotes&) {
    out.first = TRY(json_text(v));
    string_view text = out.first;
    bool unit =
        text.size() > 2 && text.back() == 'B' && string_view("KMG").find(text[text.size() - 2]) != text.npos;
    auto number = unit ? parse_uint(text.substr(0, text.size() - 2)) : std::nullopt;
    if (!number || !*number || text[0] == '0')
        return json_error(v, cat(croft::quoted(text), " is no size of pages (64KB, 2MB, 1GB)"));
    return {};
}
constexpr JsonRow<Huge> huge_rows[] = {{"pageSize", page_size, Presence::required},
                                       {"limit", uint64_into<&Huge::second>, Presence::required}};
Result<> huge_pages(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_list(v, huge_rows, spec.resources.hugetlb, notes);
}

struct Rdma {
    std::optional<uint32_t> handles, objects;
};
constexpr JsonRow<Rdma> rdma_rows[] = {{"hcaHandles", uint32_into<&Rdma::handles>},
                                       {"hcaObjects", uint32_into<&Rdma::objects>}};
Result<> rdma(Json v, MachineSpec& spec, JsonNotes& notes) {
    for (Json member : TRY(json_map(v))) {
        Rdma limits;
        TRY(json_members(member, rdma_rows, limits, notes));
        if (member.key().find_first_of(" \n") != string_view::npos)
            return json_error(member, "is no name of a device");
        if (!limits.handles && !limits.objects)
            return json_error(member, "has neither hcaHandles nor hcaObjects");
        std::string value;
        if (limits.handles) value = cat("hca_handle=", *limits.handles);
        if (limits.objects) value += cat(value.empty() ? "" : " ", "hca_object=", *limits.objects);
        spec.resources.rdma.emplace_back(member.key(), std::move(value));
    }
    return {};
}

Result<> class_id(Json v, MachineSpec&, JsonNotes&) {
    if (TRY(json_number(v, UINT32_MAX)))
        return json_error(
            v, "cannot be set in cgroup2 (mark packets by the group's path with nftables instead)");
    return {};
}
Result<> priorities(Json v, MachineSpec&, JsonNotes&) {
    if (!TRY(json_array(v)).empty()) return json_error(v, "cannot be set in cgroup2");
    return {};
}
constexpr JsonRow<MachineSpec> network_rows[] = {{"classID", class_id}, {"priorities", priorities}};
Result<> network(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, network_rows, spec, notes);
}

// ------------------------------------------------------------ unified

// A kernel takes one line a write, whatever devices they are of.
void add_lines(std::vector<std::pair<std::string, std::string>>& files, string_view file,
               const std::string& value) {
    size_t before = files.size();
    for (std::string& line : split(value, '\n'))
        if (!line.empty()) files.emplace_back(file, std::move(line));
    if (files.size() == before) files.emplace_back(file, "");
}

// Any file of a group but those that move, kill or stop processes: these are the runtime's.
Result<> unified(Json v, MachineSpec& spec, JsonNotes&) {
    for (Json member : TRY(json_map(v))) {
        string_view file = member.key();
        size_t dot = file.find('.');
        if (file.find('/') != file.npos || dot == file.npos || dot == 0 || dot + 1 == file.size())
            return json_error(member, "is no file of a group (CONTROLLER.NAME)");
        for (string_view own : {"cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze",
                                "cgroup.subtree_control", "cgroup.type"})
            if (file == own) return json_error(member, "is the runtime's own to write");
        add_lines(spec.resources.unified, file, TRY(json_text(member)));
    }
    return {};
}

constexpr JsonRow<MachineSpec> resource_rows[] = {{"devices", read_oci_device_rules},
                                                  {"memory", memory},
                                                  {"cpu", cpu},
                                                  {"pids", pids},
                                                  {"blockIO", read_oci_blockio},
                                                  {"hugepageLimits", huge_pages},
                                                  {"network", network},
                                                  {"rdma", rdma},
                                                  {"unified", unified}};
}  // namespace

Result<> read_oci_resources(Json v, MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, resource_rows, spec, notes);
}

}  // namespace croft::dialect
