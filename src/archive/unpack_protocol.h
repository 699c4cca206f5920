// How unpack() and croft-unpack speak: options as words of its command line, descriptors at fixed numbers,
// one report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "archive/unpack.h"

namespace croft::archive {

// What croft-unpack is started with, besides /dev/null for output and errors.
constexpr int archive_fd = 0, tree_fd = 3, report_fd = 4, recipe_fd = 5;

std::vector<std::string> options_to_words(const UnpackOptions& options);
// What is no word of these is an error: the two programs are not of one version.
Result<UnpackOptions> options_from_words(const std::vector<std::string_view>& words);

struct Report {
    Result<Unpacked> result = Unpacked();
    std::vector<std::string> opaque;
};
std::string encode_report(const Report& report);
// The other side may have been taken over by an archive: everything is checked. None: it is not whole.
std::optional<Report> decode_report(std::string_view text);

}  // namespace croft::archive
