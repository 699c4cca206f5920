// start: opens the gate that a created container waits at.
#include "base/text.h"
#include "oci/container.h"
#include "oci/destroy.h"
#include "run/gate.h"

namespace croft::oci {

Result<int> verb_start(const Call& call) {
    Places places = TRY(find_places(call.global));
    Container c = TRY(open_container(places, call.operands[0], Lock::yes));
    if (c.status() == Status::stopped)
        return error(Errc::wrong_state, cat("cannot start container ", quoted(c.id), ": it has stopped (container not running)"));
    if (c.status() != Status::created)
        return error(Errc::wrong_state, cat("cannot start an already running container: ", quoted(c.id)));
    launch::LaunchPlan plan = TRY(c.plan());
    TRY(run::open_gate(c.directory.get(), plan).within(cat("starting container ", quoted(c.id))));
    c.record.status = Status::running;
    TRY(run_poststart(places, c, plan).within(cat("starting container ", quoted(c.id))));
    return 0;
}

}  // namespace croft::oci
