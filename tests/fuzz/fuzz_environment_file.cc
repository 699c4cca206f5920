// An environment file.
#include "dialect/host_files.h"
#include "property.h"
#include "spec/values.h"

using namespace croft;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    spec::Environment environment;
    std::string_view text = fuzz::text_of(data, size);
    if (!dialect::parse_environment_file(text, "f", environment)) return 0;
    for (const auto& [name, value] : environment.set) {
        fuzz::promise(spec::valid_environment_name(name), "a name is one", text);
        fuzz::promise(value.find('\n') == value.npos && value.find('\0') == value.npos, "a value is one line",
                      text);
    }
    for (const std::string& name : environment.pass)
        fuzz::promise(spec::valid_environment_name(name), "a name is one", text);
    return 0;
}
