// The verbs that croft-hold executes when a machine reboots or has ended.
#include "cli/verbs.h"
#include "manager/start.h"

namespace croft::cli {

Result<int> verb_relaunch(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    manager::Paths paths = TRY(manager::find_paths());
    TRY(manager::relaunch(paths, args.operands[0]));
    return 0;
}

Result<int> verb_cleanup(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, 1));
    manager::Paths paths = TRY(manager::find_paths());
    TRY(manager::cleanup(paths, args.operands[0]));
    return 0;
}

}  // namespace croft::cli
