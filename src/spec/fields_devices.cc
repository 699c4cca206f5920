// Rows: devices. A device is a node inside and a rule of the device policy, which refuses every other.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

// In the order r, w, m and each once, or the sentence.
Result<std::string> parse_access(string_view text) {
    std::string out;
    for (char c : string_view("rwm"))
        if (text.find(c) != text.npos) out += c;
    if (!text.empty() && out.size() == text.size()) return out;
    return wrong_value(text, "is no device access (of r, w and m, each at most once)");
}

// systemd.resource-control(5) DeviceAllow=: "char-NAME" and "block-NAME" of /proc/devices.
bool device_class(string_view text) {
    return (text.starts_with("char-") && text.size() > 5) || (text.starts_with("block-") && text.size() > 6);
}

Result<Device> parse_device(string_view text) {
    std::vector<std::string> parts = split_escaped(text, ':');
    if (parts.size() > 3) return wrong_value(text, "has too many ':' (PATH[:INSIDE][:ACCESS])");
    Device device;
    device.node = !device_class(parts[0]);
    device.path = device.node ? TRY(parse_host_path(parts[0])) : TRY(parse_text(parts[0]));
    if (device.node && !device.path.starts_with("/dev/"))
        return wrong_value(device.path, "is not below /dev (a device node, char-NAME or block-NAME)");
    size_t next = 1;
    if (parts.size() > next && parts[next].starts_with('/')) {
        if (!device.node)
            return wrong_value(text, "gives a class a place inside: only a device node has one");
        device.target = TRY(parse_inside_path(parts[next++]));
    }
    if (parts.size() > next) device.access = TRY(parse_access(parts[next++]));
    if (parts.size() > next) return wrong_value(text, "has a part too many (PATH[:INSIDE][:ACCESS])");
    if (device.target == device.path) device.target.clear();
    return device;
}

Result<> add_device(MachineSpec& s, string_view text) {
    Device device = TRY(parse_device(text));
    std::erase_if(s.devices, [&](const Device& old) { return old.path == device.path; });
    s.devices.push_back(std::move(device));
    return {};
}
std::vector<std::string> get_devices(const MachineSpec& s) {
    std::vector<std::string> out;
    for (const Device& device : s.devices) {
        std::string text = escape_colons(device.path);
        if (!device.target.empty()) text += cat(":", escape_colons(device.target));
        out.push_back(device.access == "rwm" ? text : cat(text, ":", device.access));
    }
    return out;
}

const Field table[] = {
    {.name = "device",
     .option = "--device",
     .section = "Files",
     .key = "Device",
     .argument = "PATH[:INSIDE][:ACCESS]",
     .repeat = Repeat::adds,
     .values = "path",
     .help = "A device of the host the payload may use",
     .doc = "PATH is a node below /dev, or a class char-NAME or block-NAME of /proc/devices (no node then). "
            "INSIDE is where the node is made, by default the same path. ACCESS is of r (read), w (write), m "
            "(mknod), by default rwm. Every other device is refused by the machine's device policy, whatever "
            "node is made inside. Default: null zero full random urandom tty ptmx pts, and for boot fuse and "
            "net/tun.",
     .example = "--device=/dev/fuse:rw",
     .set = add_device,
     .get = get_devices,
     .reset = row_reset<ROW_SLOT(devices)>},
};
}  // namespace

std::span<const Field> device_rows() {
    return table;
}

}  // namespace croft::spec
