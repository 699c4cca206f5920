// Rows: the network. Of systemd.nspawn(5)'s [Network] croft does Private= and NamespacePath= so far; the rest
// is kept in the spec, so that validate() can refuse it by name.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;
using Mode = Network::Mode;

Result<> set_network(MachineSpec& s, string_view text) {
    if (text.starts_with('/')) {
        s.network.path = TRY(parse_host_path(text));
        s.network.mode = Mode::path;
        return {};
    }
    if (text != "none" && text != "host")
        return wrong_value(text, "is no network (none, host, or the absolute path of a network namespace)");
    s.network.mode = text == "none" ? Mode::none : Mode::host;
    s.network.path.clear();
    return {};
}
std::vector<std::string> get_network(const MachineSpec& s) {
    switch (s.network.mode) {
        case Mode::automatic:
            return {};
        case Mode::none:
            return {"none"};
        case Mode::host:
            return {"host"};
        case Mode::path:
            return {s.network.path};
    }
    return {};
}
void reset_network(MachineSpec& s) {
    s.network.mode = Mode::automatic;
    s.network.path.clear();
}

Result<> set_private(MachineSpec& s, string_view text) {
    bool alone = TRY(parse_bool_value(text));
    if (s.network.mode == Mode::path && alone) return {};  // a joined namespace is private already
    s.network.mode = alone ? Mode::none : Mode::host;
    s.network.path.clear();
    return {};
}
Result<> set_namespace_path(MachineSpec& s, string_view text) {
    s.network.path = TRY(parse_host_path(text));
    s.network.mode = Mode::path;
    return {};
}
// Private= and NamespacePath= write what Network= does not: only one of the three is shown.
std::vector<std::string> get_private(const MachineSpec& s) {
    if (s.network.mode == Mode::none) return {"yes"};
    return s.network.mode == Mode::host ? std::vector<std::string>{"no"} : std::vector<std::string>{};
}
std::vector<std::string> get_namespace_path(const MachineSpec& s) {
    return s.network.mode == Mode::path ? std::vector<std::string>{s.network.path}
                                        : std::vector<std::string>{};
}

// The kernel's IFNAMSIZ leaves 15 characters.
bool interface_name(string_view name) {
    if (name.empty() || name.size() > 15 || name == "." || name == "..") return false;
    return name.find_first_of("/: \t\n") == name.npos;
}
// HOST[:INSIDE]
Result<std::string> parse_interface(string_view text) {
    size_t colon = text.find(':');
    bool good = interface_name(text.substr(0, colon)) &&
                (colon == text.npos || interface_name(text.substr(colon + 1)));
    if (good) return std::string(text);
    return wrong_value(text, "is no interface (HOST[:INSIDE], at most 15 characters each)");
}
using Interface = String<parse_interface>;

Result<std::string> parse_link(string_view text) {
    if (interface_name(text)) return std::string(text);
    return wrong_value(text, "is no interface name (at most 15 characters)");
}
using Link = String<parse_link>;

Result<std::string> parse_zone(string_view text) {
    // The bridge is called "vz-ZONE".
    if (text.size() <= 12 && interface_name(text)) return std::string(text);
    return wrong_value(text, "is no zone (a name of at most 12 characters)");
}
using Zone = String<parse_zone>;

bool port_number(string_view text) {
    auto port = parse_uint(text);
    return port && *port >= 1 && *port <= 65535;
}
// [tcp:|udp:]HOST[:INSIDE], made "tcp:80:8080".
Result<std::string> parse_port(string_view text) {
    std::string protocol = "tcp";
    string_view ports = text;
    if (ports.starts_with("tcp:") || ports.starts_with("udp:")) {
        protocol = ports.substr(0, 3);
        ports.remove_prefix(4);
    }
    size_t colon = ports.find(':');
    string_view host = ports.substr(0, colon);
    string_view inside = colon == ports.npos ? host : ports.substr(colon + 1);
    if (port_number(host) && port_number(inside)) return cat(protocol, ":", host, ":", inside);
    return wrong_value(text, "is no port ([tcp:|udp:]HOST[:INSIDE], 1 to 65535)");
}
using Port = String<parse_port>;

#define LATER " Accepted, and refused by name at the start until croft has networks."

