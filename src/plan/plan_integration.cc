// Name servers and time zone: the two files of /etc that a machine takes from its host.
#include <sys/mount.h>

#include "plan/draft.h"

namespace croft::plan {

namespace {

constexpr std::string_view resolv_conf = "/etc/resolv.conf", localtime = "/etc/localtime";

void copy(Draft& d, std::string from, std::string_view to) {
    if (!d.root_writable) {
        d.warn(cat(to, " is not copied: the tree is read-only (bind- in place of copy- would do)"));
        return;
    }
    d.stage(launch::CopyFile{.from = std::move(from),
                             .base = d.root,
                             .path = std::string(to.substr(1)),
                             .mode = 0644,
                             .uid = d.root_uid,
                             .gid = d.root_gid,
                             .optional = true});
}

// The clone of a single file of the host, read-only. Its owner is nobody inside, which is enough for a file
// that everybody may read.
void bind(Draft& d, std::string from, std::string_view to) {
    launch::OpenTree tree{.slot = d.new_slot(), .path = std::move(from)};
    tree.attr = {.set = attr::ro | attr::nosuid | attr::nodev | attr::noexec, .propagation = MS_PRIVATE};
    d.stage(
        d.attach(tree.slot, std::string(to), d.root_writable ? launch::Create::file : launch::Create::no));
    d.host(std::move(tree));
}

void remove(Draft& d, std::string_view path) {
    if (d.root_writable) d.stage(launch::Remove{d.root, std::string(path.substr(1))});
}

std::string source_of(const Draft& d, std::string_view which) {
    if (which == "host") return d.facts.resolv_conf.empty() ? "/etc/resolv.conf" : d.facts.resolv_conf;
    if (which == "static") return "/usr/lib/systemd/resolv.conf";
    if (which == "uplink") return "/run/systemd/resolve/resolv.conf";
    return "/run/systemd/resolve/stub-resolv.conf";
}

Result<> plan_resolv_conf(Draft& d) {
    const std::string& mode = d.spec.integration.resolv_conf;
    if (mode == "off" || mode.empty()) return {};
    if (mode == "delete") return remove(d, resolv_conf), Result<>();
    if (mode == "auto") {
        // With a network of its own the host's name servers may be out of reach: the machine's business.
        if (d.spec.network.mode != spec::Network::Mode::host || d.facts.resolv_conf.empty()) return {};
        d.root_writable ? copy(d, d.facts.resolv_conf, resolv_conf)
                        : bind(d, d.facts.resolv_conf, resolv_conf);
        return {};
    }
    size_t dash = mode.find('-');
    std::string_view how = std::string_view(mode).substr(0, dash);
    std::string from = source_of(d, dash == mode.npos ? "host" : std::string_view(mode).substr(dash + 1));
    if (how == "replace") remove(d, resolv_conf);
    if (how == "copy" || how == "replace") return copy(d, std::move(from), resolv_conf), Result<>();
    if (how == "bind") return bind(d, std::move(from), resolv_conf), Result<>();
    return error(Errc::invalid, cat("--resolv-conf: ", quoted(mode), " is no mode"));
}

void link_timezone(Draft& d) {
    d.stage(launch::MakeLink{.base = d.root,
                             .path = std::string(localtime.substr(1)),
                             .target = cat("../usr/share/zoneinfo/", d.facts.timezone),
                             .replace = true,
                             .optional = true,
                             .uid = d.root_uid,
                             .gid = d.root_gid});
}

Result<> plan_timezone(Draft& d) {
    std::string mode = d.spec.integration.timezone;
    const std::string& zone = d.facts.timezone;
    if (mode == "off" || mode.empty()) return {};
    if (mode == "delete") return remove(d, localtime), Result<>();
    if (mode == "auto") {
        // An app's tree is somebody's image: it is not written to without being asked.
        if (!d.boot || zone.empty()) return {};
        mode = d.root_writable ? "symlink" : "bind";
    }
    std::string file = zone.empty() ? "/etc/localtime" : cat("/usr/share/zoneinfo/", zone);
    if (mode == "copy") {
        remove(d, localtime);
        copy(d, std::move(file), localtime);
    } else if (mode == "bind") {
        bind(d, std::move(file), localtime);
    } else if (mode == "symlink") {
        if (zone.empty())
            return error(Errc::unsupported,
                         "--timezone=symlink: the host's /etc/localtime is no link into zoneinfo, use copy");
        if (d.root_writable) link_timezone(d);
    } else {
        return error(Errc::invalid, cat("--timezone: ", quoted(mode), " is no mode"));
    }
    return {};
}

// Those that must have a link are refused (plan_check.cc); those that would like one are told.
void tell_of_journal(Draft& d) {
    const std::string& mode = d.spec.integration.link_journal;
    if (mode == "auto" || mode.starts_with("try-"))
        d.warn(cat("LinkJournal=", mode, " (--link-journal) has no effect yet: the machine's journal stays in its tree"));
}

}  // namespace

Result<> plan_integration(Draft& d) {
    tell_of_journal(d);
    TRY(plan_resolv_conf(d));
    return plan_timezone(d);
}

}  // namespace croft::plan
