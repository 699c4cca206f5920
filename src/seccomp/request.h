// A filter request read back from its text (spec/seccomp_request.h describes the lines). Whatever is not
// exactly a line that spec/ writes is refused, so that a text has one meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "seccomp/policy.h"

namespace croft::seccomp {

struct DefaultRequest {
    uint64_t capabilities = 0;
    std::vector<std::string> allow, deny;  // names and @groups
    enum class Families { all, allow, deny } families = Families::all;
    std::vector<uint32_t> family_numbers;
    bool suppress_sync = false;
};

struct ProfileRule {
    uint32_t action = 0;  // SECCOMP_RET_* with data
    std::vector<std::string> names;
    std::vector<Condition> conditions;
};
struct ProfileRequest {
    uint32_t default_action = 0;
    std::vector<std::string> arches;  // SCMP_ARCH_*
    uint32_t filter_flags = 0;
    std::vector<ProfileRule> rules;
};

struct Request {
    std::optional<DefaultRequest> defaults;  // one of the two is set
    std::optional<ProfileRequest> profile;
};
Result<Request> parse_request(std::string_view text);

}  // namespace croft::seccomp
