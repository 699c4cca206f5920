// registries.conf: what is read has a place for every name, or an error that says why not.
#include "property.h"
#include "registry/registries_conf.h"

using namespace croft::registry;
using croft::fuzz::promise;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text = croft::fuzz::text_of(data, size);
    RegistriesConf conf;
    if (!read_registries_conf(text, "file", conf)) return 0;
    for (const char* name : {"a.example/team/web:1", "web"}) {
        auto all = candidates(*croft::image::parse_docker_name(name), conf, {});
        promise(all ? !all->empty() : !all.error().text.empty(), "there is a candidate, or a reason", text);
    }
    return 0;
}
