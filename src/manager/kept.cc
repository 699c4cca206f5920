#include "manager/kept.h"

#include "base/fd.h"
#include "base/text.h"
#include "dialect/machine_file.h"
#include "dialect/print.h"

namespace croft::manager {

Result<launch::LaunchPlan> kept_plan(const Paths& paths, std::string_view name) {
    std::string bytes =
        TRY(read_file_at(AT_FDCWD, cat(paths.machines, "/", name, "/plan").c_str(), 64 << 20));
    return launch::decode(bytes);
}

Result<> keep_plan(int directory, const launch::LaunchPlan& plan) {
    return replace_file_at(directory, "plan", launch::encode(plan), 0600).within("keeping the plan");
}

Result<spec::MachineSpec> kept_spec(const Paths& paths, std::string_view name) {
    std::string path = cat(paths.machines, "/", name, "/spec");
    auto text = read_file_at(AT_FDCWD, path.c_str(), 16 << 20);
    if (!text && text.error().code == Errc::not_found)
        return error(Errc::unsupported, cat("what machine ", quoted(name),
                                            " was started with is not kept: only "
                                            "machines in the background are compared"));
    if (!text) return std::move(text).error();
    spec::MachineSpec spec;
    std::vector<spec::Warning> none;
    spec::SpecPatch patch = TRY(dialect::parse_machine_file(*text, path, {}));
    TRY(spec::apply(patch, spec, none));
    spec.name = name;
    return spec;
}

Result<> keep_spec(int directory, const spec::MachineSpec& spec) {
    return replace_file_at(directory, "spec", dialect::print_machine_file(spec), 0600)
        .within("keeping the spec");
}

}  // namespace croft::manager
