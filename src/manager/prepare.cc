#include "manager/prepare.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "base/names.h"
#include "base/text.h"
#include "host/facts.h"
#include "manager/disk_root.h"
#include "manager/guest_ids.h"
#include "manager/image_root.h"
#include "manager/kept.h"
#include "manager/leader.h"
#include "base/lock_file.h"
#include "manager/remains.h"
#include "base/remove_tree.h"
#include "manager/supervisor.h"
#include "store/machine_roots.h"

namespace croft::manager {
namespace {

using UserMode = spec::UserNamespace::Mode;

bool reads_only(const spec::MachineSpec& spec) {
    return spec.root.read_only || spec.root.ephemeral ||
           (!spec.root.layers.empty() && spec.root.upper.empty()) ||
           spec.root.volatile_mode == spec::Volatile::yes ||
           spec.root.volatile_mode == spec::Volatile::overlay;
}

// Where PID 1 hears its services (sd_notify(3)); it has not moved since systemd 229.
constexpr const char* unit_notify_socket = "/run/systemd/notify";

void make_unit(spec::HostFacts& facts, std::string name, const std::string& machine) {
    facts.unit = std::move(name);
    facts.unit_notify = unit_notify_socket;
    facts.propagate_directory = cat(propagate_place, "/", machine);
}

const char* init_name(spec::InitKind kind) {
    constexpr const char* names[] = {"other", "systemd", "sysvinit", "openrc", "busybox"};
    return names[static_cast<size_t>(kind)];
}

Result<> take_ids(const Paths& paths, const spec::MachineSpec& spec, spec::HostFacts& facts, Prepared& out) {
    if (!paths.system) {  // root inside is the user: become_fake_root() has seen to that
        auto own = read_guest_ids(getpid());
        auto root = own ? GuestIds::to_outside(own->uids, 0) : std::nullopt;
        if (root) out.record.id_base = *root, out.record.id_count = 1;
        return {};
    }
    bool pick = spec.users.mode == UserMode::pick || spec.users.mode == UserMode::automatic;
    if (!facts.privileged || (!pick && spec.users.mode != UserMode::fixed)) return {};
    out.ids = pick ? TRY(pick_ids(paths, spec.name)) : TRY(mark_ids(paths, spec.name, spec.users.base));
    out.record.id_base = facts.id_base = out.ids.base;
    out.record.ids_picked = pick;
    out.record.id_count = pick ? id_range_size : spec.users.count;
    if (!out.ids.nspawn_lock_path.empty()) out.record.locks.push_back(out.ids.nspawn_lock_path);
    return {};
}

Result<> lock_record_tree(const Paths& paths, Prepared& out) {
    Fd root = TRY(open_at(AT_FDCWD, out.record.tree.c_str(), O_PATH));
    out.tree = TRY(lock_tree(paths, out.record.tree, root.get(),
                             out.record.tree_read_only ? LockKind::shared : LockKind::exclusive));
    for (const std::string& path : out.tree.paths) out.record.locks.push_back(path);
    return {};
}

Result<> take_tree(const Paths& paths, const spec::MachineSpec& spec, const std::string& resolved,
                   Prepared& out) {
    out.record.tree = resolved;
    out.record.tree_read_only = reads_only(spec);
    return lock_record_tree(paths, out);
}

// Throwaway files live here; only a plan that says so needs it. An older one of this name is of a machine
// that is gone.
Result<> make_scratch(const launch::LaunchPlan& plan, const std::string& tree) {
    for (const std::string& path : plan.cleanup.remove_trees) {
        // Made by a step of the plan, which walks in the tree as the machine would.
        if (is_below(path, tree)) continue;
        TRY(make_dirs_at(AT_FDCWD, path.substr(0, path.rfind('/'))).within("making the directory of throwaway files"));
        if (mkdir(path.c_str(), 0700) == 0) continue;
        if (errno != EEXIST) return os_error(errno, cat("making ", quoted(path)));
        // What it says of a machine on an image's layers stays: collection goes by it, and this may be its next life.
        Fd directory = TRY(open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        TRY(empty_directory(directory.get(), store::machine_record).within(cat("emptying ", quoted(path))));
    }
    return {};
}

// The payload may ask for the size of its terminal before the caller's is copied to it, so it begins with that.
void size_console(launch::LaunchPlan& plan) {
    winsize size = {};
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0) return;
    for (launch::Step& step : plan.inside)
        if (auto* console = std::get_if<launch::OpenConsole>(&step))
            console->rows = size.ws_row, console->columns = size.ws_col;
}

void fill_record(const spec::MachineSpec& spec, const spec::HostFacts& facts, const launch::LaunchPlan& plan,
                 const StartOptions& options, Record& record) {
    record.boot = plan.boot;
    record.detached = options.keep == Keep::detached;
    record.terminal = plan.process.terminal;
    // A machine in the foreground has told its user all; nothing is kept of it.
    record.remove = spec.remove_when_done || options.keep == Keep::foreground;
    record.waits_ready = plan.wait_ready;
    record.stop_signal = plan.stop_signal;
    record.stop_timeout = plan.stop_timeout;
    if (plan.boot) record.init_kind = init_name(facts.tree.init_kind);
    record.created = realtime_now();
    if (!plan.cgroup.path.empty() && !facts.cgroup_root.empty())
        record.cgroup = cat(facts.cgroup_root, "/", plan.cgroup.path);
    record.remove_trees = plan.cleanup.remove_trees;
    record.command = plan.process.argv;
    record.unit = facts.unit;
    record.keeper = {getpid(), process_start(getpid()).value_or(0)};
}

// The files of a machine on an image's layers stand in the store, where collection sees them.
std::string scratch_of(const Paths& paths, const spec::MachineSpec& spec) {
    return cat(spec.root.layers.empty() ? paths.scratch : uses_path(paths), "/", spec.name);
}

host::GatherOptions gather_options(const Paths& paths, bool may_keep) {
    return {paths.helpers, may_keep ? paths.run : "", paths.cgroup_base};
}

bool on_disk_image(const spec::MachineSpec& spec) {
    return spec.root.layout == spec::Layout::system && spec.root.layers.empty() && is_disk_image(spec.root.directory);
}

// The host and what is in the image, which is looked at through mounts that are gone when this returns.
Result<spec::HostFacts> ask_disk(const spec::MachineSpec& spec, const DiskContent& content, host::GatherOptions options) {
    DiskRoot disk = TRY(look_at_disk(spec, content));
    for (const std::string& warning : disk.warnings) warn(cat("disk image ", quoted(spec.root.directory), ": ", warning));
    options.disk = std::move(disk.volumes);
    options.disk_root = disk.look.root(), options.disk_maps_ids = disk.look.maps_ids();
    return host::gather(spec, options);
}

Result<> open_devices(const std::vector<DiskDevice>& devices, const std::string& image) {
    for (const DiskDevice& device : devices) TRY(open_device(device).within(cat("the disk image ", quoted(image))));
    return {};
}

// Nobody else may be writing an image while it is looked at, so that is taken first here.
Result<spec::HostFacts> take_disk(const Paths& paths, const spec::MachineSpec& spec, Prepared& out) {
    DiskContent content = TRY(read_disk(paths, spec, spec.name));
    TRY(take_tree(paths, spec, content.image, out));
    out.record.devices = content.devices;
    if (!content.devices.empty()) TRY(out.claim.write(out.record));
    TRY(open_devices(content.devices, content.image));
    return ask_disk(spec, content, gather_options(paths, true));
}

Result<spec::HostFacts> preview_facts(const Paths& paths, const spec::MachineSpec& spec) {
    if (!on_disk_image(spec)) return host::gather(spec, gather_options(paths, false));
    DiskContent content = TRY(read_disk(paths, spec, spec.name));
    if (!content.devices.empty())
        return error(Errc::unsupported, cat("the disk image ", quoted(spec.root.directory),
                                            " is encrypted or verified, and a plan is shown without opening such devices"));
    return ask_disk(spec, content, gather_options(paths, false));
}

}  // namespace

Result<run::SeccompProgram> load_filter(const Paths& paths, std::string_view request) {
    return run::load_seccomp(request, paths.cache + "/seccomp", paths.helpers + "/croft-seccomp");
}

void set_filter(run::LaunchEnvironment& environment, const run::SeccompProgram& filter) {
    std::span<const sock_filter> program = filter.filter();
    environment.seccomp = {reinterpret_cast<const char*>(program.data()), program.size_bytes()};
    environment.seccomp_flags = filter.flags();
}

std::string choose_name(const spec::MachineSpec& spec) {
    std::string stem = machine_name_from_path(spec.root.layers.empty() ? spec.root.directory : spec.root.image);
    if (spec.mode == spec::Mode::boot && !spec.root.ephemeral) return stem;
    return random_machine_name(stem);
}

Prepared::Prepared(Prepared&& other) noexcept
    : paths(std::move(other.paths)),
      claim(std::move(other.claim)),
      tree(std::move(other.tree)),
      ids(std::move(other.ids)),
      plan(std::move(other.plan)),
      unit(std::move(other.unit)),
      record(std::move(other.record)),
      cgroup_root(std::move(other.cgroup_root)),
      fail_step(other.fail_step),
      kill_step(other.kill_step),
      run_directory_(std::move(other.run_directory_)),
      filter_(std::move(other.filter_)),
      kept_(std::exchange(other.kept_, true)) {}

Prepared::~Prepared() {
    if (kept_) return;
    record.leader = {};  // the launcher has reaped it, or never made it
    // Our own locks go first: clear_remains() asks for them as anybody would.
    unlock_tree(std::move(tree));
    if (ids.nspawn_lock) remove_lock_file(ids.nspawn_lock_path, std::move(ids.nspawn_lock));
    record.locks.clear();
    if (Result<> cleared = clear_remains(paths, record); !cleared) warn(cleared.error().text);
}

void Prepared::keep() {
    kept_ = true;
    claim.keep();
    claim.drop_lock();
    tree.locks.clear();
    ids.nspawn_lock.reset();
}

void Prepared::make_inheritable() {
    for (int fd : locks()) fcntl(fd, F_SETFD, 0);
}

std::vector<int> Prepared::locks() const {
    std::vector<int> fds = {claim.lock(), ids.nspawn_lock.get()};
    for (const Fd& lock : tree.locks) fds.push_back(lock.get());
    std::erase_if(fds, [](int fd) { return fd < 0; });
    return fds;
}

Result<run::LaunchEnvironment> Prepared::environment() {
    run::LaunchEnvironment environment;
    if (!run_directory_)
        if (auto directory = open_at(AT_FDCWD, paths.run.c_str(), O_RDONLY | O_DIRECTORY))
            run_directory_ = std::move(*directory);
    environment.run_directory = run_directory_.get();
    environment.helper_directory = paths.helpers;
    environment.cgroup_root = cgroup_root;
    if (fail_step >= 0) environment.fail_at = static_cast<uint32_t>(fail_step);
    if (kill_step >= 0) environment.kill_at = static_cast<uint32_t>(kill_step);
    if (!filter_ && !plan.process.seccomp.empty()) filter_ = TRY(load_filter(paths, plan.process.seccomp));
    if (filter_) set_filter(environment, *filter_);
    return environment;
}

Result<Prepared> prepare(const Paths& paths, spec::MachineSpec& spec, const StartOptions& options) {
    // Until the plan is kept, and with it what the machine stands on.
    Fd layers = TRY(hold_layers(paths, spec));
    TRY(prepare_root(paths, spec));
    // Whatever is wrong with the request is told before anything is taken.
    const bool disk = on_disk_image(spec);
    spec::HostFacts facts;
    if (!disk) facts = TRY(host::gather(spec, gather_options(paths, true)));
    if (spec.name.empty()) spec.name = choose_name(spec);
    Prepared out(paths, TRY(claim(paths, spec.name)));
    out.record.name = spec.name;
    out.fail_step = options.fail_step, out.kill_step = options.kill_step;
    if (disk)
        facts = TRY(take_disk(paths, spec, out));
    else
        TRY(take_tree(paths, spec, facts.tree.directory, out));
    TRY(take_ids(paths, spec, facts, out));
    facts.run_directory = out.claim.path();
    facts.scratch_directory = scratch_of(paths, spec);
    if (options.keep == Keep::detached) facts.stdin_is_terminal = facts.stdout_is_terminal = false;
    out.cgroup_root = facts.cgroup_root;
    if (options.as_unit) make_unit(facts, options.unit.empty() ? unit_name(spec.name) : options.unit, spec.name);
    plan::Plans plans = TRY(plan::plan(spec, facts));
    for (const std::string& warning : plans.warnings) warn(warning);
    out.plan = std::move(plans.launch), out.unit = std::move(plans.unit);
    if (options.keep == Keep::foreground) size_console(out.plan);
    fill_record(spec, facts, out.plan, options, out.record);
    // Written before anything is made: what a killed launcher leaves is found from it.
    TRY(out.claim.write(out.record));
    TRY(keep_plan(out.claim.directory(), out.plan));
    if (options.keep == Keep::detached) TRY(keep_spec(out.claim.directory(), spec));
    TRY(make_scratch(out.plan, out.record.tree));
    TRY(record_use(paths, spec, facts.boot_id));
    return out;
}

Result<> retake(Prepared& machine) {
    TRY(lock_record_tree(machine.paths, machine));
    TRY(open_devices(machine.record.devices, machine.record.tree));
    if (machine.record.id_base && !machine.plan.uid_maps.empty()) {
        // Whoever chose a range may share it; of one that croft chose the machine would never know.
        auto take = machine.record.ids_picked ? pick_ids_again : mark_ids;
        machine.ids = TRY(take(machine.paths, machine.record.name, *machine.record.id_base));
        if (!machine.ids.nspawn_lock_path.empty())
            machine.record.locks.push_back(machine.ids.nspawn_lock_path);
    }
    return make_scratch(machine.plan, machine.record.tree);
}

std::string unit_name(std::string_view machine) {
    return cat("croft-", machine, ".service");
}

Result<Preview> preview(const Paths& paths, spec::MachineSpec spec) {
    if (spec.name.empty())
        spec.name = machine_name_from_path(spec.root.layers.empty() ? spec.root.directory : spec.root.image);
    spec::HostFacts facts = TRY(preview_facts(paths, spec));
    facts.run_directory = cat(paths.machines, "/", spec.name);
    facts.scratch_directory = scratch_of(paths, spec);
    if (machines_are_units(paths)) make_unit(facts, unit_name(spec.name), spec.name);
    // Which range a start would get is known only when it is taken; the first one stands for it.
    if (spec.users.mode == UserMode::automatic || spec.users.mode == UserMode::pick)
        facts.id_base = first_id_base;
    plan::Plans plans = TRY(plan::plan(spec, facts));
    return Preview{std::move(plans.launch), std::move(plans.unit), std::move(plans.warnings)};
}

}  // namespace croft::manager
