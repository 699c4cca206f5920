#include "registry/lookaside.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/fd.h"
#include "base/host_root.h"
#include "base/scope.h"
#include "base/text.h"

namespace croft::registry {

namespace {
struct Line {
    size_t indent = 0;
    std::string key, value;
};

std::string unquoted(std::string_view text) {
    text = trim(text);
    if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0])
        return std::string(text.substr(1, text.size() - 2));
    size_t comment = text.find(" #");
    return std::string(trim(text.substr(0, comment)));
}

// A scope holds a port, so the key ends at the ':' that ends the line or has a blank behind it.
Result<Line> read_line(std::string_view text, const std::string& where) {
    Line out{.indent = text.find_first_not_of(' '), .key = "", .value = ""};
    text.remove_prefix(out.indent);
    if (text[0] == '\t' || text[0] == '-')
        return error(Errc::invalid,
                     cat(where, ": maps are understood here, indented by blanks, and nothing else of YAML"));
    size_t end = text.find(": ");
    if (end == text.npos && trim(text).ends_with(':')) end = trim(text).size() - 1;
    if (end == text.npos) return error(Errc::invalid, cat(where, ": KEY: VALUE is meant to stand here"));
    out.key = unquoted(text.substr(0, end)), out.value = unquoted(text.substr(end + 1));
    return out;
}

std::vector<std::string> files_of(const PlaceOptions& options) {
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
    std::string own = config && *config ? cat(config, "/containers/registries.d")
                      : home && *home   ? cat(home, "/.config/containers/registries.d")
                                        : "";
    std::string directory = !options.registries_d.empty()                ? options.registries_d
                            : !own.empty() && !access(own.c_str(), R_OK) ? own
                                                                         : "/etc/containers/registries.d";
    std::vector<std::string> out;
    DIR* dir = opendir(directory.c_str());
    if (!dir) return out;
    OnExit close([&] { closedir(dir); });
    while (dirent* entry = readdir(dir))
        if (std::string_view(entry->d_name).ends_with(".yaml")) out.push_back(cat(directory, "/", entry->d_name));
    std::ranges::sort(out);
    return out;
}

std::string usual_place() {
    const char *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");
    if (is_host_root()) return "file:///var/lib/containers/sigstore";
    return cat("file://",
               data && *data   ? data
               : home && *home ? cat(home, "/.local/share")
                               : "/nonexistent",
               "/containers/sigstore");
}
}  // namespace

Result<> read_lookaside(std::string_view text, const std::string& path, Lookaside& out) {
    std::vector<Line> above;
    unsigned number = 0;
    for (const std::string& raw : split(text, '\n')) {
        ++number;
        std::string_view bare = trim(raw);
        if (bare.empty() || bare[0] == '#' || bare == "---") continue;
        Line line = TRY(read_line(raw, cat(path, ":", number)));
        while (!above.empty() && above.back().indent >= line.indent) above.pop_back();
        bool told = line.key == "lookaside" || line.key == "sigstore";
        if (told && above.size() == 1 && above[0].key == "default-docker") out.fallback = line.value;
        if (told && above.size() == 2 && above[0].key == "docker") out.locations[above[1].key] = line.value;
        above.push_back(std::move(line));
    }
    return {};
}

Result<std::string> lookaside_of(const image::Reference& reference, const PlaceOptions& options) {
    Lookaside all;
    for (const std::string& path : files_of(options)) {
        std::string text = TRY(read_file_at(AT_FDCWD, path.c_str()).within(path));
        TRY(read_lookaside(text, path, all));
    }
    std::string found = all.fallback;
    size_t best = 0;
    std::string name = cat(reference.host, "/", reference.name);
    for (const auto& [scope, location] : all.locations) {
        bool fits = name.starts_with(scope) &&
                    (name.size() == scope.size() || name[scope.size()] == '/' || name[scope.size()] == ':');
        if (fits && scope.size() > best) best = scope.size(), found = location;
    }
    if (found.empty()) found = usual_place();
    while (found.ends_with('/')) found.pop_back();
    return found;
}

}  // namespace croft::registry
