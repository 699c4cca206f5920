// /org/croft/Croft1/machine/NAME: one object for each machine in the store that the caller may look at.
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "bus/properties.h"
#include "bus/service.h"
#include "bus/verb_words.h"

namespace croft::bus {

namespace {
// The data of these objects is the store's entry; the service stands beside it, one for the program.
Service* the_service = nullptr;

const manager::Machine& machine_of(void* data) {
    return static_cast<Entry*>(data)->machine;
}

int find_machine(sd_bus*, const char* path, const char*, void*, void** found, sd_bus_error*) {
    std::string name = name_in(machine_prefix, path);
    Entry* entry = name.empty() ? nullptr : the_service->store().find(name);
    if (!entry || !the_service->gate().sees_machine(name)) return 0;
    *found = entry;
    return 1;
}

int enumerate(sd_bus*, const char*, void*, char*** nodes, sd_bus_error*) {
    std::vector<std::string> paths;
    for (const auto& [name, entry] : the_service->store().all())
        if (the_service->gate().sees_machine(name)) paths.push_back(path_of(machine_prefix, name));
    // sd-bus frees the list and each string of it.
    char** list = static_cast<char**>(calloc(paths.size() + 1, sizeof(char*)));
    if (!list) return -ENOMEM;
    for (size_t i = 0; i < paths.size(); ++i) list[i] = strdup(paths[i].c_str());
    *nodes = list;
    return 1;
}

int get(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply, void* data,
        sd_bus_error*) {
    return append_property(machine_properties(), property, reply, machine_of(data));
}

template <const char* const& verb>
int verb_method(sd_bus_message* call, void* data, sd_bus_error*) {
    the_service->requests().handle(call, read_verb(call, verb, machine_of(data).name));
    return 1;
}

int exec(sd_bus_message* call, void* data, sd_bus_error*) {
    the_service->requests().handle(call, read_program(call, verb_word::exec, machine_of(data).name));
    return 1;
}

int open_console(sd_bus_message* call, void* data, sd_bus_error*) {
    the_service->requests().handle(call, read_terminal(call, "attach", machine_of(data).name));
    return 1;
}

int open_shell(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* user = nullptr;
    int r = sd_bus_message_read(call, "s", &user);
    if (r < 0) return r;
    std::string who = cat(user, *user ? "@" : "", machine_of(data).name);
    the_service->requests().handle(call, read_terminal(call, "shell", who));
    return 1;
}

constexpr uint64_t all_may = SD_BUS_VTABLE_UNPRIVILEGED;  // the gate and polkit decide, not sd-bus
#define VERB(method, verb)                                                                  \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("o", job), \
                            verb_method<verb_word::verb>, all_may)

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
    SD_BUS_METHOD_WITH_ARGS("OpenConsole", SD_BUS_ARGS("a{sv}", options),
                            SD_BUS_RESULT("h", terminal, "o", job), open_console, all_may),
    SD_BUS_METHOD_WITH_ARGS("OpenShell", SD_BUS_ARGS("s", user, "a{sv}", options),
                            SD_BUS_RESULT("h", terminal, "o", job), open_shell, all_may),
    SD_BUS_SIGNAL_WITH_ARGS("StateChanged", SD_BUS_ARGS("s", from, "s", to), 0),
};
}  // namespace

Result<> add_machine_objects(Service& service) {
    the_service = &service;
    static std::vector<sd_bus_vtable> vtable;
    vtable = {SD_BUS_VTABLE_START(0)};
    vtable.insert(vtable.end(), std::begin(methods), std::end(methods));
    for (const auto& row : machine_properties()) vtable.push_back(vtable_entry(row, get));
    vtable.push_back(SD_BUS_VTABLE_END);
    int r = sd_bus_add_fallback_vtable(service.bus(), nullptr, machine_prefix, machine_interface,
                                       vtable.data(), find_machine, nullptr);
    if (r >= 0) r = sd_bus_add_node_enumerator(service.bus(), nullptr, machine_prefix, enumerate, nullptr);
    if (r < 0) return bus_error(r, "offering machines");
    return {};
}

}  // namespace croft::bus