const Field table[] = {
    {.name = "network",
     .option = "--network",
     .aliases = "--net",
     .argument = "none|host|PATH",
     .host_path = HostPath::none,
     .values = "none|host|path",
     .help = "The machine's network",
     .doc = "none: a network of its own with nothing but the loopback interface. host: the host's. PATH: the "
            "network namespace at that absolute path (as 'ip netns' makes in /run/netns). Default: none. "
            "Keys: Private=, NamespacePath=.",
     .example = "--network=host",
     .set = set_network,
     .get = get_network,
     .reset = reset_network},
    {.name = "network-private",
     .option = "--private-network",
     .section = "Network",
     .key = "Private",
     .key_of = KeyOf::nspawn,
     .argument = "",
     .values = "yes|no",
     .help = "A network of its own: --network=none",
     .doc = "yes is --network=none, no is --network=host. Default: yes.",
     .example = "Private=yes",
     .set = set_private,
     .get = get_private,
     .reset = reset_network},
    {.name = "network-namespace-path",
     .option = "--network-namespace-path",
     .section = "Network",
     .key = "NamespacePath",
     .key_of = KeyOf::nspawn,
     .argument = "PATH",
     .host_path = HostPath::whole,
     .values = "path",
     .help = "Join a network namespace: --network=PATH",
     .doc = "Absolute path of a network namespace on the host. Excludes every other network setting. "
            "Default: none.",
     .example = "NamespacePath=/run/netns/blue",
     .set = set_namespace_path,
     .get = get_namespace_path,
     .reset = reset_network},
    {.name = "network-veth",
     .section = "Network",
     .key = "VirtualEthernet",
     .key_of = KeyOf::nspawn,
     .argument = "BOOL",
     .offered = Offered::file_only,
     .values = "yes|no",
     .help = "Not available yet: a virtual link to the host",
     .doc = "A pair of links, host0 inside and ve-NAME on the host. Default: no." LATER,
     .example = "VirtualEthernet=no",
     ROW_VALUE(Bool, network.veth)},
    {.name = "network-veth-extra",
     .section = "Network",
     .key = "VirtualEthernetExtra",
     .key_of = KeyOf::nspawn,
     .argument = "HOST[:INSIDE]",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Not available yet: a further virtual link",
     .doc = "A further pair of links. Default: none." LATER,
     .example = "VirtualEthernetExtra=ve-db:db0",
     ROW_ITEMS(Interface, network.veth_extra)},
    {.name = "network-interface",
     .section = "Network",
     .key = "Interface",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "HOST[:INSIDE]",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Not available yet: move an interface of the host inside",
     .doc = "The interface is the machine's while it runs. Default: none." LATER,
     .example = "Interface=eth1:lan0",
     ROW_ITEMS(Interface, network.interfaces)},
    {.name = "network-macvlan",
     .section = "Network",
     .key = "MACVLAN",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "HOST[:INSIDE]",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Not available yet: a macvlan link",
     .doc = "A macvlan link on an interface of the host. Default: none." LATER,
     .example = "MACVLAN=eth0",
     ROW_ITEMS(Interface, network.macvlan)},
    {.name = "network-ipvlan",
     .section = "Network",
     .key = "IPVLAN",
     .key_of = KeyOf::nspawn,
     .syntax = KeySyntax::words,
     .argument = "HOST[:INSIDE]",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Not available yet: an ipvlan link",
     .doc = "An ipvlan link on an interface of the host. Default: none." LATER,
     .example = "IPVLAN=eth0",
     ROW_ITEMS(Interface, network.ipvlan)},
    {.name = "network-bridge",
     .section = "Network",
     .key = "Bridge",
     .key_of = KeyOf::nspawn,
     .argument = "INTERFACE",
     .offered = Offered::file_only,
     .help = "Not available yet: join a bridge of the host",
     .doc = "The host's side of the virtual link joins that bridge. Default: none." LATER,
     .example = "Bridge=br0",
     ROW_VALUE(Link, network.bridge)},
    {.name = "network-zone",
     .section = "Network",
     .key = "Zone",
     .key_of = KeyOf::nspawn,
     .argument = "NAME",
     .offered = Offered::file_only,
     .help = "Not available yet: join the machines of a zone",
     .doc = "Machines of one zone share a bridge that comes and goes with them. Default: none." LATER,
     .example = "Zone=web",
     ROW_VALUE(Zone, network.zone)},
    {.name = "port",
     .section = "Network",
     .key = "Port",
     .key_of = KeyOf::nspawn,
     .argument = "[tcp:|udp:]HOST[:INSIDE]",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Not available yet: forward a port of the host",
     .doc =
         "Port numbers from 1 to 65535; INSIDE defaults to HOST, the protocol to tcp. Default: none." LATER,
     .example = "Port=tcp:8080:80",
     ROW_ITEMS(Port, network.ports)},
};
}  // namespace

std::span<const Field> network_rows() {
    return table;
}

}  // namespace croft::spec
