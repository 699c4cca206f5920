// create and run.
#include <optional>

#include "base/log.h"
#include "base/text.h"
#include "oci/create.h"
#include "oci/destroy.h"
#include "oci/foreground.h"

namespace croft::oci {

Result<int> verb_create(const Call& call) {
    Places places = TRY(find_places(call.global));
    TRY(create_container(call, places, {.wait_start = true}));
    return 0;
}

Result<int> verb_run(const Call& call) {
    Places places = TRY(find_places(call.global));
    CreateOptions options = {.detached = call.flags.has("--detach")};
    // Before the container is there, so that none is lost.
    std::optional<run::SignalTrap> signals;
    if (!options.detached) signals.emplace(TRY(run::SignalTrap::set()));
    Created created = TRY(create_container(call, places, options));
    created.container.record.status = Status::running;
    TRY(run_poststart(places, created.container, created.plan));
    if (options.detached) return 0;
    // Other verbs may have it while it runs; who deletes it meanwhile has done our work.
    created.container.unlock();
    auto outcome = stay_with(created.launched, *signals);
    if (!call.flags.has("--keep")) {
        auto again = open_container(places, created.container.id, Lock::yes);
        Result<> gone = again ? destroy(places, *again) : Result<>();
        if (!gone) warn(gone.error().text);
    }
    return launch::exit_status(TRY(std::move(outcome)));
}

}  // namespace croft::oci
