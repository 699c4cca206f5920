#include "base/text.h"
#include "spec/fields.h"
#include "spec/spec_patch.h"

namespace croft::spec {

void SpecPatch::add(const Field& field, std::string value, Origin origin) {
    assignments.push_back({&field, std::move(value), std::move(origin), Assign::value});
}

void SpecPatch::reset(const Field& field, Origin origin) {
    assignments.push_back({&field, "", std::move(origin), Assign::reset});
}

void SpecPatch::append(SpecPatch other) {
    for (Assignment& assignment : other.assignments) assignments.push_back(std::move(assignment));
}

namespace {
// What came with an image must not reach out of it: host paths, wider rights, other networks. An empty
// assignment is dropped with its key, since it would undo what the administrator set.
bool may_set(const Assignment& assignment) {
    if (assignment.origin.trusted) return true;
    switch (assignment.field->trust) {
        case Trust::anyone:
            return true;
        case Trust::host_only:
            return false;
        case Trust::deny_only:
            return assignment.assign == Assign::value && assignment.value.starts_with('~');
    }
    return false;
}
}  // namespace

Result<> apply(const SpecPatch& patch, MachineSpec& spec, std::vector<Warning>& warnings) {
    for (const Assignment& assignment : patch.assignments) {
        if (!may_set(assignment)) {
            warnings.push_back({cat(assignment.origin.text,
                                    ": ignored, because this file came with the tree and is not "
                                    "trusted; copy it to /etc/systemd/nspawn to honour it")});
            continue;
        }
        if (assignment.assign == Assign::reset)
            assignment.field->reset(spec);
        else
            TRY(assignment.field->set(spec, assignment.value).within(assignment.origin.text));
    }
    return {};
}

}  // namespace croft::spec
