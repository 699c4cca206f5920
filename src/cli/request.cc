#include "cli/request.h"

#include "base/log.h"
#include "base/text.h"
#include "cli/tree.h"
#include "dialect/options.h"
#include "spec/fields.h"

namespace croft::cli {

Result<spec::MachineSpec> machine_request(const Arguments& arguments, spec::Mode mode) {
    if (arguments.operands.empty())
        return error(Errc::usage,
                     "which tree? (a directory, or a name in /var/lib/machines: croft run TREE [COMMAND…], "
                     "croft boot TREE)");
    Tree tree = TRY(find_tree(arguments.operands[0]));
    spec::MachineSpec spec;
    spec.mode = mode;
    spec.root.directory = tree.directory;
    std::vector<spec::Warning> warnings;
    spec::SpecPatch patch = arguments.patch;
    patch.append(dialect::command_patch(std::span(arguments.operands).subspan(1)));
    TRY(spec::apply(patch, spec, warnings));
    for (const spec::Warning& warning : warnings) warn(warning.text);
    TRY(spec::validate(spec));
    return spec;
}

}  // namespace croft::cli
