// Unpacks an archive as an import does, and nothing else: what tests/bench/images measures beside the whole
// verb.
//   unpack HELPER ARCHIVE DIRECTORY
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "archive/streams.h"
#include "archive/unpack.h"

using namespace croft;

int main(int count, char** arguments) {
    if (count != 4) return 2;
    auto run = [&]() -> Result<archive::Unpacked> {
        archive::UnpackOptions options;
        options.helper = arguments[1];
        options.what = arguments[2];
        options.devices = archive::DeviceNodes::make;
        Fd file = TRY(open_at(AT_FDCWD, arguments[2], O_RDONLY));
        Fd tree = TRY(open_at(AT_FDCWD, arguments[3], O_RDONLY | O_DIRECTORY));
        std::string first(archive::sniff_length, '\0');
        size_t have = TRY(archive::fill(*archive::read_fd(file.get(), arguments[2]),
                                        std::as_writable_bytes(std::span(first))));
        options.compression = archive::sniff(std::as_bytes(std::span(first)).first(have));
        if (lseek(file.get(), 0, SEEK_SET) != 0) return os_error(errno, "rewinding");
        return archive::unpack(file.get(), tree.get(), options);
    };
    auto result = run();
    if (!result) fprintf(stderr, "%s\n", result.error().text.c_str());
    return result ? 0 : 1;
}
