#include "seccomp/request.h"

#include <linux/seccomp.h>

#include "base/text.h"
#include "launch/seccomp_file.h"

namespace croft::seccomp {

namespace {

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

using Words = std::vector<std::string>;

Error bad(size_t line, std::string_view why) {
    return error(Errc::invalid, cat("seccomp request, line ", line, ": ", why));
}

std::optional<uint32_t> action_value(std::string_view name, std::string_view number) {
    auto data = parse_uint(number);
    if (name == "SCMP_ACT_ERRNO" && data && *data <= 0xffff) return SECCOMP_RET_ERRNO | uint32_t(*data);
    if (name == "SCMP_ACT_TRACE" && data && *data <= 0xffff) return SECCOMP_RET_TRACE | uint32_t(*data);
    if (number != "-") return std::nullopt;
    if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SECCOMP_RET_KILL_THREAD;
    if (name == "SCMP_ACT_KILL_PROCESS") return SECCOMP_RET_KILL_PROCESS;
    if (name == "SCMP_ACT_TRAP") return SECCOMP_RET_TRAP;
    if (name == "SCMP_ACT_LOG") return SECCOMP_RET_LOG;
    if (name == "SCMP_ACT_ALLOW") return SECCOMP_RET_ALLOW;
    if (name == "SCMP_ACT_NOTIFY") return SECCOMP_RET_USER_NOTIF;
    return std::nullopt;
}

std::optional<Op> op_value(std::string_view name) {
    constexpr std::string_view names[] = {"NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"};
    for (size_t i = 0; i < std::size(names); ++i)
        if (name.starts_with("SCMP_CMP_") && name.substr(9) == names[i]) return static_cast<Op>(i);
    return std::nullopt;
}

uint32_t flag_value(std::string_view name) {
    if (name == "SECCOMP_FILTER_FLAG_LOG") return SECCOMP_FILTER_FLAG_LOG;
    if (name == "SECCOMP_FILTER_FLAG_SPEC_ALLOW") return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    if (name == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") return SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    return 0;
}

Result<> read_families(DefaultRequest& out, const Words& words, size_t line) {
    if (words.size() < 3 || (words[1] != "allow" && words[1] != "deny"))
        return bad(line, "families allow|deny N…");
    out.families = words[1] == "allow" ? DefaultRequest::Families::allow : DefaultRequest::Families::deny;
    for (size_t i = 2; i < words.size(); ++i) {
        auto number = parse_uint(words[i]);
        if (!number || *number > 0xffff) return bad(line, "an address family is a number");
        out.family_numbers.push_back(static_cast<uint32_t>(*number));
    }
    return {};
}

Result<> read_default_line(DefaultRequest& out, const Words& words, size_t line) {
    if (words[0] == "caps" && words.size() == 2) {
        auto bits = parse_uint(words[1], 16);
        if (!bits) return bad(line, "caps takes a hexadecimal number");
        out.capabilities = *bits;
    } else if (words[0] == "allow" && words.size() == 2) {
        out.allow.push_back(words[1]);
    } else if (words[0] == "deny" && words.size() == 2) {
        out.deny.push_back(words[1]);
    } else if (words[0] == "families") {
        return read_families(out, words, line);
    } else if (words[0] == "suppress-sync" && words.size() == 1) {
        out.suppress_sync = true;
    } else {
        return bad(line, cat(quoted(words[0]), " is not known in a default filter"));
    }
    return {};
}

Result<> read_condition(ProfileRequest& out, const Words& words, size_t line) {
    if (out.rules.empty() || words.size() != 5)
        return bad(line, "a condition follows its rule and has four fields");
    auto index = parse_uint(words[1]), first = parse_uint(words[3]), second = parse_uint(words[4]);
    auto op = op_value(words[2]);
    if (!index || *index > 5 || !op || !first || !second) return bad(line, "if INDEX SCMP_CMP_… VALUE VALUE");
    Condition condition{.index = static_cast<unsigned>(*index), .op = *op, .value = *first};
    if (*op == Op::masked_eq) condition.mask = *first, condition.value = *second;
    out.rules.back().conditions.push_back(condition);
    return {};
}

Result<> read_profile_line(ProfileRequest& out, const Words& words, size_t line) {
    if (words[0] == "if") return read_condition(out, words, line);
    if (words[0] == "arch" && words.size() == 2) {
        out.arches.push_back(words[1]);
    } else if (words[0] == "flag" && words.size() == 2 && flag_value(words[1])) {
        out.filter_flags |= flag_value(words[1]);
    } else if ((words[0] == "default" && words.size() == 3) || (words[0] == "rule" && words.size() > 3)) {
        auto action = action_value(words[1], words[2]);
        if (!action) return bad(line, cat(quoted(words[1]), " with ", quoted(words[2]), " is no action"));
        if (words[0] == "default")
            out.default_action = *action;
        else
            out.rules.push_back({*action, {words.begin() + 3, words.end()}, {}});
        if (*action == SECCOMP_RET_USER_NOTIF) out.filter_flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    } else {
        return bad(line, cat(quoted(words[0]), " is not known in a profile"));
    }
    return {};
}

}  // namespace

Result<Request> parse_request(std::string_view text) {
    std::string_view first = launch::seccomp_request_first_line;
    if (!text.starts_with(first) || !text.ends_with('\n'))
        return error(Errc::invalid, "this is no seccomp request of this version of croft");
    text.remove_prefix(first.size());
    std::vector<std::string> lines = split(text, '\n');
    Request out;
    if (lines[0] == "default")
        out.defaults.emplace();
    else if (lines[0] == "profile" && lines.size() > 1 && lines[1].starts_with("default "))
        out.profile.emplace();
    else
        return bad(2, "a request is for the 'default' filter, or a 'profile' with its default action first");
    for (size_t i = 1; i + 1 < lines.size(); ++i) {
        Words words = split(lines[i], ' ');
        if (out.defaults)
            TRY(read_default_line(*out.defaults, words, i + 2));
        else
            TRY(read_profile_line(*out.profile, words, i + 2));
    }
    return out;
}

}  // namespace croft::seccomp
