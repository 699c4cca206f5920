// pause and resume.
#include "base/text.h"
#include "kernel/cgroup.h"
#include "oci/container.h"

namespace croft::oci {

namespace {
Result<Fd> open_group(const Container& c, std::string_view doing) {
    if (c.record.cgroup.empty())
        return error(Errc::unsupported, cat("cannot ", doing, " container ", quoted(c.id),
                                            ": it has no control group of its own (no right to make one, or "
                                            "--cgroup-manager disabled)"));
    return open_at(AT_FDCWD, c.record.cgroup.c_str(), O_RDONLY | O_DIRECTORY)
        .within(cat("the control group of container ", quoted(c.id)));
}
}  // namespace

Result<int> verb_pause(const Call& call) {
    Places places = TRY(find_places(call.global));
    Container c = TRY(open_container(places, call.operands[0], Lock::yes));
    if (c.status() != Status::running && c.status() != Status::created)
        return error(Errc::wrong_state, cat("container not running or created: ", quoted(c.id), " is ",
                                            manager::oci_status_name(c.status())));
    Fd group = TRY(open_group(c, "pause"));
    TRY(kernel::freeze_cgroup(group.get(), true));
    return 0;
}

Result<int> verb_resume(const Call& call) {
    Places places = TRY(find_places(call.global));
    Container c = TRY(open_container(places, call.operands[0], Lock::yes));
    if (c.status() != Status::paused)
        return error(Errc::wrong_state, cat("container not paused: ", quoted(c.id), " is ",
                                            manager::oci_status_name(c.status())));
    Fd group = TRY(open_group(c, "resume"));
    TRY(kernel::freeze_cgroup(group.get(), false));
    return 0;
}

}  // namespace croft::oci
