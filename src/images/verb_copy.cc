// image copy: from any place to any other.
#include <fcntl.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "images/copy_progress.h"
#include "images/functions.h"
#include "images/places.h"

namespace croft::images {

namespace {
using registry::CopyOptions;

Result<registry::Which> which_of(const cli::Arguments& args) {
    const std::string* word = args.value("--multi-arch");
    if (args.has("--all")) {
        if (word && *word != "all") return error(Errc::invalid, cat("--all and --multi-arch=", *word, " cannot both be meant"));
        return registry::Which::all;
    }
    if (!word || *word == "system") return registry::Which::system;
    if (*word == "all") return registry::Which::all;
    if (*word == "index-only") return registry::Which::index_only;
    return error(Errc::invalid, cat("--multi-arch: ", quoted(*word), " is none of system, all, index-only"));
}

Result<registry::Format> format_of(const cli::Arguments& args) {
    const std::string* word = args.value("--format");
    if (!word) return registry::Format::keep;
    if (*word == "oci") return registry::Format::oci;
    if (*word == "v2s2" || *word == "docker") return registry::Format::docker;
    return error(Errc::invalid, cat("--format: ", quoted(*word), " is none of oci, v2s2"));
}

Result<std::optional<registry::Repack>> repack_of(const cli::Arguments& args, const registry::PlaceOptions& options) {
    const std::string* word = args.value("--dest-compress-format");
    auto level = TRY(cli::number_option(args, "--dest-compress-level"));
    if (!word && !level) return std::optional<registry::Repack>();
    if (!word) return error(Errc::usage, "--dest-compress-level: it is for --dest-compress-format=gzip or zstd");
    bool gzip = *word == "gzip";
    if (!gzip && *word != "zstd") return error(Errc::usage, cat("--dest-compress-format: ", quoted(*word), " is none of gzip, zstd"));
    if (level && (!*level || *level > (gzip ? 9 : 20)))
        return error(Errc::usage, cat("--dest-compress-level: of ", *word, " there are levels from 1 to ", gzip ? 9 : 20));
    return std::optional(registry::Repack{.compression = gzip ? archive::Compression::gzip : archive::Compression::zstd,
                                          .level = static_cast<int>(level.value_or(0)),
                                          .options = options});
}

Result<CopyOptions> copy_options(const cli::Arguments& args, const registry::PlaceOptions& source) {
    CopyOptions out{.which = TRY(which_of(args)), .format = TRY(format_of(args)), .platform = source.platform};
    out.preserve_digests = args.has("--preserve-digests");
    out.repack = TRY(repack_of(args, source));
    out.interrupted = source.interrupted;
    if (auto parallel = TRY(cli::number_option(args, "--image-parallel-copies"))) {
        if (!*parallel || *parallel > 64)
            return error(Errc::invalid,
                         "--image-parallel-copies: from 1 to 64 blobs can be copied at a time");
        out.parallel = static_cast<unsigned>(*parallel);
    }
    return out;
}

Result<> write_digest(const cli::Arguments& args, const image::Digest& digest) {
    const std::string* path = args.value("--digestfile");
    if (!path) return {};
    Fd file = TRY(open_at(AT_FDCWD, path->c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644).within("--digestfile"));
    return write_all(file.get(), digest.text()).within("--digestfile");
}
}  // namespace

Result<int> verb_copy(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 2));
    image::Reference from = TRY(image::parse_reference(args.operands[0])), to = TRY(image::parse_reference(args.operands[1]));
    auto source_options = TRY(place_options(args, Side::source)), target_options = TRY(place_options(args, Side::target));
    CopyOptions options = TRY(copy_options(args, source_options));
    source_options.whole_index = options.which != registry::Which::system;
    cli::Interrupt interrupt;
    auto copied = [&]() -> Result<registry::Copied> {
        auto source = TRY(open_any_source(from, source_options));
        auto target = TRY(open_any_target(to, target_options));
        CopyProgressLine progress(cat("copying ", args.operands[0]));
        if (!args.has("--quiet")) options.progress = &progress;
        auto done = registry::copy_image(*source, *target, options);
        progress.end();
        return done;
    }();
    if (int signal = cli::Interrupt::signal(); signal && !copied) cli::die_of(signal);
    if (!copied) return std::move(copied).error().within(cat("copying ", args.operands[0], " to ", args.operands[1]));
    TRY(write_digest(args, copied->top.digest));
    if (!args.has("--quiet"))
        info(cat(args.operands[1], " is ", copied->top.digest.text(), " (", human_size(copied->moved_bytes), " moved",
                 copied->spared_bytes ? cat(", ", human_size(copied->spared_bytes), " were there") : "", ")"));
    return 0;
}

}  // namespace croft::images
