// An archive's bytes: its entries, and what is written of them into a tree.
//
// The first byte chooses compression, whiteouts and device nodes. Beside the tree lies a directory that must
// stay as it is, whatever the archive says.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "archive/streams.h"
#include "archive/unpack.h"
#include "base/remove_tree.h"
#include "property.h"

using namespace croft;

namespace {

struct Place {
    std::string path;
    Fd top, tree;
    Place() {
        char name[] = "/dev/shm/croft-fuzz-XXXXXX";
        path = mkdtemp(name);
        top = Fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        mkdirat(top.get(), "tree", 0755);
        mkdirat(top.get(), "beside", 0755);
        tree = Fd(openat(top.get(), "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    ~Place() {
        (void)empty_directory(top.get());
        rmdir(path.c_str());
    }
};

size_t count(const std::string& path) {
    size_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) found += !entry.path().empty();
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    Place place;
    archive::UnpackOptions options;
    options.compression = static_cast<archive::Compression>(data[0] % 5);
    options.whiteouts = static_cast<archive::Whiteouts>(data[0] / 5 % 4);
    options.limits = {.bytes = 16 << 20, .entries = 1000, .depth = 64};
    options.threads = 2;
    std::string_view text = fuzz::text_of(data + 1, size - 1);
    auto result = archive::unpack_here(archive::read_text(std::string(text)), place.tree.get(), options);
    fuzz::promise(result || !result.error().text.empty(), "an error says something", text);
    fuzz::promise(count(place.path) == 2 && count(place.path + "/beside") == 0,
                  "nothing is written beside the tree", text);
    return 0;
}
