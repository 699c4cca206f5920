// update: other limits for a container that runs.
#include "base/log.h"
#include "base/text.h"
#include "dialect/oci_config.h"
#include "manager/supervisor.h"
#include "oci/command_line.h"
#include "oci/container.h"
#include "oci/update.h"
#include "run/rdt.h"

namespace croft::oci {

namespace {
constexpr size_t most_resources = 1 << 20;

Result<std::string> wanted_resources(const Call& call, const Container& c) {
    const std::string* file = call.flags.value("--resources");
    if (!file) return resources_of(call.flags, c);
    return (*file == "-" ? read_all(0, most_resources) : read_file_at(AT_FDCWD, file->c_str(), most_resources))
        .within(cat("--resources ", quoted(*file)));
}
}  // namespace

Result<int> verb_update(const Call& call) {
    Places places = TRY(find_places(call.global));
    Container c = TRY(open_container(places, call.operands[0], Lock::yes));
    if (!c.alive()) return error(Errc::wrong_state, cat("container not running: ", quoted(c.id)));
    // A scope's limits are systemd's, also for an engine that says --systemd-cgroup only when it creates, as podman does.
    if (!c.record.unit.empty() && !manager::supervisor()) TRY(leave_to_systemd(call.global));
    std::vector<std::string> schemata;
    for (const char* flag : {"--l3-cache-schema", "--mem-bw-schema"})
        if (const std::string* line = call.flags.value(flag)) schemata.push_back(*line);
    if (!schemata.empty()) {
        launch::LaunchPlan plan = TRY(c.plan());
        TRY(run::change_rdt(plan, schemata));
    }
    std::string text = TRY(wanted_resources(call, c));
    dialect::OciSpec read = TRY(dialect::parse_oci_resources(text).within("the resources"));
    for (const std::string& warning : read.warnings) warn(warning);
    TRY(apply_resources(c, std::move(read.spec)));
    return 0;
}

}  // namespace croft::oci
