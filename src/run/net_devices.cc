// rtnetlink(7) by hand: three requests are all that is needed.
#include "run/net_devices.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

namespace croft::run {

namespace {

class Request {
  public:
    template <class Body>
    Request(uint16_t type, uint16_t flags, const Body& body) {
        nlmsghdr header = {};
        header.nlmsg_type = type;
        header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
        bytes_.append(reinterpret_cast<const char*>(&header), sizeof header);
        bytes_.append(reinterpret_cast<const char*>(&body), sizeof body);
        bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    }
    void add(uint16_t type, const void* data, size_t size) {
        rtattr attribute = {.rta_len = static_cast<uint16_t>(RTA_LENGTH(size)), .rta_type = type};
        bytes_.append(reinterpret_cast<const char*>(&attribute), sizeof attribute);
        bytes_.append(static_cast<const char*>(data), size);
        bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    }
    std::string_view bytes() {
        auto size = static_cast<uint32_t>(bytes_.size());
        memcpy(bytes_.data(), &size, sizeof size);  // nlmsg_len is its first member
        return bytes_;
    }

  private:
    std::string bytes_;
};

using Message = std::function<void(const nlmsghdr&)>;

// A netlink socket of the network namespace that it was made in.
class Netlink {
  public:
    static Result<Netlink> open() {
        Netlink out;
        out.socket_ = Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
        if (!out.socket_) return os_error(errno, "making a netlink socket");
        return out;
    }
    // The socket belongs to the namespace for good, so we are back before it is used. For that we must have
    // come from one that we can go back to.
    static Result<Netlink> open_in(int network_namespace) {
        Fd before = TRY(open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY));
        // Entering where one is already changes nothing, and tells whether one may.
        if (setns(before.get(), CLONE_NEWNET) < 0)
            return os_error(errno, "the host's network is not this user's to take devices from");
        if (setns(network_namespace, CLONE_NEWNET) < 0)
            return os_error(errno, "entering the network namespace");
        Result<Netlink> out = open();
        if (setns(before.get(), CLONE_NEWNET) < 0) {
            log(LogLevel::error, cat("cannot get back to the host's network: ", errno_text(errno)));
            _exit(125);
        }
        return out;
    }
    // Sends and reads until the kernel has said that it is done.
    Result<> ask(Request request, const Message& message = {}) {
        if (send(socket_.get(), request.bytes().data(), request.bytes().size(), 0) < 0)
            return os_error(errno, "asking netlink");
        alignas(nlmsghdr) char buffer[32768];
        for (;;) {
            ssize_t n = recv(socket_.get(), buffer, sizeof buffer, 0);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return os_error(errno, "hearing netlink");
            auto left = static_cast<unsigned>(n);
            for (auto* at = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(at, left);
                 at = NLMSG_NEXT(at, left)) {
                if (at->nlmsg_type == NLMSG_DONE) return {};
                if (at->nlmsg_type == NLMSG_ERROR) {
                    int error = static_cast<nlmsgerr*>(NLMSG_DATA(at))->error;
                    if (error) return os_error(-error, "netlink");
                    return {};
                }
                if (message) message(*at);
            }
        }
    }

