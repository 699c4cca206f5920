// A .nspawn file that lies beside a tree: it must not reach out of it, whatever it says.
#include "property.h"

using namespace croft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::vector<spec::Warning> warnings;
    auto patch =
        dialect::parse_nspawn_file(fuzz::text_of(data, size), "f", dialect::FileTrust::untrusted, warnings);
    spec::MachineSpec spec;
    if (!spec::apply(patch, spec, warnings)) return 0;
    for (const spec::Field& field : spec::fields()) {
        if (field.trust == spec::Trust::anyone) continue;
        for (const std::string& value : field.get(spec)) {
            bool deny_list = field.trust == spec::Trust::deny_only && value.starts_with('~');
            fuzz::promise(deny_list, "an untrusted file sets no row of the administrator's", field.name);
        }
    }
    fuzz::promise(spec.mounts.empty() && spec.unit_settings.empty() && spec.resources.unit_properties.empty(),
                  "an untrusted file neither mounts nor sets the unit", "");
    return 0;
}
