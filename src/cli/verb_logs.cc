#include <unistd.h>

#include "base/text.h"
#include "cli/output.h"
#include "cli/sanitize.h"
#include "cli/verbs.h"
#include "manager/inspect.h"

namespace croft::cli {

Result<int> verb_logs(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    manager::LogOptions options;
    options.follow = args.has("--follow");
    options.lines = TRY(number_option(args, "--lines"));
    manager::Paths paths = TRY(manager::find_paths());
    bool clean = is_terminal(STDOUT_FILENO) && !args.has("--raw");
    Sanitizer sanitizer;
    TRY(manager::logs(paths, args.operands[0], options, [&](std::string_view bytes) -> Result<> {
        return clean ? print(sanitizer.feed(bytes)) : print(bytes);
    }));
    return 0;
}

}  // namespace croft::cli
