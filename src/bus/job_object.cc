// /org/croft/Croft1/job/ID: one object for each job of the caller's; root sees all.
#include <csignal>

#include "base/text.h"
#include "bus/objects.h"

namespace croft::bus {

namespace {
extern Objects<Job> objects;

Job& job_of(void* data) {
    return *static_cast<Job*>(data);
}

Job* find_job(Service& service, const std::string& id) {
    Job* job = service.jobs().find(id);
    return job && service.gate().sees_job(*job) ? job : nullptr;
}

std::vector<std::string> job_ids(Service& service) {
    std::vector<std::string> out;
    for (const auto& [id, job] : service.jobs().all())
        if (service.gate().sees_job(job)) out.push_back(id);
    return out;
}

int wait(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->jobs().wait(job_of(data), call);
    return 1;
}

int cancel(sd_bus_message* call, void* data, sd_bus_error*) {
    objects.service->jobs().cancel(job_of(data), call);
    return 1;
}

int signal(sd_bus_message* call, void* data, sd_bus_error*) {
    int number = 0;
    int r = sd_bus_message_read(call, "i", &number);
    if (r < 0) return r;
    if (number < 1 || number > SIGRTMAX)
        return reply_error(call, error(Errc::invalid, cat(number, " is no signal (1 to ", SIGRTMAX, ")")));
    objects.service->jobs().signal(job_of(data), number, call);
    return 1;
}

constexpr uint64_t all_may = SD_BUS_VTABLE_UNPRIVILEGED;  // the gate shows a job to its owner only
const sd_bus_vtable methods[] = {
    SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_NO_ARGS, SD_BUS_RESULT("i", status), wait, all_may),
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, cancel, all_may),
    SD_BUS_METHOD_WITH_ARGS("Signal", SD_BUS_ARGS("i", signal), SD_BUS_NO_RESULT, signal, all_may),
    SD_BUS_SIGNAL_WITH_ARGS("Finished", SD_BUS_ARGS("i", status, "s", error, "s", message), 0),
};

Objects<Job> objects = {job_prefix, job_interface, job_properties, find_job, job_ids, methods};
}  // namespace

Result<> add_job_objects(Service& service) {
    return add_objects<Job, objects>(service);
}

}  // namespace croft::bus
