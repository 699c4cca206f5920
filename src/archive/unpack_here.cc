#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "archive/hash.h"
#include "archive/streams.h"
#include "archive/tree_writer.h"
#include "archive/unpack.h"
#include "archive/unpack_parts.h"
#include "base/scope.h"
#include "base/text.h"

namespace croft::archive {

namespace {

// 12 MiB of content may be on its way from the reader to the writers.
constexpr size_t blocks = 48;

// Without a limit of one's own: no archive is longer than what is free, because its content has to go there.
DecompressLimits limits_of(const UnpackLimits& limits, int tree) {
    struct statvfs disk;
    uint64_t free = fstatvfs(tree, &disk) == 0 ? disk.f_bavail * disk.f_frsize : 0;
    if (limits.bytes && (!free || limits.bytes <= free)) return {limits.bytes, limits.ratio, false};
    return {free, limits.ratio, true};
}

Result<> unpack_entries(TarReader& reader, TreeWriter& writer, const UnpackOptions& options,
                        Unpacked& result) {
    TRY(writer.start());
    while (auto entry = TRY(reader.next())) {
        if (++result.entries > options.limits.entries)
            return error(Errc::invalid,
                         cat("it has more than ", options.limits.entries, " entries, the limit"));
        TRY(writer.add(reader, std::move(*entry)));
    }
    TRY(reader.drain());
    return writer.finish(result);
}

}  // namespace

Result<Unpacked> unpack_into(std::unique_ptr<Source> archive, int tree, const UnpackOptions& options,
                             std::vector<std::string>& opaque) {
    if (options.whiteouts == Whiteouts::apply && options.recipe >= 0)
        return error(Errc::usage, "a recipe cannot be written where the layers below are in the tree");
    mode_t umask_before = umask(0);  // modes are given at creation
    OnExit restore([&] { umask(umask_before); });
    bool plain = options.compression == Compression::none;
    Hasher given, unpacked;
    auto source = TRY(decompress(plain ? std::move(archive) : tee(std::move(archive), nullptr, &given),
                                 options.compression, limits_of(options.limits, tree)));
    std::optional<RecipeWriter> recipe;
    if (options.recipe >= 0) TRY(recipe.emplace(options.recipe).start());
    // The cheaper thread hashes: the one that reads, unless it decompresses.
    BlockReader reader(std::move(source), blocks, plain ? &unpacked : nullptr);
    BlockStream stream(reader, plain ? nullptr : &unpacked);
    TarReader tar(stream, recipe ? &*recipe : nullptr);
    Unpacked result;
    TreeWriter writer(tree, options, recipe ? &*recipe : nullptr);
    TRY(unpack_entries(tar, writer, options, result));
    if (recipe) TRY(recipe->finish());
    opaque = writer.opaque();
    result.opaque_top = std::find(opaque.begin(), opaque.end(), "") != opaque.end();
    if (options.sync && syncfs(tree) != 0) return os_error(errno, "writing the tree to the disk");
    result.archive_bytes = stream.position();
    result.diff_id = unpacked.digest();
    result.digest = plain ? result.diff_id : given.digest();
    return result;
}

Result<Unpacked> unpack_here(std::unique_ptr<Source> archive, int tree, const UnpackOptions& options) {
    std::string what = options.what.empty() ? "archive" : options.what;
    std::vector<std::string> opaque;
    auto result = unpack_into(std::move(archive), tree, options, opaque);
    if (result)
        if (auto marked = mark_opaque(tree, opaque, options); !marked) result = marked.error();
    return std::move(result).within(cat("unpacking ", what));
}

}  // namespace croft::archive
