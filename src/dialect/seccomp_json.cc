#include "dialect/seccomp_json.h"

#include <algorithm>

#include "base/text.h"
#include "dialect/json_read.h"
#include "spec/name_tables.h"

namespace croft::dialect {

namespace {
using spec::SeccompArg;
using spec::SeccompProfile;
using spec::SeccompRule;
using std::string_view;

const std::vector<std::string> actions = {"SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
                                          "SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",        "SCMP_ACT_TRACE",
                                          "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY"};
const std::vector<std::string> operators = {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",       "SCMP_CMP_EQ",
                                            "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};
const std::vector<std::string> filter_flags = {
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_NEW_LISTENER", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
const std::vector<std::string> architectures = {
    "SCMP_ARCH_NATIVE",      "SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",         "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",         "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",       "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB"};

// uname's, libseccomp's and Go's name of the architectures that croft runs on; the last is what conditions
// use.
constexpr const char* native_names[][3] = {
    {"x86_64", "SCMP_ARCH_X86_64", "amd64"},     {"i686", "SCMP_ARCH_X86", "386"},
    {"aarch64", "SCMP_ARCH_AARCH64", "arm64"},   {"armv7l", "SCMP_ARCH_ARM", "arm"},
    {"ppc64le", "SCMP_ARCH_PPC64LE", "ppc64le"}, {"s390x", "SCMP_ARCH_S390X", "s390x"},
    {"riscv64", "SCMP_ARCH_RISCV64", "riscv64"}, {"loongarch64", "SCMP_ARCH_LOONGARCH64", "loong64"}};

// runtime-spec has a number under `number_key`; podman a name under `name_key`, which may stand beside it.
Result<std::optional<uint32_t>> errno_of(const Json& object, const std::string& path, const char* number_key,
                                         const char* name_key) {
    if (const Json* json = json_member(object, number_key))
        return std::optional(
            static_cast<uint32_t>(TRY(json_number(*json, cat(path, ".", number_key), 4095))));
    const Json* json = json_member(object, name_key);
    if (!json) return std::optional<uint32_t>();
    std::string where = cat(path, ".", name_key);
    std::string name = TRY(json_text(*json, where));
    for (uint32_t number = 1; number < 134; ++number)
        if (name == errno_name(static_cast<int>(number))) return std::optional(number);
    return json_error(where, cat(croft::quoted(name), " is no name of an errno (EPERM, ENOSYS, …)"));
}

class Reader {
  public:
    explicit Reader(const SeccompHost& host) : host_(host) {
        for (const auto& names : native_names)
            if (host.architecture == names[0]) scmp_ = names[1], go_ = names[2];
    }

    Result<SeccompProfile> profile(const Json& json) {
        const std::string top = "$";
        TRY(json_expect_keys(json, top,
                             {"defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap",
                              "flags", "listenerPath", "listenerMetadata", "syscalls"}));
        SeccompProfile out;
        const Json* action = json_member(json, "defaultAction");
        if (!action) return json_error(top, "defaultAction is missing");
        out.default_action = TRY(json_word(*action, "$.defaultAction", actions));
        out.default_errno = TRY(errno_of(json, top, "defaultErrnoRet", "defaultErrno"));
        TRY(read_architectures(json, out));
        if (const Json* flags = json_member(json, "flags"))
            out.flags = TRY(json_words(*flags, "$.flags", filter_flags));
        if (const Json* path = json_member(json, "listenerPath"))
            out.listener_path = TRY(json_text(*path, "$.listenerPath"));
        if (const Json* data = json_member(json, "listenerMetadata"))
            out.listener_metadata = TRY(json_text(*data, "$.listenerMetadata"));
        if (const Json* calls = json_member(json, "syscalls")) TRY(read_rules(*calls, out));
        return out;
    }

  private:
    Result<> read_architectures(const Json& json, SeccompProfile& out) {
        const Json* plain = json_member(json, "architectures");
        const Json* map = json_member(json, "archMap");
        bool both = plain && map && plain->is_array() && map->is_array() && !plain->empty() && !map->empty();
        if (both) return json_error("$", "architectures and archMap exclude each other");
        if (plain) out.architectures = TRY(json_words(*plain, "$.architectures", architectures));
        if (!map) return {};
        size_t index = 0;
        for (const Json& entry : *TRY(json_array(*map, "$.archMap"))) {
            std::string path = cat("$.archMap[", index++, "]");
            TRY(json_expect_keys(entry, path, {"architecture", "subArchitectures"}));
            const Json* name = json_member(entry, "architecture");
            if (!name) return json_error(path, "architecture is missing");
            std::string architecture = TRY(json_word(*name, path + ".architecture", architectures));
            std::vector<std::string> subs;
            if (const Json* list = json_member(entry, "subArchitectures"))
                subs = TRY(json_words(*list, path + ".subArchitectures", architectures));
            if (architecture != scmp_ || !out.architectures.empty()) continue;
            out.architectures.push_back(architecture);
            out.architectures.insert(out.architectures.end(), subs.begin(), subs.end());
        }
        return {};
    }

    Result<> read_rules(const Json& json, SeccompProfile& out) {
        size_t index = 0;
        for (const Json& entry : *TRY(json_array(json, "$.syscalls"))) {
            std::string path = cat("$.syscalls[", index++, "]");
            TRY(json_expect_keys(
                entry, path,
                {"name", "names", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes"}));
            SeccompRule rule = TRY(read_rule(entry, path));
            bool wanted = TRY(applies(entry, path));
            if (wanted) out.rules.push_back(std::move(rule));
        }
        return {};
    }

    Result<SeccompRule> read_rule(const Json& entry, const std::string& path) {
        SeccompRule rule;
        const Json* name = json_member(entry, "name");
        const Json* names = json_member(entry, "names");
        if (names) rule.names = TRY(json_texts(*names, path + ".names"));
        std::string single = name ? TRY(json_text(*name, path + ".name")) : "";
        if (!single.empty() && !rule.names.empty())
            return json_error(path, "name and names exclude each other");
        if (!single.empty()) rule.names.push_back(single);
        if (rule.names.empty()) return json_error(path, "names no system call");
        const Json* action = json_member(entry, "action");
        if (!action) return json_error(path, "action is missing");
        rule.action = TRY(json_word(*action, path + ".action", actions));
        rule.errno_ret = TRY(errno_of(entry, path, "errnoRet", "errno"));
        if (const Json* args = json_member(entry, "args")) {
            std::string where = path + ".args";
            for (const Json& arg : *TRY(json_array(*args, where)))
                rule.args.push_back(TRY(read_arg(arg, cat(where, "[", rule.args.size(), "]"))));
        }
        return rule;
    }

    Result<SeccompArg> read_arg(const Json& json, const std::string& path) {
        TRY(json_expect_keys(json, path, {"index", "value", "valueTwo", "op"}));
        SeccompArg arg;
        const Json* index = json_member(json, "index");
        const Json* value = json_member(json, "value");
        const Json* op = json_member(json, "op");
        if (!index || !op) return json_error(path, index ? "op is missing" : "index is missing");
        arg.index = static_cast<unsigned>(TRY(json_number(*index, path + ".index", 5)));
        if (value) arg.value = TRY(json_number(*value, path + ".value", UINT64_MAX));
        if (const Json* two = json_member(json, "valueTwo"))
            arg.value_two = TRY(json_number(*two, path + ".valueTwo", UINT64_MAX));
        arg.op = TRY(json_word(*op, path + ".op", operators));
        return arg;
    }

    // includes: all of it must hold; excludes: none of it may.
    Result<bool> applies(const Json& entry, const std::string& path) {
        bool wanted = true;
        if (const Json* includes = json_member(entry, "includes")) {
            Condition found = TRY(read_condition(*includes, path + ".includes"));
            wanted =
                found.architecture.value_or(true) && found.all_capabilities && found.kernel.value_or(true);
        }
        if (const Json* excludes = json_member(entry, "excludes")) {
            Condition found = TRY(read_condition(*excludes, path + ".excludes"));
            if (found.architecture.value_or(false) || found.any_capability || found.kernel.value_or(false))
                wanted = false;
        }
        return wanted;
    }

    struct Condition {
        std::optional<bool> architecture, kernel;  // unset: not asked
        bool any_capability = false, all_capabilities = true;
    };

    Result<Condition> read_condition(const Json& json, const std::string& path) {
        TRY(json_expect_keys(json, path, {"caps", "arches", "minKernel"}));
        Condition out;
        if (const Json* caps = json_member(json, "caps")) {
            std::vector<std::string> names = TRY(json_texts(*caps, path + ".caps"));
            for (size_t i = 0; i < names.size(); ++i) {
                auto name = spec::capability_name(names[i]);
                auto number = name ? spec::capability_number(*name) : std::nullopt;
                if (!number)
                    return json_error(cat(path, ".caps[", i, "]"),
                                      cat(croft::quoted(names[i]), " is no capability"));
                bool held = (host_.capabilities >> *number) & 1;
                out.any_capability |= held;
                out.all_capabilities &= held;
            }
        }
        if (const Json* arches = json_member(json, "arches")) {
            std::vector<std::string> names = TRY(json_texts(*arches, path + ".arches"));
            if (!names.empty()) out.architecture = std::ranges::find(names, go_) != names.end();
        }
        if (const Json* kernel = json_member(json, "minKernel")) {
            std::string text = TRY(json_text(*kernel, path + ".minKernel"));
            if (!text.empty()) out.kernel = TRY(kernel_at_least(text, path + ".minKernel"));
        }
        return out;
    }

    Result<bool> kernel_at_least(const std::string& text, const std::string& path) {
        size_t dot = text.find('.');
        auto major = parse_uint(string_view(text).substr(0, dot));
        auto minor = dot == text.npos ? std::nullopt : parse_uint(string_view(text).substr(dot + 1));
        if (!major || !minor)
            return json_error(path, cat(croft::quoted(text), " is no kernel version (4.8)"));
        auto have_major = static_cast<uint64_t>(host_.kernel_major),
             have_minor = static_cast<uint64_t>(host_.kernel_minor);
        return have_major > *major || (have_major == *major && have_minor >= *minor);
    }

    const SeccompHost& host_;
    string_view scmp_, go_;
};
}  // namespace

Result<SeccompProfile> parse_seccomp_json(string_view text, const SeccompHost& host) {
    try {
        return Reader(host).profile(Json::parse(text));
    } catch (const Json::exception& e) {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: …": the rest is a sentence.
        string_view what = e.what();
        size_t end = what.find("] ");
        return error(Errc::invalid, cat("is no JSON: ", end == what.npos ? what : what.substr(end + 2)));
    }
}

}  // namespace croft::dialect
