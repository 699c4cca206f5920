#include "images/disk_verbs.h"

#include "base/log.h"
#include "base/names.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "images/export_disk.h"
#include "images/import_disk.h"

namespace croft::images {

Result<> import_raw(const cli::Arguments& args, const manager::Paths& paths, const std::string& file, const std::string& name,
                    const std::string& as) {
    const std::string& shown = as.empty() ? file : as;
    cli::Progress progress;
    DiskImport wanted{.file = file, .shown = as, .name = name.empty() ? machine_name_from_path(shown) : name, .backing = args.has("--backing")};
    wanted.progress = [&](uint64_t done, uint64_t size) {
        progress.show(cat("croft: importing ", shown, ": ", human_size(done), " of ", human_size(size)));
        return cli::Interrupt::signal() == 0;
    };
    ImportedDisk made = TRY(import_disk(paths, wanted));
    progress.clear();
    for (const std::string& remark : made.remarks) warn(cat("disk image ", quoted(shown), ": ", remark));
    if (!args.has("--quiet")) info(cat("the disk image ", made.path, " is there; `croft boot ", wanted.name, "` boots it"));
    return {};
}

Result<> export_raw(const cli::Arguments& args, const std::string& tree, const std::string& file) {
    DiskExport wanted{.tree = tree, .file = file, .partitioned = args.has("--partitioned")};
    if (const std::string* type = args.value("--file-system")) wanted.type = *type;
    if (const std::string* size = args.value("--size")) {
        auto bytes = parse_size(*size);
        if (!bytes || *bytes > uint64_t{1} << 50 || *bytes % 4096)
            return error(Errc::usage, cat("--size: ", quoted(*size), " is no size of a disk (512M, 2G, …)"));
        wanted.size = *bytes;
    }
    return export_disk(wanted);
}

}  // namespace croft::images
