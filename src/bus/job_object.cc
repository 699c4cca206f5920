// /org/croft/Croft1/job/ID: one object for each job of the caller's; root sees all.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "bus/properties.h"
#include "bus/service.h"

namespace croft::bus {

namespace {
Service* the_service = nullptr;

Job& job_of(void* data) {
    return *static_cast<Job*>(data);
}

int find_job(sd_bus*, const char* path, const char*, void*, void** found, sd_bus_error*) {
    Job* job = the_service->jobs().find(name_in(job_prefix, path));
    if (!job || !the_service->gate().sees_job(*job)) return 0;
    *found = job;
    return 1;
}

int enumerate(sd_bus*, const char*, void*, char*** nodes, sd_bus_error*) {
    std::vector<std::string> paths;
    for (const auto& [id, job] : the_service->jobs().all())
        if (the_service->gate().sees_job(job)) paths.push_back(path_of(job_prefix, id));
    char** list = static_cast<char**>(calloc(paths.size() + 1, sizeof(char*)));
    if (!list) return -ENOMEM;
    for (size_t i = 0; i < paths.size(); ++i) list[i] = strdup(paths[i].c_str());
    *nodes = list;
    return 1;
}

int get(sd_bus*, const char*, const char*, const char* property, sd_bus_message* reply, void* data,
        sd_bus_error*) {
    return append_property(job_properties(), property, reply, job_of(data));
}

int wait(sd_bus_message* call, void* data, sd_bus_error*) {
    the_service->jobs().wait(job_of(data), call);
    return 1;
}

int cancel(sd_bus_message* call, void* data, sd_bus_error*) {
    the_service->jobs().cancel(job_of(data), call);
    return 1;
}

int signal(sd_bus_message* call, void* data, sd_bus_error*) {
    int number = 0;
    int r = sd_bus_message_read(call, "i", &number);
    if (r < 0) return r;
    if (number < 1 || number > SIGRTMAX)
        return reply_error(call, error(Errc::invalid, cat(number, " is no signal (1 to ", SIGRTMAX, ")")));
    the_service->jobs().signal(job_of(data), number, call);
    return 1;
}

constexpr uint64_t all_may = SD_BUS_VTABLE_UNPRIVILEGED;  // the gate shows a job to its owner only
const sd_bus_vtable methods[] = {
    SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_NO_ARGS, SD_BUS_RESULT("i", status), wait, all_may),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, cancel, all_may),
    SD_BUS_METHOD_WITH_ARGS("Signal", SD_BUS_ARGS("i", signal), SD_BUS_NO_RESULT, signal, all_may),
    SD_BUS_SIGNAL_WITH_ARGS("Finished", SD_BUS_ARGS("i", status, "s", error, "s", message), 0),
};
}  // namespace

Result<> add_job_objects(Service& service) {
    the_service = &service;
    static std::vector<sd_bus_vtable> vtable;
    vtable = {SD_BUS_VTABLE_START(0)};
    vtable.insert(vtable.end(), std::begin(methods), std::end(methods));
    for (const auto& row : job_properties()) vtable.push_back(vtable_entry(row, get));
    vtable.push_back(SD_BUS_VTABLE_END);
    int r = sd_bus_add_fallback_vtable(service.bus(), nullptr, job_prefix, job_interface, vtable.data(),
                                       find_job, nullptr);
    if (r >= 0) r = sd_bus_add_node_enumerator(service.bus(), nullptr, job_prefix, enumerate, nullptr);
    if (r < 0) return bus_error(r, "offering jobs");
    return {};
}

}  // namespace croft::bus
