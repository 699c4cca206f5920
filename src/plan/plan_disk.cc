// Disk images: a loop device for each partition, its file system, and where it belongs.
//
// Nothing is done twice to an image: a volume that is only read is mounted so that not even its journal is replayed, because
// others may be reading it at the same moment.
#include "plan/plan_disk.h"

#include <algorithm>

namespace croft::plan {

using launch::Slot;

launch::Slot open_volume(Draft& d, const spec::DiskVolume& volume, VolumeOptions options) {
    const bool read_only = options.read_only || volume.read_only;
    // A device node of the image would be one of the host's devices.
    launch::MakeFs fs{.slot = 0, .type = volume.type, .source = volume.device, .attr = attr::nodev};
    if (volume.device.empty()) {
        fs.device = d.new_slot();
        d.host(launch::OpenLoop{fs.device, d.facts.tree.directory, volume.offset, volume.size, read_only});
    }
    if (read_only) {
        fs.attr |= attr::ro;
        fs.options.emplace_back("ro", "");
        if (!volume.no_recovery.empty()) {
            size_t equals = volume.no_recovery.find('=');
            std::string value = equals == std::string::npos ? "" : volume.no_recovery.substr(equals + 1);
            fs.options.emplace_back(volume.no_recovery.substr(0, equals), value);
        }
    }
    if (d.map_tree) fs.idmap = d.idmap();
    fs.slot = d.new_slot();
    Slot slot = fs.slot;
    d.host(std::move(fs));
    return slot;
}

const spec::DiskVolume* volume_at(const Draft& d, std::string_view target) {
    auto at = std::ranges::find(d.facts.disk, target, &spec::DiskVolume::target);
    return at == d.facts.disk.end() ? nullptr : &*at;
}

namespace {

// The throwaway layer of a volume: in the machine's scratch directory, or in a tmpfs of its own.
Result<Slot> layer_over(Draft& d, const spec::DiskVolume& volume) {
    if (!d.facts.has_overlay)
        return error(Errc::unsupported, "this kernel has no overlayfs (modprobe overlay), which --ephemeral and "
                                        "--volatile=overlay need");
    Slot below = open_volume(d, volume, {.read_only = true});
    bool in_memory = d.spec.root.volatile_mode == spec::Volatile::overlay;
    Slot upper = in_memory ? d.tmpfs("0755", {{"size", "50%"}}, 0) : TRY(d.scratch());
    std::string place = "volume" + volume.target;
    std::ranges::replace(place, '/', '-');
    launch::MakeOverlay step{.slot = d.new_slot(), .lowers = {below}, .upper = upper};
    step.upper_path = place + "/upper", step.work_path = place + "/work";
    d.host(d.directory(upper, place));
    d.host(d.directory(upper, step.upper_path));
    d.host(launch::MakeDir{upper, step.work_path, 0700});
    Slot slot = step.slot;
    d.stage(std::move(step));
    return slot;
}

}  // namespace

Result<> attach_volumes(Draft& d) {
    const spec::Root& root = d.spec.root;
    // What --volatile=yes leaves of a tree is /usr.
    if (root.volatile_mode == spec::Volatile::yes) return {};
    bool throwaway = root.volatile_mode == spec::Volatile::overlay || (root.ephemeral && !root.read_only);
    for (size_t i = 1; i < d.facts.disk.size(); ++i) {
        const spec::DiskVolume& volume = d.facts.disk[i];
        if (root.volatile_mode == spec::Volatile::state && (volume.target + "/").starts_with("/var/")) continue;
        Slot slot =
            throwaway
                ? TRY(layer_over(d, volume))
                : open_volume(d, volume,
                              {.read_only = root.read_only || root.volatile_mode == spec::Volatile::state});
        d.stage(d.attach(slot, volume.target, d.root_writable ? launch::Create::directory : launch::Create::no));
    }
    return {};
}

}  // namespace croft::plan
