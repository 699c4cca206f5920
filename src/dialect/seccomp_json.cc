#include "dialect/seccomp_json.h"

#include <algorithm>

#include "base/text.h"
#include "dialect/oci_parts.h"
#include "spec/name_tables.h"
#include "spec/seccomp_request.h"

namespace croft::dialect {

namespace {
using spec::SeccompArg;
using spec::SeccompProfile;
using spec::SeccompRule;
using std::string_view;

// uname's, libseccomp's and Go's name of the architectures that croft runs on; the last is what conditions
// use.
constexpr const char* native_names[][3] = {
    {"x86_64", "SCMP_ARCH_X86_64", "amd64"},     {"i686", "SCMP_ARCH_X86", "386"},
    {"aarch64", "SCMP_ARCH_AARCH64", "arm64"},   {"armv7l", "SCMP_ARCH_ARM", "arm"},
    {"ppc64le", "SCMP_ARCH_PPC64LE", "ppc64le"}, {"s390x", "SCMP_ARCH_S390X", "s390x"},
    {"riscv64", "SCMP_ARCH_RISCV64", "riscv64"}, {"loongarch64", "SCMP_ARCH_LOONGARCH64", "loong64"}};

using Keys = std::initializer_list<string_view>;

// runtime-spec has a number under `number_key`; podman a name under `name_key`, which may stand beside it.
Result<std::optional<uint32_t>> errno_of(Json object, string_view number_key, string_view name_key) {
    if (auto json = json_member(object, number_key))
        return std::optional(static_cast<uint32_t>(TRY(json_number(*json, 4095))));
    auto json = json_member(object, name_key);
    if (!json) return std::optional<uint32_t>();
    std::string name = TRY(json_text(*json));
    for (uint32_t number = 1; number < 134; ++number)
        if (name == errno_name(static_cast<int>(number))) return std::optional(number);
    return json_error(*json, cat(croft::quoted(name), " is no name of an errno (EPERM, ENOSYS, …)"));
}

// Both forms. Without a host it is runtime-spec's, whose objects may hold what nobody knows.
class Reader {
  public:
    Reader(const SeccompHost* host, JsonNotes& notes) : host_(host), notes_(notes) {
        for (const auto& names : native_names)
            if (host && host->architecture == names[0]) scmp_ = names[1], go_ = names[2];
    }

    Result<SeccompProfile> profile(Json json) {
        TRY(expect(json,
                   {"defaultAction", "defaultErrnoRet", "architectures", "flags", "listenerPath",
                    "listenerMetadata", "syscalls"},
                   {"defaultErrno", "archMap"}));
        SeccompProfile out;
        auto action = json_member(json, "defaultAction");
        if (!action) return json_missing(json, "defaultAction");
        out.default_action = TRY(json_word(*action, spec::seccomp_actions()));
        out.default_errno = TRY(errno_of(json, "defaultErrnoRet", host_ ? "defaultErrno" : ""));
        TRY(read_architectures(json, out));
        if (auto flags = json_member(json, "flags"))
            out.flags = TRY(json_words(*flags, spec::seccomp_flags()));
        if (auto path = json_member(json, "listenerPath")) out.listener_path = TRY(json_text(*path));
        if (auto data = json_member(json, "listenerMetadata")) out.listener_metadata = TRY(json_text(*data));
        if (auto calls = json_member(json, "syscalls")) TRY(read_rules(*calls, out));
        return out;
    }

  private:
    Result<> expect(Json object, Keys spec, Keys more = {}) {
        TRY(json_object(object));
        for (Json member : object) {
            if (std::ranges::find(spec, member.key()) != spec.end()) continue;
            if (host_ && std::ranges::find(more, member.key()) != more.end()) continue;
            std::vector<string_view> known(spec);
            if (host_) known.insert(known.end(), more.begin(), more.end());
            TRY(json_unknown(member, known, notes_));
        }
        return {};
    }

    Result<std::vector<std::string>> architectures(Json json) {
        std::vector<std::string> out;
        for (Json item : TRY(json_array(json))) {
            // libseccomp's word for this machine's own, which is always meant.
            bool native = item.kind() == JsonKind::string && item.text() == "SCMP_ARCH_NATIVE";
            if (!native) out.push_back(TRY(json_word(item, spec::seccomp_architectures())));
        }
        return out;
    }

    Result<> read_architectures(Json json, SeccompProfile& out) {
        auto plain = json_member(json, "architectures");
        auto map = host_ ? json_member(json, "archMap") : std::nullopt;
        if (plain && map && !plain->empty() && !map->empty())
            return json_error(json, "architectures and archMap exclude each other");
        if (plain) out.architectures = TRY(architectures(*plain));
        if (!map) return {};
        for (Json entry : TRY(json_array(*map))) {
            TRY(expect(entry, {"architecture", "subArchitectures"}));
            auto name = json_member(entry, "architecture");
            if (!name) return json_missing(entry, "architecture");
            std::string architecture = TRY(json_word(*name, spec::seccomp_architectures()));
            std::vector<std::string> subs;
            if (auto list = json_member(entry, "subArchitectures")) subs = TRY(architectures(*list));
            if (architecture != scmp_ || !out.architectures.empty()) continue;
            out.architectures.push_back(architecture);
            out.architectures.insert(out.architectures.end(), subs.begin(), subs.end());
        }
        return {};
    }

