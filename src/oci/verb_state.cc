// state and list.
#include <unistd.h>

#include "base/text.h"
#include "oci/output.h"
#include "oci/state.h"

namespace croft::oci {

Result<int> verb_state(const Call& call) {
    Places places = TRY(find_places(call.global));
    Container c = TRY(open_container(places, call.operands[0], Lock::no));
    format::JsonWriter json;
    write_state(json, c.record);
    TRY(print(json.take()));
    return 0;
}

Result<int> verb_list(const Call& call) {
    Places places = TRY(find_places(call.global));
    std::string format = TRY(format_of(call));
    auto containers = TRY(manager::list_oci_containers(places.root));
    if (call.flags.has("--quiet")) {
        std::string out;
        for (const auto& c : containers) out += c.id + "\n";
        TRY(print(out));
        return 0;
    }
    if (format == "json") {
        format::JsonWriter json(format::JsonStyle::compact);
        json.begin_array();
        for (const auto& c : containers) write_state(json, c);
        json.end_array();
        TRY(print(json.take() + "\n"));
        return 0;
    }
    std::vector<std::vector<std::string>> rows = {{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
    for (const auto& c : containers)
        rows.push_back({c.id, cat(c.status == Status::stopped ? 0 : c.init.pid), manager::oci_status_name(c.status),
                        c.bundle, time_text(c.created), user_text(c.owner)});
    TRY(print(table(rows)));
    return 0;
}

}  // namespace croft::oci
