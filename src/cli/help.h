// The help pages, made from the verb table and the field table.
#pragma once

#include <string>

#include "cli/verbs.h"
#include "spec/fields.h"

namespace croft::cli {

std::string general_help();
std::string help_of(const Verb& verb);
// `croft explain FIELD`, and without a field: one line for each.
std::string field_help(const spec::Field& field);
std::string all_fields_help();

}  // namespace croft::cli
