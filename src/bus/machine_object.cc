// /org/croft/Croft1/machine/NAME: one object for each machine in the store that the caller may look at.
#include "base/text.h"
#include "bus/object_methods.h"

namespace croft::bus {

namespace {
using manager::Machine;
extern Objects<Machine> objects;

const std::string& name_of(void* data) {
    return static_cast<const Machine*>(data)->name;
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

int exec(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_program(call, verb_word::exec, name_of(data)));
    return 1;
}

int open_console(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->requests().handle(call, read_terminal(call, "attach", name_of(data)));
    return 1;
}

int open_shell(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* user = nullptr;
    int r = sd_bus_message_read(call, "s", &user);
    if (r < 0) return r;
    std::string who = cat(user, *user ? "@" : "", name_of(data));
    objects.service->requests().handle(call, read_terminal(call, "shell", who));
    return 1;
}

const sd_bus_vtable methods[] = {
    SD_BUS_METHOD_WITH_ARGS("Exec", SD_BUS_ARGS("as", command, "a{sv}", options, "ah", streams),
                            SD_BUS_RESULT("o", job), exec, all_may),
    CROFT_OBJECT_VERB("Start", start),
    CROFT_OBJECT_VERB("Stop", stop),
    CROFT_OBJECT_VERB("PowerOff", poweroff),
    CROFT_OBJECT_VERB("Reboot", reboot),
    CROFT_OBJECT_VERB("Kill", kill),
    CROFT_OBJECT_VERB("Pause", pause),
    CROFT_OBJECT_VERB("Resume", resume),
    CROFT_OBJECT_VERB("Delete", rm),
    CROFT_OBJECT_WORD("Clone", new_name, clone),
    CROFT_OBJECT_WORD("Snapshot", snapshot, snapshot),
    CROFT_OBJECT_WORD("Restore", snapshot, restore),
    CROFT_OBJECT_VERB("Rebuild", rebuild),
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
