// The help pages, made from the verb table and the field table.
#pragma once

#include <string>

#include "cli/verbs.h"
#include "spec/fields.h"

namespace croft::cli {

std::string general_help();
std::string help_of(const Verb& verb);
// The verbs of a noun ("image"), one line for each.
std::string noun_help(std::string_view noun);
// `croft explain FIELD`, and without a field: one line for each.
std::string field_help(const spec::Field& field);
std::string all_fields_help();

}  // namespace croft::cli
