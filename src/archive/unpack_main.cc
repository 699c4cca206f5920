#include "archive/unpack_main.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "archive/hash.h"
#include "archive/sandbox.h"
#include "archive/shards.h"
#include "archive/streams.h"
#include "archive/unpack_parts.h"
#include "archive/unpack_protocol.h"

namespace croft::archive {

namespace {

// As many as may be: each directory in which something is under way is open.
void raise_file_limit() {
    rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

Report work(const std::vector<std::string_view>& words) {
    Report report;
    auto run = [&]() -> Result<Unpacked> {
        UnpackOptions options = TRY(options_from_words(words));
        options.threads =
            Shards::thread_count(options.threads);  // inside, nothing tells how many processors there are
        // libcrypto reads its configuration now, from the host: inside it would be the tree's.
        (void)Hasher().digest();
        MakesNodes nodes = options.devices == DeviceNodes::make ? MakesNodes::yes : MakesNodes::no;
        Fd tree = TRY(enter_sandbox(Fd(tree_fd), nodes).within("preparing the sandbox"));
        return unpack_into(read_fd(archive_fd, "it"), tree.get(), options, report.opaque);
    };
    report.result = run();
    return report;
}

}  // namespace

int unpack_main(int count, char** arguments) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    raise_file_limit();
    Report report = work({arguments + 1, arguments + count});
    bool told = write_all(report_fd, encode_report(report)).has_value();
    // At once: there is nothing to tidy up, and memory is the kernel's to take back.
    _exit(told && report.result ? 0 : 1);
}

}  // namespace croft::archive
