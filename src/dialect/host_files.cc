#include "dialect/host_files.h"

#include <algorithm>

#include "base/text.h"
#include "dialect/regular_file.h"
#include "spec/values.h"

namespace croft::dialect {

namespace {
using std::string_view;

// What --env says has the last word, wherever it stands among the options.
Result<> read_environment_files(spec::Environment& environment) {
    spec::Environment from_files;
    for (const std::string& path : environment.files) {
        std::string text = TRY(read_regular(path).within("--env-file"));
        TRY(parse_environment_file(text, path, from_files).within("--env-file"));
    }
    for (auto& pair : environment.set) {
        std::erase_if(from_files.set, [&](const auto& old) { return old.first == pair.first; });
        from_files.set.push_back(std::move(pair));
    }
    environment.set = std::move(from_files.set);
    for (std::string& name : from_files.pass)
        if (std::ranges::find(environment.pass, name) == environment.pass.end())
            environment.pass.push_back(std::move(name));
    return {};
}
}  // namespace

Result<> parse_environment_file(string_view text, string_view path, spec::Environment& into) {
    unsigned number = 0;
    for (const std::string& raw : split(text, '\n')) {
        ++number;
        string_view line = raw;
        if (line.ends_with('\r')) line.remove_suffix(1);
        while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
        if (line.empty() || line[0] == '#') continue;
        std::string where = cat(path, ":", number);
        if (line.find('=') == line.npos) {
            line = trim(line);
            if (!spec::valid_environment_name(line))
                return spec::wrong_value(line, "is no NAME=VALUE").within(where);
            into.pass.emplace_back(line);
            continue;
        }
        auto pair = TRY(spec::parse_assignment(line).within(where));
        std::erase_if(into.set, [&](const auto& old) { return old.first == pair.first; });
        into.set.push_back(std::move(pair));
    }
    return {};
}

Result<> read_host_files(spec::MachineSpec& spec, const SeccompHost& host) {
    TRY(read_environment_files(spec.process.environment));
    for (spec::Credential& credential : spec.integration.credentials)
        if (!credential.path.empty())
            credential.value = TRY(read_regular(credential.path)
                                       .within(cat("--load-credential: credential '", credential.id, "'")));
    const std::string& path = spec.security.seccomp_path;
    if (path.empty()) return {};
    std::string text = TRY(read_regular(path, 4 * largest_file).within("--seccomp"));
    spec.security.seccomp = TRY(parse_seccomp_json(text, host).within(cat("--seccomp: ", path)));
    return {};
}

}  // namespace croft::dialect
