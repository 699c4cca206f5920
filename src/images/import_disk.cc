#include "images/import_disk.h"

#include <sys/utsname.h>

#include "base/text.h"
#include "disk/discover.h"
#include "disk/disk_image.h"
#include "disk/sparse_copy.h"
#include "images/new_machine_tree.h"
#include "images/qcow2_codec.h"

namespace croft::images {

Result<ImportedDisk> import_disk(const manager::Paths& paths, const DiskImport& wanted) {
    const std::string& shown = wanted.shown.empty() ? wanted.file : wanted.shown;
    disk::OpenedDisk opened = TRY(disk::open_disk(wanted.file, {.unpack = unpack_cluster, .backing = wanted.backing}));
    disk::RandomAccess& bytes = *opened.bytes;
    utsname host = {};
    uname(&host);
    disk::Layout layout = TRY(disk::discover(bytes, {host.machine, ""}).within(cat("the disk image ", quoted(shown))));
    NewMachineTree tree = TRY(NewMachineTree::begin(paths, wanted.name, ".raw"));
    Fd file = TRY(open_at(AT_FDCWD, tree.partial().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    auto progress = [&](uint64_t done) { return !wanted.progress || wanted.progress(done, bytes.size()); };
    TRY(disk::sparse_copy(bytes, file.get(), progress).within(cat("importing ", quoted(shown))));
    TRY(tree.finish());
    return ImportedDisk{tree.target(), bytes.size(), std::move(layout.remarks)};
}

}  // namespace croft::images
