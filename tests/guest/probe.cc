// probe: runs inside a machine and says, as JSON lines, what it sees there, what it may do, and does as it is
// told. The tests of promises (docs/security.md) are assertions on these lines. Static, so that any tree can
// hold it.
//
// It says; it does not judge: an attempt that succeeds is "done":true, and the test knows what should have
// been. Nothing it attempts harms the host if a fence is missing.
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "line.h"

namespace guest {

std::string read_text(const char* path) {
    std::string out;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return out;
    char buffer[4096];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0) out.append(buffer, static_cast<size_t>(n));
    int error = n < 0 ? errno : 0;
    close(fd);
    errno = error;
    return out;
}

const char* error_name(int error) {
    if (error == 0) return "";
    const char* name = strerrorname_np(error);
    return name ? name : "unknown";
}

namespace {

const Command* const tables[] = {see_commands, look_commands, try_commands, act_commands};

int help() {
    fputs("usage: probe COMMAND [ARGUMENT…]\n", stderr);
    for (const Command* table : tables)
        for (const Command* row = table; row->name; ++row)
            fprintf(stderr, "  %-14s %s\n", row->name, row->help);
    return 2;
}

int run(int argc, char** argv) {
    if (argc < 2) return help();
    for (const Command* table : tables)
        for (const Command* row = table; row->name; ++row)
            if (strcmp(row->name, argv[1]) == 0) return row->run(argv + 2);
    return help();
}

}  // namespace
}  // namespace guest

int main(int argc, char** argv) {
    return guest::run(argc, argv);
}
