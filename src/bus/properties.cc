#include "bus/properties.h"

#include "base/date.h"
#include "base/text.h"
#include "bus/signals.h"
#include "launch/outcome.h"

namespace croft::bus {

namespace {
using manager::Machine;
using Image = store::Summary;

const char* outcome_word(launch::Outcome::Kind kind) {
    constexpr const char* words[] = {"running",  "never-started", "exited",  "signalled",
                                     "rebooted", "powered-off",   "stopped", "killed"};
    return words[static_cast<size_t>(kind)];
}

std::string outcome_text(const Machine& machine) {
    return machine.alive() || machine.state == manager::State::lost ? "" : launch::describe(machine.outcome);
}

uint32_t pid(const manager::ProcessId& process) {
    return static_cast<uint32_t>(process.pid);
}

constexpr Property<Machine> machine_rows[] = {
    {"Name", "s", Emits::constant, [](const Machine& m) -> Value { return m.name; }},
    {"State", "s", Emits::changes,
     [](const Machine& m) -> Value { return std::string(manager::state_name(m.state)); }},
    {"Outcome", "s", Emits::changes,
     [](const Machine& m) -> Value { return std::string(outcome_word(m.outcome.kind)); }},
    {"OutcomeStatus", "i", Emits::changes,
     [](const Machine& m) -> Value { return static_cast<int32_t>(m.outcome.status); }},
    {"OutcomeText", "s", Emits::changes, [](const Machine& m) -> Value { return outcome_text(m); }},
    {"File", "s", Emits::changes, [](const Machine& m) -> Value { return m.file; }},
    {"Mistake", "s", Emits::changes, [](const Machine& m) -> Value { return m.mistake; }},
    {"Kind", "s", Emits::changes,
     [](const Machine& m) -> Value { return std::string(m.record.boot ? "system" : "app"); }},
    {"Command", "as", Emits::changes, [](const Machine& m) -> Value { return m.record.command; }},
    {"Tree", "s", Emits::changes, [](const Machine& m) -> Value { return m.record.tree; }},
    {"TreeReadOnly", "b", Emits::changes, [](const Machine& m) -> Value { return m.record.tree_read_only; }},
    {"Detached", "b", Emits::changes, [](const Machine& m) -> Value { return m.record.detached; }},
    {"Unit", "s", Emits::changes, [](const Machine& m) -> Value { return m.record.unit; }},
    {"Leader", "u", Emits::changes,
     [](const Machine& m) -> Value { return m.alive() ? pid(m.record.leader) : 0u; }},
    {"Keeper", "u", Emits::changes,
     [](const Machine& m) -> Value { return m.alive() ? pid(m.record.keeper) : 0u; }},
    {"ControlGroup", "s", Emits::changes, [](const Machine& m) -> Value { return m.record.cgroup; }},
    {"IdBase", "u", Emits::changes, [](const Machine& m) -> Value { return m.record.id_base.value_or(0); }},
    {"IdCount", "u", Emits::changes, [](const Machine& m) -> Value { return m.record.id_count; }},
    {"CreatedUSec", "t", Emits::changes, [](const Machine& m) -> Value { return m.record.created; }},
    {"StartedUSec", "t", Emits::changes, [](const Machine& m) -> Value { return m.record.started; }},
    {"EndedUSec", "t", Emits::changes, [](const Machine& m) -> Value { return m.ended; }},
    {"Restarts", "u", Emits::changes,
     [](const Machine& m) -> Value { return static_cast<uint32_t>(m.record.restarts); }},
    {"Ready", "b", Emits::changes, [](const Machine& m) -> Value { return m.ready; }},
    {"StatusText", "s", Emits::changes, [](const Machine& m) -> Value { return m.status; }},
    {"StopSignal", "u", Emits::changes, [](const Machine& m) -> Value { return m.record.stop_signal; }},
    {"StopTimeoutUSec", "t", Emits::changes, [](const Machine& m) -> Value { return m.record.stop_timeout; }},
    {"MemoryCurrent", "t", Emits::never, [](const Machine& m) -> Value { return memory_of(m); }},
    {"CPUUsageNSec", "t", Emits::never, [](const Machine& m) -> Value { return cpu_of(m); }},
    {"TasksCurrent", "t", Emits::never, [](const Machine& m) -> Value { return tasks_of(m); }},
};

constexpr Property<Job> job_rows[] = {
    {"Id", "s", Emits::constant, [](const Job& j) -> Value { return j.id; }},
    {"Verb", "s", Emits::constant, [](const Job& j) -> Value { return j.verb; }},
    {"Machine", "s", Emits::constant, [](const Job& j) -> Value { return j.machine; }},
    {"Image", "s", Emits::constant, [](const Job& j) -> Value { return j.image; }},
    {"Owner", "u", Emits::constant, [](const Job& j) -> Value { return j.owner; }},
    {"Unit", "s", Emits::constant, [](const Job& j) -> Value { return j.unit; }},
    {"StartedUSec", "t", Emits::constant, [](const Job& j) -> Value { return j.started; }},
    {"State", "s", Emits::changes,
     [](const Job& j) -> Value { return std::string(job_state_name(j.state)); }},
    {"Progress", "s", Emits::changes, [](const Job& j) -> Value { return j.progress; }},
    {"Status", "i", Emits::changes, [](const Job& j) -> Value { return static_cast<int32_t>(j.status); }},
    {"Error", "s", Emits::changes, [](const Job& j) -> Value { return j.error; }},
    {"Message", "s", Emits::changes, [](const Job& j) -> Value { return j.message; }},
};

constexpr Property<Image> image_rows[] = {
    {"Name", "s", Emits::constant, [](const Image& i) -> Value { return i.named.name; }},
    {"Digest", "s", Emits::changes, [](const Image& i) -> Value { return i.named.manifest.text(); }},
    {"Index", "s", Emits::changes, [](const Image& i) -> Value { return i.named.top ? i.named.top->text() : ""; }},
    {"Source", "s", Emits::changes, [](const Image& i) -> Value { return i.named.source; }},
    {"NamedUSec", "t", Emits::changes, [](const Image& i) -> Value { return i.named.made * 1'000'000; }},
    {"Platform", "s", Emits::changes, [](const Image& i) -> Value { return i.platform; }},
    {"Architecture", "s", Emits::changes, [](const Image& i) -> Value { return i.config.platform.architecture; }},
    {"CreatedUSec", "t", Emits::changes, [](const Image& i) -> Value { return parse_rfc3339(i.config.created).value_or(0); }},
    {"Author", "s", Emits::changes, [](const Image& i) -> Value { return i.config.author; }},
    {"Size", "t", Emits::changes, [](const Image& i) -> Value { return i.bytes; }},
    {"Complete", "b", Emits::changes, [](const Image& i) -> Value { return i.complete; }},
    {"Mistake", "s", Emits::changes, [](const Image& i) -> Value { return i.mistake; }},
    {"Labels", "a{ss}", Emits::changes, [](const Image& i) -> Value { return i.config.process.labels; }},
    {"Entrypoint", "as", Emits::changes, [](const Image& i) -> Value { return i.config.process.entrypoint; }},
    {"Command", "as", Emits::changes, [](const Image& i) -> Value { return i.config.process.command; }},
    {"Environment", "as", Emits::changes, [](const Image& i) -> Value { return i.config.process.environment; }},
    {"User", "s", Emits::changes, [](const Image& i) -> Value { return i.config.process.user; }},
    {"WorkingDirectory", "s", Emits::changes, [](const Image& i) -> Value { return i.config.process.working_directory; }},
};

int append_members(sd_bus_message* signal, const std::vector<std::pair<const char*, Value>>& values) {
    int r = sd_bus_message_open_container(signal, 'a', "{sv}");
    for (size_t i = 0; r >= 0 && i < values.size(); ++i)
        r = append_member(signal, values[i].first, values[i].second);
    return r < 0 ? r : sd_bus_message_close_container(signal);
}

void send(sd_bus* bus, const Message& signal, int r) {
    if (r >= 0) sd_bus_send(bus, signal.get(), nullptr);
}
}  // namespace

std::span<const Property<Machine>> machine_properties() {
    return machine_rows;
}
std::span<const Property<Job>> job_properties() {
    return job_rows;
}
std::span<const Property<store::Summary>> image_properties() {
    return image_rows;
}

void send_properties_changed(sd_bus* bus, const char* destination, const char* path, const char* interface,
                             const std::vector<std::pair<const char*, Value>>& values) {
    Message signal =
        new_signal(bus, destination, path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
    int r = sd_bus_message_append(signal.get(), "s", interface);
    if (r >= 0) r = append_members(signal.get(), values);
    if (r >= 0) r = sd_bus_message_append(signal.get(), "as", 0);
    send(bus, signal, r);
}

void send_interfaces_added(sd_bus* bus, const char* destination, const char* path, const char* interface,
                           const std::vector<std::pair<const char*, Value>>& values) {
    Message signal =
        new_signal(bus, destination, root_path, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
    int r = sd_bus_message_append(signal.get(), "o", path);
    if (r >= 0) r = sd_bus_message_open_container(signal.get(), 'a', "{sa{sv}}");
    if (r >= 0) r = sd_bus_message_open_container(signal.get(), 'e', "sa{sv}");
    if (r >= 0) r = sd_bus_message_append(signal.get(), "s", interface);
    if (r >= 0) r = append_members(signal.get(), values);
    if (r >= 0) r = sd_bus_message_close_container(signal.get());
    if (r >= 0) r = sd_bus_message_close_container(signal.get());
    send(bus, signal, r);
}

void send_interfaces_removed(sd_bus* bus, const char* destination, const char* path, const char* interface) {
    Message signal =
        new_signal(bus, destination, root_path, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
    send(bus, signal, sd_bus_message_append(signal.get(), "oas", path, 1, interface));
}

}  // namespace croft::bus
