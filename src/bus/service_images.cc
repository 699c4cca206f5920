// What the bus is told of images.
#include "bus/properties.h"
#include "bus/service.h"

namespace croft::bus {

void Service::image_changed(const std::string& name, const store::Summary* before, const store::Summary* now) {
    if (!signals_->are_wanted()) return;
    std::string path = path_of(image_prefix, name);
    sd_bus* bus = bus_.get();
    if (!now) {
        signals_->emit({.machine = "", .image = name, .send = [bus, path](const char* to) {
                            send_interfaces_removed(bus, to, path.c_str(), image_interface);
                        }});
        return;
    }
    std::vector<std::pair<const char*, Value>> values;
    if (!before) values = values_of(image_properties(), *now);
    if (before)
        for (const auto* row : differences(image_properties(), *before, *now)) values.emplace_back(row->name, row->get(*now));
    if (values.empty()) return;
    signals_->emit({.machine = "", .image = name, .send = [bus, path, values, fresh = !before](const char* to) {
                        (fresh ? send_interfaces_added : send_properties_changed)(bus, to, path.c_str(), image_interface, values);
                    }});
}

}  // namespace croft::bus
