#include "cli/machine_text.h"

#include <ctime>

#include "base/text.h"

namespace croft::cli {

using launch::Outcome;

const char* outcome_name(Outcome::Kind kind) {
    switch (kind) {
        case Outcome::Kind::running:
            return "running";
        case Outcome::Kind::never_started:
            return "never-started";
        case Outcome::Kind::exited:
            return "exited";
        case Outcome::Kind::signalled:
            return "signalled";
        case Outcome::Kind::rebooted:
            return "rebooted";
        case Outcome::Kind::powered_off:
            return "powered-off";
        case Outcome::Kind::stopped:
            return "stopped";
        case Outcome::Kind::killed:
            return "killed";
    }
    return "unknown";
}

void outcome_json(format::JsonWriter& json, const Outcome& outcome) {
    json.begin_object().member("kind", outcome_name(outcome.kind)).member("status", outcome.status);
    if (outcome.kind != Outcome::Kind::running) json.member("exit_status", launch::exit_status(outcome));
    json.member("text", outcome.text.empty() ? launch::describe(outcome) : outcome.text).end_object();
}

const char* kind_name(const manager::Machine& machine) {
    return machine.record.boot ? "system" : "app";
}

namespace {
void optional_number(format::JsonWriter& json, const char* key, uint64_t value) {
    json.key(key);
    if (value)
        json.value(value);
    else
        json.null();
}
}  // namespace

void machine_members(format::JsonWriter& json, const manager::Machine& machine) {
    const manager::Record& record = machine.record;
    json.member("name", machine.name).member("state", manager::state_name(machine.state));
    json.member("kind", kind_name(machine));
    optional_number(json, "leader", static_cast<uint64_t>(record.leader.pid));
    optional_number(json, "keeper", static_cast<uint64_t>(record.keeper.pid));
    optional_number(json, "created", record.created);
    optional_number(json, "started", record.started);
    optional_number(json, "ended", machine.ended);
    json.member("ready", machine.ready).member("status", machine.status);
    json.member("detached", record.detached).member("restarts", record.restarts);
    json.member("tree", record.tree).key("command").begin_array();
    for (const std::string& word : record.command) json.value(word);
    json.end_array().key("id_base");
    if (record.id_base)
        json.value(*record.id_base);
    else
        json.null();
    json.member("id_count", record.id_count).member("cgroup", record.cgroup);
    json.member("file", machine.file).member("mistake", machine.mistake).key("outcome");
    if (machine.alive() || machine.only_declared())
        json.null();
    else
        outcome_json(json, machine.outcome);
}

std::string local_time(uint64_t microseconds) {
    if (!microseconds) return "-";
    time_t seconds = static_cast<time_t>(microseconds / 1000000);
    tm parts{};
    char text[32];
    localtime_r(&seconds, &parts);
    return std::string(text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts));
}

uint64_t now() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1000000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

std::string took(uint64_t microseconds) {
    if (microseconds >= 60'000'000) return human_duration(microseconds);
    uint64_t tenths = (microseconds + 50'000) / 100'000;
    return cat(tenths / 10, ".", tenths % 10, " s");
}

}  // namespace croft::cli
