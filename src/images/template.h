// What --format of `image inspect` names, in the words that skopeo and podman have from Go: "{{.Digest}}", "{{.Labels.x}}",
// "{{json .Env}}"; "\n" and "\t" are what they are. No control structures: these are refused by name.
#pragma once

#include <string>
#include <string_view>

#include "format/json_document.h"

namespace croft::images {

// `value` is an object; a member that it does not have is an error that lists those it has.
Result<std::string> fill_template(std::string_view text, format::JsonValue value);

}  // namespace croft::images
