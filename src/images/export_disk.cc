#include "images/export_disk.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/fd.h"
#include "base/run_program.h"
#include "base/scope.h"
#include "base/text.h"
#include "disk/disk_image.h"
#include "disk/sparse_copy.h"

namespace croft::images {
namespace {

constexpr uint64_t mebibyte = 1 << 20;
constexpr uint64_t partition_at = mebibyte;        // where every tool puts the first one
constexpr uint64_t table_room = 2 * mebibyte;      // before it, and for the second table at the end
constexpr uint64_t least_size = 16 * mebibyte;
constexpr uint64_t inode_bytes = 256, bytes_for_each_inode = 16384;

struct Usage {
    uint64_t bytes = 0, entries = 0;
};

// What ext4 will need for it: whole blocks.
Result<> measure(int parent, const char* name, Usage& out) {
    Fd directory = TRY(open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    DIR* stream = fdopendir(directory.release());
    if (!stream) return os_error(errno, "reading a directory");
    OnExit close_stream([&] { closedir(stream); });
    while (dirent* entry = readdir(stream)) {
        std::string_view inner = entry->d_name;
        struct stat st = {};
        if (inner == "." || inner == ".." || fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) continue;
        ++out.entries;
        out.bytes += (static_cast<uint64_t>(st.st_blocks) * 512 + 4095) / 4096 * 4096;
        if (S_ISDIR(st.st_mode)) TRY(measure(dirfd(stream), entry->d_name, out));
    }
    return {};
}

Result<uint64_t> needed_size(const std::string& tree) {
    Usage usage;
    TRY(measure(AT_FDCWD, tree.c_str(), usage).within(cat("measuring ", quoted(tree))));
    uint64_t inodes = std::max(usage.entries * inode_bytes * 2, usage.bytes / bytes_for_each_inode * inode_bytes);
    uint64_t size = (usage.bytes + inodes) * 4 / 3 + least_size;
    return (size + mebibyte - 1) / mebibyte * mebibyte;
}

Result<> call(const std::vector<std::string>& argv, const char* package, const std::string& input = "") {
    return run_tool(argv, {.input = input}, package, "making the image");
}

Result<> make_file_system(const DiskExport& wanted, const std::string& file) {
    if (wanted.type == "erofs") return call({"mkfs.erofs", "--quiet", file, wanted.tree}, "erofs-utils");
    if (wanted.type == "squashfs")
        return call({"mksquashfs", wanted.tree, file, "-noappend", "-quiet", "-no-progress"}, "squashfs-tools");
    if (wanted.type != "ext4")
        return error(Errc::invalid, cat(quoted(wanted.type), " is no file system that is made here: ext4, erofs or squashfs"));
    uint64_t size = wanted.size ? wanted.size : TRY(needed_size(wanted.tree));
    Fd made = TRY(open_at(AT_FDCWD, file.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600));
    if (ftruncate(made.get(), static_cast<off_t>(size)) < 0) return os_error(errno, "making the image's file");
    return call({"mke2fs", "-q", "-F", "-t", "ext4", "-m", "1", "-E", "root_owner=0:0", "-d", wanted.tree, file}, "e2fsprogs");
}

const char* root_type() {
    utsname host = {};
    uname(&host);
    return std::string_view(host.machine) == "aarch64" ? "b921b045-1df0-41c3-af44-4c6f280d3fae"
                                                       : "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
}

// The file system, moved behind a table.
Result<> put_into_table(const std::string& inner, const std::string& file) {
    Fd opened = TRY(open_at(AT_FDCWD, inner.c_str(), O_RDONLY));
    auto bytes = TRY(disk::open_file(std::move(opened)));
    uint64_t size = (bytes->size() + mebibyte - 1) / mebibyte * mebibyte;
    Fd out = TRY(open_at(AT_FDCWD, file.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
    TRY(disk::sparse_copy(*bytes, out.get(), {}, partition_at));
    if (ftruncate(out.get(), static_cast<off_t>(size + table_room)) < 0) return os_error(errno, "making the image's file");
    return call({"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", file}, "fdisk",
                cat("label: gpt\nstart=", partition_at / 512, ", size=", size / 512, ", type=", root_type(), ", name=root\n"));
}

}  // namespace

Result<> export_disk(const DiskExport& wanted) {
    if (exists_at(AT_FDCWD, wanted.file.c_str()))
        return error(Errc::exists, cat(quoted(wanted.file), " is there already; give another name, or remove it first"));
    std::string partial = cat(wanted.file, ".croft-partial"), table = cat(wanted.file, ".croft-table");
    auto remove = [&] { unlink(partial.c_str()), unlink(table.c_str()); };
    remove();
    OnExit remove_rest(remove);
    TRY(make_file_system(wanted, partial));
    if (wanted.partitioned) TRY(put_into_table(partial, table));
    const std::string& whole = wanted.partitioned ? table : partial;
    Fd file = TRY(open_at(AT_FDCWD, whole.c_str(), O_RDONLY));
    if (fsync(file.get()) < 0) return os_error(errno, cat("writing ", quoted(wanted.file), " to the disk"));
    if (renameat2(AT_FDCWD, whole.c_str(), AT_FDCWD, wanted.file.c_str(), RENAME_NOREPLACE) < 0)
        return os_error(errno, cat("naming it ", quoted(wanted.file)));
    return {};
}

}  // namespace croft::images
