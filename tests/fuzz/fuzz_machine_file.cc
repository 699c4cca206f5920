// A machine file, with specifiers.
#include "property.h"

using namespace croft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    dialect::Specifiers specifiers;
    specifiers.name = "web";
    specifiers.host_name = "host.example.org";
    auto patch = dialect::parse_machine_file(fuzz::text_of(data, size), "f", specifiers);
    if (!patch) return 0;
    spec::MachineSpec spec;
    std::vector<spec::Warning> warnings;
    if (!spec::apply(*patch, spec, warnings)) return 0;
    (void)spec::validate(spec).has_value();
    fuzz::promise_round_trip(spec);
    return 0;
}