  private:
    Fd socket_;
};

// What an address was, as the request that makes it again; the label holds the old name and is left out.
Request address_request(const nlmsghdr& message, int index) {
    ifaddrmsg body = *static_cast<const ifaddrmsg*>(NLMSG_DATA(&message));
    body.ifa_index = static_cast<uint32_t>(index);
    Request out(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, body);
    auto left = static_cast<unsigned>(IFA_PAYLOAD(&message));
    for (const rtattr* at = IFA_RTA(NLMSG_DATA(&message)); RTA_OK(at, left); at = RTA_NEXT(at, left))
        if (at->rta_type == IFA_LOCAL || at->rta_type == IFA_ADDRESS || at->rta_type == IFA_BROADCAST ||
            at->rta_type == IFA_FLAGS || at->rta_type == IFA_RT_PRIORITY)
            out.add(at->rta_type, RTA_DATA(at), RTA_PAYLOAD(at));
    return out;
}

Result<std::vector<std::string>> permanent_addresses(Netlink& host, int index) {
    std::vector<std::string> found;
    rtgenmsg all = {.rtgen_family = AF_UNSPEC};
    TRY(host.ask(Request(RTM_GETADDR, NLM_F_DUMP, all), [&](const nlmsghdr& message) {
        auto* body = static_cast<const ifaddrmsg*>(NLMSG_DATA(&message));
        if (message.nlmsg_type == RTM_NEWADDR && body->ifa_index == static_cast<uint32_t>(index) &&
            body->ifa_scope == RT_SCOPE_UNIVERSE && body->ifa_flags & IFA_F_PERMANENT)
            found.emplace_back(reinterpret_cast<const char*>(&message), message.nlmsg_len);
    }));
    return found;
}

struct Link {
    int index;
    std::string name;
};

Result<std::vector<Link>> links(Netlink& network) {
    std::vector<Link> found;
    ifinfomsg all = {};
    TRY(network.ask(Request(RTM_GETLINK, NLM_F_DUMP, all), [&](const nlmsghdr& message) {
        if (message.nlmsg_type != RTM_NEWLINK) return;
        found.push_back({static_cast<const ifinfomsg*>(NLMSG_DATA(&message))->ifi_index, ""});
        auto left = static_cast<unsigned>(IFLA_PAYLOAD(&message));
        for (const rtattr* at = IFLA_RTA(NLMSG_DATA(&message)); RTA_OK(at, left); at = RTA_NEXT(at, left))
            if (at->rta_type == IFLA_IFNAME) found.back().name = static_cast<const char*>(RTA_DATA(at));
    }));
    return found;
}

const std::string& name_inside(const launch::NetDevice& device) {
    return device.to.empty() ? device.from : device.to;
}

// Before anything is moved: the kernel moves first and then refuses the name, and what is virtual ends with
// the namespace.
Result<> check(const launch::NetDevice& device, const std::vector<Link>& there) {
    const std::string& name = name_inside(device);
    if (!if_nametoindex(device.from.c_str()))
        return error(Errc::not_found, "this host has no such network device (ip link)");
    if (name.size() >= IFNAMSIZ)
        return error(Errc::invalid, cat(quoted(name), " is longer than ", IFNAMSIZ - 1, " characters"));
    if (std::ranges::find(there, name, &Link::name) != there.end())
        return error(Errc::exists, cat("the machine has a device ", quoted(name), " already"));
    return {};
}

Result<> move_one(const launch::NetDevice& device, Netlink& host, Netlink& inside, int network_namespace) {
    const std::string& name = name_inside(device);
    auto index = static_cast<int>(if_nametoindex(device.from.c_str()));
    std::vector<std::string> addresses = TRY(permanent_addresses(host, index));
    std::vector<Link> before = TRY(links(inside));
    TRY(check(device, before));
    ifinfomsg link = {};
    link.ifi_index = index;
    Request move(RTM_NEWLINK, NLM_F_ACK, link);
    move.add(IFLA_NET_NS_FD, &network_namespace, sizeof network_namespace);
    move.add(IFLA_IFNAME, name.c_str(), name.size() + 1);
    Result<> moved = host.ask(std::move(move));
    if (!moved && moved.error().err == EINVAL)
        moved.error().text += " (this device cannot be moved to another network namespace)";
    TRY(std::move(moved));
    // Its number may be another one there.
    std::vector<Link> after = TRY(links(inside));
    std::erase_if(after, [&](const Link& l) {
        return std::ranges::find(before, l.index, &Link::index) != before.end();
    });
    if (after.size() != 1)
        return error(Errc::failed, "it cannot be found in the network namespace it was moved to");
    for (const std::string& address : addresses)
        TRY(inside.ask(address_request(*reinterpret_cast<const nlmsghdr*>(address.data()), after[0].index))
                .within("giving it back its address"));
    ifinfomsg up = {};
    up.ifi_index = after[0].index;
    up.ifi_flags = up.ifi_change = IFF_UP;
    return inside.ask(Request(RTM_NEWLINK, NLM_F_ACK, up)).within("bringing it up");
}

}  // namespace

Result<> move_net_devices(const std::vector<launch::NetDevice>& devices, pid_t pid) {
    if (devices.empty()) return {};
    Fd network = TRY(open_at(AT_FDCWD, cat("/proc/", pid, "/ns/net").c_str(), O_RDONLY));
    Netlink host = TRY(Netlink::open());
    Netlink inside = TRY(Netlink::open_in(network.get()).within("moving network devices"));
    const std::vector<Link> there = TRY(links(inside));
    for (const launch::NetDevice& device : devices)
        TRY(check(device, there).within(cat("moving the network device ", quoted(device.from))));
    for (const launch::NetDevice& device : devices)
        TRY(move_one(device, host, inside, network.get())
                .within(cat("moving the network device ", quoted(device.from))));
    return {};
}

}  // namespace croft::run
