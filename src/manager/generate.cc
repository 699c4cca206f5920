#include "manager/generate.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"
#include "base/text.h"
#include "host/tree.h"
#include "manager/declared.h"
#include "manager/id_ranges.h"
#include "plan/planner.h"

namespace croft::manager {
namespace {

constexpr const char* autostart_target = "croft.target";

bool is_unit_name(std::string_view name) {
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";
    size_t dot = name.rfind('.');
    if (dot == name.npos || dot == 0 || name.size() > 255 || name.find_first_not_of(allowed) != name.npos)
        return false;
    for (std::string_view type :
         {"target", "service", "socket", "mount", "path", "timer", "slice", "device", "swap", "automount"})
        if (name.substr(dot + 1) == type) return true;
    return false;
}

// A directory of ours below systemd's. A link in its place is refused, not followed.
Result<Fd> open_below(int top, const std::string& name) {
    if (mkdirat(top, name.c_str(), 0755) < 0 && errno != EEXIST) return os_error(errno, cat("making ", name));
    return open_at(top, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

struct Link {
    std::string unit, kind;  // "multi-user.target", "wants"
};

// Which units shall pull the machine in.
Result<std::vector<Link>> wanted_links(const spec::MachineSpec& spec) {
    std::vector<Link> out;
    if (spec.autostart) out.push_back({autostart_target, "wants"});
    for (const auto& [name, value] : spec.unit_settings) {
        const char* kind = name == "Install.WantedBy"     ? "wants"
                           : name == "Install.RequiredBy" ? "requires"
                           : name == "Install.UpheldBy"   ? "upholds"
                                                          : nullptr;
        if (!kind) continue;
        for (const std::string& unit : split(value, ' ')) {
            if (unit.empty()) continue;
            if (!is_unit_name(unit))
                return error(Errc::invalid, cat(std::string_view(name).substr(8), "=: ", quoted(unit),
                                                " is no name of a unit"));
            out.push_back({unit, kind});
        }
    }
    return out;
}

Result<> make_links(int top, const std::string& machine, const std::vector<Link>& links) {
    for (const Link& link : links) {
        Fd directory = TRY(open_below(top, cat(link.unit, ".", link.kind)));
        std::string name = cat("croft@", machine, ".service");
        // Only the names count for systemd; the template is where all units are.
        if (symlinkat("../croft@.service", directory.get(), name.c_str()) < 0 && errno != EEXIST)
            return os_error(errno, cat("linking ", name, " into ", link.unit));
    }
    return {};
}

// At boot the disk with the tree may not be mounted yet: then a booted tree is taken for one with systemd.
spec::HostFacts facts_of(const spec::MachineSpec& spec) {
    spec::HostFacts facts;
    facts.tree.init_kind = spec::InitKind::systemd;
    facts.tree.systemd_init = true;
    // What ids it gets, and how its tree is mounted, is not the unit's business.
    facts.id_base = first_id_base;
    facts.tree.idmap_supported = true;
    // Whether these are there counts when the machine starts; a rule for one that is not does nothing.
    for (const char* path : {"/dev/fuse", "/dev/net/tun"}) facts.devices[path].type = 'c';
    if (spec.mode != spec::Mode::boot) return facts;
    spec::TreeFacts tree;
    auto root = host::open_tree_root(spec, tree);
    if (!root || !host::look_inside(root->get(), spec, tree)) return facts;
    tree.idmap_supported = true;
    facts.tree = std::move(tree);
    return facts;
}

Result<> write_drop_in(int top, const std::string& machine, const std::string& text) {
    Fd directory = TRY(open_below(top, cat("croft@", machine, ".service.d")));
    return replace_file_at(directory.get(), "50-croft.conf", text);
}

Result<> generate_good(int top, const LoadedMachine& machine) {
    launch::UnitPlan plan = TRY(plan::plan_drop_in(machine.spec, facts_of(machine.spec)));
    std::vector<Link> links = TRY(wanted_links(machine.spec));
    std::string text = cat("# Made by croft-generator from ", join(machine.files, ", "), "\n");
    TRY(write_drop_in(top, machine.spec.name, text + launch::to_unit_file(plan)));
    return make_links(top, machine.spec.name, links);
}

std::string comment_lines(std::string_view text) {
    std::string out;
    for (const std::string& line : split(text, '\n')) out += cat("# ", line, "\n");
    return out;
}

// Its unit is there and fails, so that whoever starts it, or waits for it, learns why.
Result<> generate_bad(int top, const Declared& machine, const std::string& mistake, const std::string& self) {
    std::string text = cat(comment_lines(mistake), "[Service]\nExecStart=\nExecStart=\"", self,
                           "\" --refuse ", machine.name, "\nRestart=no\n");
    TRY(write_drop_in(top, machine.name, text));
    if (!machine.autostart) return {};
    return make_links(top, machine.name, {{autostart_target, "wants"}});
}

}  // namespace

Result<Generated> generate_units(const Paths& paths, const std::string& directory, const std::string& self) {
    Generated out;
    std::vector<Declared> machines = TRY(declared(paths));
    if (machines.empty()) return out;
    Fd top = TRY(open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY));
    for (const Declared& machine : machines) {
        if (machine.masked) continue;
        auto loaded = parse_declared(paths, machine.name);
        Result<> made = loaded ? generate_good(top.get(), *loaded) : Result<>(std::move(loaded).error());
        if (!made) {
            out.mistakes.push_back(made.error().text);
            if (Result<> bad = generate_bad(top.get(), machine, made.error().text, self); !bad)
                out.mistakes.push_back(cat("machine ", quoted(machine.name), ": ", bad.error().text));
        }
        ++out.units;
    }
    return out;
}

}  // namespace croft::manager