    Result<> read_rules(Json json, SeccompProfile& out) {
        for (Json entry : TRY(json_array(json))) {
            TRY(expect(entry, {"names", "action", "errnoRet", "args"},
                       {"name", "errno", "comment", "includes", "excludes"}));
            SeccompRule rule = TRY(read_rule(entry));
            bool wanted = !host_ || TRY(applies(entry));
            if (wanted) out.rules.push_back(std::move(rule));
        }
        return {};
    }

    Result<SeccompRule> read_rule(Json entry) {
        SeccompRule rule;
        if (auto names = json_member(entry, "names")) rule.names = TRY(json_texts(*names));
        auto name = host_ ? json_member(entry, "name") : std::nullopt;
        std::string single = name ? TRY(json_text(*name)) : "";
        if (!single.empty() && !rule.names.empty())
            return json_error(entry, "name and names exclude each other");
        if (!single.empty()) rule.names.push_back(single);
        if (rule.names.empty()) return json_error(entry, "names no system call");
        auto action = json_member(entry, "action");
        if (!action) return json_missing(entry, "action");
        rule.action = TRY(json_word(*action, spec::seccomp_actions()));
        rule.errno_ret = TRY(errno_of(entry, "errnoRet", host_ ? "errno" : ""));
        if (auto args = json_member(entry, "args"))
            for (Json arg : TRY(json_array(*args))) rule.args.push_back(TRY(read_arg(arg)));
        return rule;
    }

    Result<SeccompArg> read_arg(Json json) {
        TRY(expect(json, {"index", "value", "valueTwo", "op"}));
        SeccompArg arg;
        auto index = json_member(json, "index");
        auto op = json_member(json, "op");
        if (!index || !op) return json_missing(json, index ? "op" : "index");
        arg.index = static_cast<unsigned>(TRY(json_number(*index, 5)));
        if (auto value = json_member(json, "value")) arg.value = TRY(json_number(*value, UINT64_MAX));
        if (auto two = json_member(json, "valueTwo")) arg.value_two = TRY(json_number(*two, UINT64_MAX));
        arg.op = TRY(json_word(*op, spec::seccomp_operators()));
        return arg;
    }

    // includes: all of it must hold; excludes: none of it may.
    Result<bool> applies(Json entry) {
        bool wanted = true;
        if (auto includes = json_member(entry, "includes")) {
            Condition found = TRY(read_condition(*includes));
            wanted =
                found.architecture.value_or(true) && found.all_capabilities && found.kernel.value_or(true);
        }
        if (auto excludes = json_member(entry, "excludes")) {
            Condition found = TRY(read_condition(*excludes));
            if (found.architecture.value_or(false) || found.any_capability || found.kernel.value_or(false))
                wanted = false;
        }
        return wanted;
    }

    struct Condition {
        std::optional<bool> architecture, kernel;  // unset: not asked
        bool any_capability = false, all_capabilities = true;
    };

    Result<Condition> read_condition(Json json) {
        TRY(expect(json, {"caps", "arches", "minKernel"}));
        Condition out;
        if (auto caps = json_member(json, "caps")) {
            for (Json item : TRY(json_array(*caps))) {
                std::string text = TRY(json_text(item));
                auto name = spec::capability_name(text);
                auto number = name ? spec::capability_number(*name) : std::nullopt;
                if (!number) return json_error(item, cat(croft::quoted(text), " is no capability"));
                bool held = (host_->capabilities >> *number) & 1;
                out.any_capability |= held;
                out.all_capabilities &= held;
            }
        }
        if (auto arches = json_member(json, "arches")) {
            std::vector<std::string> names = TRY(json_texts(*arches));
            if (!names.empty()) out.architecture = std::ranges::find(names, go_) != names.end();
        }
        if (auto kernel = json_member(json, "minKernel"))
            if (std::string text = TRY(json_text(*kernel)); !text.empty())
                out.kernel = TRY(kernel_at_least(*kernel, text));
        return out;
    }

    Result<bool> kernel_at_least(Json json, const std::string& text) {
        size_t dot = text.find('.');
        auto major = parse_uint(string_view(text).substr(0, dot));
        auto minor = dot == text.npos ? std::nullopt : parse_uint(string_view(text).substr(dot + 1));
        if (!major || !minor)
            return json_error(json, cat(croft::quoted(text), " is no kernel version (4.8)"));
        auto have_major = static_cast<uint64_t>(host_->kernel_major),
             have_minor = static_cast<uint64_t>(host_->kernel_minor);
        return have_major > *major || (have_major == *major && have_minor >= *minor);
    }

    const SeccompHost* host_;
    JsonNotes& notes_;
    string_view scmp_, go_;
};
}  // namespace

Result<SeccompProfile> parse_seccomp_json(string_view text, const SeccompHost& host) {
    auto document = TRY(json_parse(text));
    JsonNotes notes;
    return Reader(&host, notes).profile(document.root());
}

Result<SeccompProfile> read_seccomp(Json json, JsonNotes& notes) {
    return Reader(nullptr, notes).profile(json);
}

}  // namespace croft::dialect
