#include "manager/disk_root.h"

#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "disk/discover.h"
#include "disk/disk_image.h"

namespace croft::manager {
namespace {

using disk::Role;

// Where the specification has them; where an ESP goes depends on the tree.
const char* usual_target(Role role) {
    switch (role) {
        case Role::root:
            return "/";
        case Role::usr:
            return "/usr";
        case Role::home:
            return "/home";
        case Role::srv:
            return "/srv";
        case Role::var:
            return "/var";
        case Role::tmp:
            return "/var/tmp";
        case Role::xbootldr:
        case Role::esp:
            return "/boot";
    }
    return "";
}

bool has_directory(int root, const std::string& path) {
    return bool(open_in_root(root, path.c_str(), O_PATH | O_DIRECTORY));
}

bool writes(const spec::MachineSpec& spec, const std::vector<spec::DiskVolume>& volumes) {
    return !spec.root.read_only && spec.root.volatile_mode != spec::Volatile::state && !volumes.front().read_only;
}

// Asked by trying, which loads the module where there is one.
bool kernel_has(const std::string& type) {
    Fd fs(static_cast<int>(syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC)));
    return bool(fs) || errno != ENODEV;
}

// A machine does without its boot partitions where the kernel does not know their file system.
void leave_out_unknown(DiskRoot& disk) {
    std::erase_if(disk.volumes, [&](const spec::DiskVolume& volume) {
        bool boots = volume.target == "/boot" || volume.target == "/efi";
        if (!boots || kernel_has(volume.type)) return false;
        disk.warnings.push_back(cat("this kernel has no ", volume.type, ": the partition for ", volume.target, " is left out"));
        return true;
    });
}

// The ESP is at /efi where the tree has that or /boot is taken, else at /boot. A mount point that is not there can be made
// only in a root that is written.
void settle(const spec::MachineSpec& spec, const disk::Layout& layout, DiskRoot& out) {
    int root = out.look.root();
    for (size_t i = 0; i < layout.volumes.size(); ++i)
        if (layout.volumes[i].role == Role::esp && (layout.find(Role::xbootldr) || has_directory(root, "efi")))
            out.volumes[i].target = "/efi";
    bool can_make = writes(spec, out.volumes);
    const bool var = layout.find(Role::var);
    std::erase_if(out.volumes, [&](const spec::DiskVolume& volume) {
        bool elsewhere = volume.target == "/" || (var && volume.target.starts_with("/var/"));
        if (elsewhere || can_make || has_directory(root, volume.target)) return false;
        out.warnings.push_back(cat("the tree has no directory ", volume.target,
                                   " and cannot get one: that partition is left out"));
        return true;
    });
}

// "/x/web.raw" with ".roothash" is "/x/web.roothash".
std::string beside_image(std::string image, std::string_view suffix) {
    if (image.ends_with(".raw")) image.resize(image.size() - 4);
    return cat(image, suffix);
}

std::string architecture() {
    utsname name = {};
    uname(&name);
    return name.machine;
}

// Where the root hash is written: the option, the image's attribute, the file beside it.
std::string root_hash(const spec::MachineSpec& spec, const std::string& image) {
    if (!spec.root.root_hash.empty()) return spec.root.root_hash;
    char value[256];
    ssize_t n = getxattr(image.c_str(), "user.verity.roothash", value, sizeof value);
    std::string text(value, n > 0 ? static_cast<size_t>(n) : 0);
    if (auto beside = n > 0 ? Result<std::string>("") : read_file_at(AT_FDCWD, beside_image(image, ".roothash").c_str(), 4096))
        text += *beside;
    return lower(trim(text));
}

// The hashes: in a partition of the image, or in a file of their own.
Result<> find_hashes(const spec::MachineSpec& spec, const disk::Volume& volume, DiskDevice& device) {
    device.kind = DiskDevice::Kind::verity;
    device.hash_image = device.image;
    if (volume.verity && spec.root.verity_data.empty()) {
        device.hash_offset = volume.verity->offset, device.hash_size = volume.verity->size;
        return {};
    }
    device.hash_image = spec.root.verity_data.empty() ? beside_image(device.image, ".verity") : spec.root.verity_data;
    if (exists_at(AT_FDCWD, device.hash_image.c_str())) return {};
    return error(
        Errc::not_found,
        cat("there is a root hash, and no hashes to check the image by: it has no verity partition that "
            "belongs to it, and there is no ",
            quoted(device.hash_image)));
}

Result<> find_devices(const spec::MachineSpec& spec, const std::string& machine, const std::string& hash, DiskContent& out) {
    for (disk::Volume& volume : out.layout.volumes) {
        bool verity = volume.role == Role::root && !hash.empty(), locked = volume.file_system.type == "crypto_LUKS";
        if (!verity && !locked) continue;
        DiskDevice device;
        device.name = cat("croft-", machine, "-", role_name(volume.role));
        device.image = out.image, device.offset = volume.area.offset, device.size = volume.area.size;
        device.root_hash = verity ? hash : "";
        volume.read_only |= verity || !out.writable || spec.root.read_only || spec.root.ephemeral;
        device.read_only = volume.read_only;
        if (verity) TRY(find_hashes(spec, volume, device));
        out.devices.push_back(std::move(device));
    }
    return {};
}

const DiskDevice* device_of(const DiskContent& content, Role role) {
    for (const DiskDevice& device : content.devices)
        if (device.name.ends_with(cat("-", role_name(role)))) return &device;
    return nullptr;
}

// What lies in an unlocked device.
Result<disk::FileSystem> inside(const DiskDevice& device) {
    Fd file = TRY(open_at(AT_FDCWD, device_path(device).c_str(), O_RDONLY));
    auto bytes = TRY(disk::open_file(std::move(file)));
    disk::FileSystem fs = TRY(disk::probe(*bytes, 0, bytes->size()));
    if (!fs.mountable)
        return error(Errc::unsupported, cat("what is encrypted is ", fs.type.empty() ? "nothing that is known here" : fs.type));
    return fs;
}

Result<spec::DiskVolume> volume_of(const DiskContent& content, const disk::Volume& volume) {
    disk::FileSystem fs = volume.file_system;
    const DiskDevice* device = device_of(content, volume.role);
    if (device && device->kind == DiskDevice::Kind::luks) fs = TRY(inside(*device));
    return spec::DiskVolume{usual_target(volume.role), fs.type, volume.area.offset, volume.area.size,
                            device ? device_path(*device) : "", volume.read_only || fs.read_only || !content.writable,
                            disk::no_recovery_option(fs.type)};
}

Result<DiskContent> read_tables(const spec::MachineSpec& spec, const std::string& machine) {
    DiskContent out;
    char resolved[PATH_MAX];
    if (!realpath(spec.root.directory.c_str(), resolved)) return os_error(errno, "its path");
    out.image = resolved;
    auto image = TRY(disk::open_raw(out.image));
    std::string hash = root_hash(spec, out.image);
    out.layout = TRY(disk::discover(*image, {architecture(), hash}));
    out.writable = access(out.image.c_str(), W_OK) == 0;
    TRY(find_devices(spec, machine, hash, out));
    bool rootless = !out.layout.find(Role::root);
    if (rootless && spec.root.volatile_mode != spec::Volatile::yes)
        return error(Errc::invalid, "it has /usr and no root: --volatile=yes makes a root for it in memory");
    return out;
}

Result<DiskRoot> mount_for_looking(const spec::MachineSpec& spec, const DiskContent& content) {
    std::vector<spec::DiskVolume> volumes;
    for (const disk::Volume& volume : content.layout.volumes) volumes.push_back(TRY(volume_of(content, volume)));
    DiskLook look = TRY(DiskLook::open(content.image, volumes));
    DiskRoot out{std::move(volumes), content.layout.remarks, std::move(look)};
    settle(spec, content.layout, out);
    leave_out_unknown(out);
    return out;
}

}  // namespace

bool is_disk_image(const std::string& path) {
    struct stat st = {};
    return stat(path.c_str(), &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
}

Result<DiskContent> read_disk(const Paths& paths, const spec::MachineSpec& spec, const std::string& machine) {
    std::string who = cat("the disk image ", quoted(spec.root.directory));
    if (!paths.system) return error(Errc::denied, cat(who, " can be mounted by root alone; as a user, run on a directory tree"));
    return read_tables(spec, machine).within(who);
}

Result<DiskRoot> look_at_disk(const spec::MachineSpec& spec, const DiskContent& content) {
    return mount_for_looking(spec, content).within(cat("the disk image ", quoted(spec.root.directory)));
}

}  // namespace croft::manager
