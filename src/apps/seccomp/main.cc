// croft-seccomp: compiles one system call filter. A request (spec/seccomp_request.h) on standard input, the
// kept filter (launch/seccomp_file.h) on standard output; or, with exit status 1, the sentence that says what
// is wrong.
//
// A program of its own because it needs libseccomp's tables and some heap, which every start of a container
// would pay for; it runs only when no kept filter fits.
#include <unistd.h>

#include "base/fd.h"
#include "seccomp/compile.h"

int main() {
    constexpr size_t largest_request = 1 << 20;
    auto request = croft::read_all(STDIN_FILENO, largest_request);
    auto file = request ? croft::seccomp::compile(*request) : croft::Result<std::string>(request.error());
    auto written = croft::write_all(STDOUT_FILENO, file ? *file : file.error().text);
    return file && written ? 0 : 1;
}
