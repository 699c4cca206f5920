// Rows: what of the kernel's own files the payload sees.
#include "spec/field_rows.h"

namespace croft::spec {

namespace {
using std::string_view;

template <auto Paths>
Result<> add_path(MachineSpec& s, string_view text) {
    auto& paths = s.security.*Paths;
    if (text == "none") {
        paths.emplace().clear();
        return {};
    }
    std::string path = TRY(parse_inside_path(text));
    if (!paths) paths.emplace();
    add_once(*paths, std::move(path));
    return {};
}
template <auto Paths>
std::vector<std::string> get_paths(const MachineSpec& s) {
    const auto& paths = s.security.*Paths;
    if (paths && paths->empty()) return {"none"};
    return paths ? *paths : std::vector<std::string>{};
}
template <auto Paths>
void reset_paths(MachineSpec& s) {
    (s.security.*Paths).reset();
}

struct Sysctl : Pair {
    static Result<std::pair<std::string, std::string>> parse(string_view text) {
        size_t equals = text.find('=');
        std::string name(trim(text.substr(0, equals)));
        std::ranges::replace(name, '/', '.');
        bool good = equals != text.npos && !name.empty() && name.find("..") == name.npos &&
                    name.front() != '.' && name.find_first_of(" \t\n") == name.npos;
        if (!good) return wrong_value(text, "is no NAME=VALUE of sysctl(8) (net.ipv4.ip_forward=1)");
        return std::pair(name, TRY(parse_text(trim(text.substr(equals + 1)))));
    }
};

const Field table[] = {
    {.name = "sysctl",
     .option = "--sysctl",
     .section = "Exec",
     .key = "Sysctl",
     .argument = "NAME=VALUE",
     .repeat = Repeat::adds,
     .help = "A kernel setting of the machine's own namespaces",
     .doc = "Names of sysctl(8), with dots or slashes. Only those that belong to a namespace: net.* (with a "
            "network of its own), kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, user.max_*. Default: "
            "the kernel's for a new namespace.",
     .example = "--sysctl=net.ipv4.ip_forward=1",
     ROW_PAIRS(Sysctl, security.sysctls)},
    {.name = "mask-path",
     .section = "Files",
     .key = "MaskPath",
     .argument = "PATH|none",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Paths to hide, in place of croft's list",
     .doc = "The first one replaces the default list below /proc and /sys; none hides nothing, which lets "
            "the payload see kernel secrets. Default: croft's list, see docs/security.md.",
     .example = "MaskPath=/proc/kcore",
     .set = add_path<&Security::masked_paths>,
     .get = get_paths<&Security::masked_paths>,
     .reset = reset_paths<&Security::masked_paths>},
    {.name = "read-only-path",
     .section = "Files",
     .key = "ReadOnlyPath",
     .argument = "PATH|none",
     .repeat = Repeat::adds,
     .offered = Offered::file_only,
     .help = "Paths to make read-only, in place of croft's list",
     .doc = "The first one replaces the default list below /proc; none makes none read-only. Default: "
            "croft's list, see docs/security.md.",
     .example = "ReadOnlyPath=/proc/sys",
     .set = add_path<&Security::readonly_paths>,
     .get = get_paths<&Security::readonly_paths>,
     .reset = reset_paths<&Security::readonly_paths>},
};
}  // namespace

std::span<const Field> kernel_rows() {
    return table;
}

}  // namespace croft::spec
