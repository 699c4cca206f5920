// /org/croft/Croft1/machine/NAME: one object for each machine in the store that the caller may look at.
#include "base/text.h"
#include "bus/objects.h"
#include "bus/verb_words.h"

namespace croft::bus {

namespace {
using manager::Machine;
extern Objects<Machine> objects;

const Machine& machine_of(void* data) {
    return *static_cast<const Machine*>(data);
}

Machine* find_machine(Service& service, const std::string& name) {
    Entry* entry = service.store().find(name);
    return entry && service.gate().sees_machine(name) ? &entry->machine : nullptr;
}

std::vector<std::string> machine_names(Service& service) {
    std::vector<std::string> out;
    for (const auto& [name, entry] : service.store().all())
        if (service.gate().sees_machine(name)) out.push_back(name);
    return out;
}

template <const char* const& verb>
int verb_method(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_verb(call, verb, machine_of(data).name));
    return 1;
}

template <const char* const& verb>
int word_method(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_verb_and_word(call, verb, machine_of(data).name));
    return 1;
}

int exec(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_program(call, verb_word::exec, machine_of(data).name));
    return 1;
}

int open_console(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_terminal(call, "attach", machine_of(data).name));
    return 1;
}

int open_shell(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* user = nullptr;
    int r = sd_bus_message_read(call, "s", &user);
    if (r < 0) return r;
    std::string who = cat(user, *user ? "@" : "", machine_of(data).name);
    objects.service->requests().handle(call, read_terminal(call, "shell", who));
    return 1;
}

constexpr uint64_t all_may = SD_BUS_VTABLE_UNPRIVILEGED;  // the gate and polkit decide, not sd-bus
#define VERB(method, verb)                                                                  \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job), \
                            verb_method<verb_word::verb>, all_may)
#define WORD(method, word, verb)                                                                       \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("s", word, "a{sv}", options), SD_BUS_RESULT("o", job), \
                            word_method<verb_word::verb>, all_may)

const sd_bus_vtable methods[] = {
    SD_BUS_METHOD_WITH_ARGS("Exec", SD_BUS_ARGS("as", command, "a{sv}", options, "ah", streams),
                            SD_BUS_RESULT("o", job), exec, all_may),
    VERB("Start", start),
    VERB("Stop", stop),
    VERB("PowerOff", poweroff),
    VERB("Reboot", reboot),
    VERB("Kill", kill),
    VERB("Pause", pause),
    VERB("Resume", resume),
    VERB("Delete", rm),
    WORD("Clone", new_name, clone),
    WORD("Snapshot", snapshot, snapshot),
    WORD("Restore", snapshot, restore),
    VERB("Rebuild", rebuild),
    SD_BUS_METHOD_WITH_ARGS("OpenConsole", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("h", terminal, "o", job), open_console, all_may),
    SD_BUS_METHOD_WITH_ARGS("OpenShell", SD_BUS_ARGS("s", user, "a{sv}", options),
                            SD_BUS_RESULT("h", terminal, "o", job), open_shell, all_may),
    SD_BUS_SIGNAL_WITH_ARGS("StateChanged", SD_BUS_ARGS("s", from, "s", to), 0),
};

Objects<Machine> objects = {machine_prefix, machine_interface, machine_properties, find_machine, machine_names, methods};
}  // namespace

Result<> add_machine_objects(Service& service) {
    return add_objects<Machine, objects>(service);
}

}  // namespace croft::bus
