// config.json: hooks.
#include "dialect/oci_parts.h"
#include "dialect/oci_words.h"

namespace croft::dialect {

namespace {
using spec::Hook;
using spec::Hooks;

Result<> path(Json v, Hook& hook, JsonNotes&) {
    hook.path = TRY(json_absolute(v));
    return {};
}
Result<> environment(Json v, Hook& hook, JsonNotes&) {
    for (Json item : TRY(json_array(v))) {
        hook.env.push_back(TRY(json_text(item)));
        if (hook.env.back().find('=') == std::string::npos)
            return json_error(item, cat(croft::quoted(hook.env.back()), " is no NAME=VALUE"));
    }
    return {};
}
Result<> timeout(Json v, Hook& hook, JsonNotes&) {
    hook.timeout = static_cast<int>(TRY(json_integer(v, 1, INT32_MAX)));
    return {};
}
constexpr JsonRow<Hook> hook_rows[] = {{"path", path, Presence::required},
                                       {"args", texts_into<&Hook::args>},
                                       {"env", environment},
                                       {"timeout", timeout}};

template <std::vector<Hook> Hooks::*List>
Result<> list(Json v, Hooks& hooks, JsonNotes& notes) {
    return json_list(v, hook_rows, hooks.*List, notes);
}
constexpr JsonRow<Hooks> places[] = {
    {"prestart", list<&Hooks::prestart>},
    {"createRuntime", list<&Hooks::create_runtime>},
    {"createContainer", list<&Hooks::create_container>},
    {"startContainer", list<&Hooks::start_container>},
    {"poststart", list<&Hooks::poststart>},
    {"poststop", list<&Hooks::poststop>},
};
}  // namespace

Result<> read_oci_hooks(Json v, spec::MachineSpec& spec, JsonNotes& notes) {
    return json_members(v, places, spec.hooks, notes);
}

std::vector<std::string_view> oci_hook_names() {
    std::vector<std::string_view> out;
    for (const auto& place : places) out.push_back(place.key);
    return out;
}

}  // namespace croft::dialect
