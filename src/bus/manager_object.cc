// /org/croft/Croft1: what is not about one object.
#include "base/text.h"
#include "bus/findings.h"
#include "bus/manager_methods.h"
#include "bus/properties.h"

namespace croft::bus {

namespace {
int list_machines(sd_bus_message* call, void* data, sd_bus_error*) {
    Service& service = service_of(data);
    Message reply;
    int r = sd_bus_message_new_method_return(call, reply.put());
    if (r >= 0) r = sd_bus_message_open_container(reply.get(), 'a', "(ssuso)");
    for (const auto& [name, entry] : service.store().all()) {
        if (r < 0 || !service.gate().sees_machine(name)) continue;
        const manager::Machine& machine = entry.machine;
        uint32_t leader = machine.alive() ? static_cast<uint32_t>(machine.record.leader.pid) : 0;
        r = sd_bus_message_append(reply.get(), "(ssuso)", name.c_str(), manager::state_name(machine.state),
                                  leader, machine.record.tree.c_str(), path_of(machine_prefix, name).c_str());
    }
    if (r >= 0) r = sd_bus_message_close_container(reply.get());
    return r < 0 ? r : sd_bus_send(nullptr, reply.get(), nullptr);
}

// Answers with the object, if it is there and the caller may look at it.
void reply_machine(Service& service, Message call, const std::string& name, const Error& otherwise) {
    std::string sender = sd_bus_message_get_sender(call.get());
    service.authority().ask(
        sender, look_at_machine(name), [&service, call, name, otherwise](Answer answer) {
            if (answer != Answer::yes || !service.store().find(name))
                reply_error(call.get(), otherwise);
            else
                sd_bus_reply_method_return(call.get(), "o", path_of(machine_prefix, name).c_str());
        });
}

int get_machine(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* name = nullptr;
    int r = sd_bus_message_read(call, "s", &name);
    if (r < 0) return r;
    reply_machine(service_of(data), Message::share(call), name, no_such_machine(name));
    return 1;
}

int get_machine_by_pid(sd_bus_message* call, void* data, sd_bus_error*) {
    Service& service = service_of(data);
    uint32_t pid = 0;
    int r = sd_bus_message_read(call, "u", &pid);
    if (r < 0) return r;
    if (pid == 0) {
        sd_bus_creds* creds = nullptr;
        pid_t sender = 0;
        if (sd_bus_query_sender_creds(call, SD_BUS_CREDS_PID, &creds) >= 0)
            sd_bus_creds_get_pid(creds, &sender);
        sd_bus_creds_unref(creds);
        pid = static_cast<uint32_t>(sender);
    }
    Error none = error(Errc::not_found, cat("process ", pid, " is in no machine"));
    Entry* entry = machine_of_process(service.store(), pid);
    if (!entry) return reply_error(call, none);
    reply_machine(service, Message::share(call), entry->machine.name, none);
    return 1;
}

int list_jobs(sd_bus_message* call, void* data, sd_bus_error*) {
    Service& service = service_of(data);
    Message reply;
    int r = sd_bus_message_new_method_return(call, reply.put());
    if (r >= 0) r = sd_bus_message_open_container(reply.get(), 'a', "(sssso)");
    for (const auto& [id, job] : service.jobs().all())
        if (r >= 0 && service.gate().sees_job(job))
            r = sd_bus_message_append(reply.get(), "(sssso)", id.c_str(), job.verb.c_str(),
                                      job.machine.c_str(), job_state_name(job.state),
                                      path_of(job_prefix, id).c_str());
    if (r >= 0) r = sd_bus_message_close_container(reply.get());
    return r < 0 ? r : sd_bus_send(nullptr, reply.get(), nullptr);
}

int subscribe(sd_bus_message* call, void* data, sd_bus_error*) {
    service_of(data).signals().subscribe(sd_bus_message_get_sender(call));
    return sd_bus_reply_method_return(call, "");
}

int subscribe_other(sd_bus_message* call, void* data, sd_bus_error*) {
    Service& service = service_of(data);
    const char* name = nullptr;
    int r = sd_bus_message_read(call, "s", &name);
    if (r < 0) return r;
    std::string sender = sd_bus_message_get_sender(call);
    uint32_t owner = name[0] == ':' ? service.authority().uid_of(name) : UINT32_MAX;
    if (owner == UINT32_MAX)
        return reply_error(
            call, error(Errc::not_found, cat(quoted(name), " is no connection on this bus (as :1.42)")));
    uint32_t caller = service.authority().uid_of(sender);
    if (caller != 0 && caller != owner)
        return reply_error(call, error(Errc::denied, cat(quoted(name), " is another user's connection")));
    service.signals().subscribe(name);
    return sd_bus_reply_method_return(call, "");
}

int unsubscribe(sd_bus_message* call, void* data, sd_bus_error*) {
    service_of(data).signals().unsubscribe(sd_bus_message_get_sender(call));
    return sd_bus_reply_method_return(call, "");
}

template <const char* const& verb>
int program_method(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* operand = nullptr;
    int r = sd_bus_message_read(call, "s", &operand);
    if (r < 0) return r;
    service_of(data).requests().handle(call, read_program(call, verb, operand));
    return 1;
}

int open_console(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* name = nullptr;
    int r = sd_bus_message_read(call, "s", &name);
    if (r < 0) return r;
    service_of(data).requests().handle(call, read_terminal(call, "attach", name));
    return 1;
}

int open_shell(sd_bus_message* call, void* data, sd_bus_error*) {
    const char *name = nullptr, *user = nullptr;
    int r = sd_bus_message_read(call, "ss", &name, &user);
    if (r < 0) return r;
    std::string who = *user ? cat(user, "@", name) : std::string(name);
    service_of(data).requests().handle(call, read_terminal(call, "shell", who));
    return 1;
}

// (s name, as words): `croft set NAME KEY=VALUE…`, `croft unset NAME KEY…`.
template <const char* const& verb>
int change_method(sd_bus_message* call, void* data, sd_bus_error*) {
    const char* name = nullptr;
    int r = sd_bus_message_read(call, "s", &name);
    if (r < 0) return r;
    auto settings = read_strings(call);
    if (!settings) return reply_error(call, settings.error());
    Asked asked{.verb = verb, .words = {"--", name}};
    asked.words.insert(asked.words.end(), settings->begin(), settings->end());
    service_of(data).requests().handle(call, std::move(asked));
    return 1;
}

int rename(sd_bus_message* call, void* data, sd_bus_error*) {
    const char *from = nullptr, *to = nullptr;
    int r = sd_bus_message_read(call, "ss", &from, &to);
    if (r < 0) return r;
    service_of(data).requests().handle(call, Asked{.verb = "rename", .words = {"--", from, to}});
    return 1;
}

int define(sd_bus_message* call, void* data, sd_bus_error*) {
    const char *name = nullptr, *text = nullptr;
    int r = sd_bus_message_read(call, "ss", &name, &text);
    if (r < 0) return r;
    service_of(data).requests().handle(call, read_define(name, text));
    return 1;
}

// The options of Command that are about the caller.
Result<Asked> read_command(sd_bus_message* call) {
    Asked asked;
    const char* verb = nullptr;
    if (sd_bus_message_read(call, "s", &verb) < 0) return error(Errc::invalid, "the verb is no string");
    asked.verb = verb;
    asked.words = TRY(read_strings(call));
    for (auto& [key, value] : TRY(read_options(call))) {
        if (key == "term" && is_terminal_kind(value))
            asked.terminal = value;
        else if (key == "directory" && is_directory_word(value))
            asked.directory = value;
        else if (key == "attached" && parse_bool(value))
            asked.attached = *parse_bool(value);
        else
            return error(Errc::invalid, cat("option ", quoted(key), " of Command cannot be ", quoted(value)));
    }
    TRY(read_streams(call, asked));
    return asked;
}

int command(sd_bus_message* call, void* data, sd_bus_error*) {
    service_of(data).requests().handle(call, read_command(call));
    return 1;
}

int verify(sd_bus_message* call, void* data, sd_bus_error*) {
    service_of(data).requests().handle(call, read_verify(call));
    return 1;
}

int reload(sd_bus_message* call, void* data, sd_bus_error*) {
    Service& service = service_of(data);
    bool interactive = sd_bus_message_get_allow_interactive_authorization(call) > 0;
    service.requests().permit(call,
                              {.access = cli::Access::define, .machine = "", .verb = "reload", .user = "", .interactive = interactive, .image = "", .source = ""},
                              [&service](sd_bus_message* asker) { service.jobs().reload(asker); });
    return 1;
}

int version(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void*, sd_bus_error*) {
    return sd_bus_message_append(reply, "s", CROFT_VERSION);
}

int scope(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* data, sd_bus_error*) {
    return sd_bus_message_append(reply, "s", service_of(data).scope() == Scope::system ? "system" : "user");
}

#define PROGRAM(method, operand, words, verb)                                                                \
    SD_BUS_METHOD_WITH_ARGS(method, SD_BUS_ARGS("s", operand, "as", words, "a{sv}", options, "ah", streams), \
                            SD_BUS_RESULT("o", job), program_method<verb_word::verb>, all_may)

const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("ListMachines", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ssuso)", machines),
                            list_machines, all_may),
    SD_BUS_METHOD_WITH_ARGS("GetMachine", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", machine), get_machine,
                            all_may),
    SD_BUS_METHOD_WITH_ARGS("GetMachineByPID", SD_BUS_ARGS("u", pid), SD_BUS_RESULT("o", machine),
                            get_machine_by_pid, all_may),
    SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sssso)", jobs), list_jobs, all_may),
    SD_BUS_METHOD_WITH_ARGS("Subscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, subscribe, all_may),
    SD_BUS_METHOD_WITH_ARGS("SubscribeOther", SD_BUS_ARGS("s", connection), SD_BUS_NO_RESULT, subscribe_other,
                            all_may),
    SD_BUS_METHOD_WITH_ARGS("Unsubscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, unsubscribe, all_may),
    PROGRAM("Run", tree, command, run),
    PROGRAM("Boot", tree, arguments, boot),
    PROGRAM("Exec", name, command, exec),
    CROFT_VERB_METHOD("Start", name, start),
    SD_BUS_METHOD_WITH_ARGS("Define", SD_BUS_ARGS("s", name, "s", text), SD_BUS_RESULT("o", job), define,
                            all_may),
    SD_BUS_METHOD_WITH_ARGS("Change", SD_BUS_ARGS("s", name, "as", settings), SD_BUS_RESULT("o", job),
                            change_method<verb_word::set>, all_may),
    SD_BUS_METHOD_WITH_ARGS("Reset", SD_BUS_ARGS("s", name, "as", keys), SD_BUS_RESULT("o", job),
                            change_method<verb_word::unset>, all_may),
    SD_BUS_METHOD_WITH_ARGS("Rename", SD_BUS_ARGS("s", name, "s", new_name), SD_BUS_RESULT("o", job), rename,
                            all_may),
    SD_BUS_METHOD_WITH_ARGS("Verify", SD_BUS_ARGS("as", names), SD_BUS_RESULT("a(ssuss)", findings), verify, all_may),
    SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, reload, all_may),
    CROFT_VERB_METHOD("Stop", name, stop),
    CROFT_VERB_METHOD("PowerOff", name, poweroff),
    CROFT_VERB_METHOD("Reboot", name, reboot),
    CROFT_VERB_METHOD("Kill", name, kill),
    CROFT_VERB_METHOD("Pause", name, pause),
    CROFT_VERB_METHOD("Resume", name, resume),
    CROFT_VERB_METHOD("Delete", name, rm),
    CROFT_WORD_METHOD("Clone", name, new_name, clone),
    CROFT_WORD_METHOD("Snapshot", name, snapshot, snapshot),
    CROFT_WORD_METHOD("Restore", name, snapshot, restore),
    CROFT_VERB_METHOD("Rebuild", name, rebuild),
    SD_BUS_METHOD_WITH_ARGS("OpenConsole", SD_BUS_ARGS("s", name, "a{sv}", options),
                            SD_BUS_RESULT("h", terminal, "o", job), open_console, all_may),
    SD_BUS_METHOD_WITH_ARGS("OpenShell", SD_BUS_ARGS("s", name, "s", user, "a{sv}", options),
                            SD_BUS_RESULT("h", terminal, "o", job), open_shell, all_may),
    SD_BUS_METHOD_WITH_ARGS("Command", SD_BUS_ARGS("s", verb, "as", words, "a{sv}", options, "ah", streams),
                            SD_BUS_RESULT("o", job), command, all_may),
    SD_BUS_SIGNAL_WITH_ARGS("MachineNew", SD_BUS_ARGS("s", name, "o", machine), 0),
    SD_BUS_SIGNAL_WITH_ARGS("MachineRemoved", SD_BUS_ARGS("s", name, "o", machine), 0),
    SD_BUS_PROPERTY("Version", "s", version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Scope", "s", scope, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END,
};
}  // namespace

Result<> add_manager_object(Service& service) {
    int r = sd_bus_add_object_vtable(service.bus(), nullptr, root_path, manager_interface, vtable, &service);
    if (r >= 0) r = sd_bus_add_object_manager(service.bus(), nullptr, root_path);
    if (r < 0) return bus_error(r, "offering the manager");
    return {};
}

}  // namespace croft::bus
