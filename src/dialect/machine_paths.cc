#include "dialect/machine_paths.h"

#include "base/text.h"
#include "spec/values.h"

namespace croft::dialect {

namespace {
using std::string_view;
constexpr spec::Choice<Settings> settings_words[] = {{"yes", Settings::yes},
                                                     {"override", Settings::override_options},
                                                     {"trusted", Settings::trusted},
                                                     {"no", Settings::no}};
}  // namespace

Places system_places() {
    return {{"/etc/croft/machines", "/run/croft/config", "/usr/lib/croft/machines"},
            {"/etc/systemd/nspawn", "/run/systemd/nspawn"}};
}

Places user_places(string_view config_home, string_view runtime_directory) {
    Places places;
    if (!config_home.empty()) {
        places.machines.push_back(cat(config_home, "/croft/machines"));
        places.nspawn.push_back(cat(config_home, "/systemd/nspawn"));
    }
    if (!runtime_directory.empty()) {
        places.machines.push_back(cat(runtime_directory, "/croft/config"));
        places.nspawn.push_back(cat(runtime_directory, "/systemd/nspawn"));
    }
    return places;
}

Result<Settings> parse_settings(string_view text) {
    // systemd-nspawn(1) takes a truth value for yes and no.
    if (auto truth = parse_bool(text)) return *truth ? Settings::yes : Settings::no;
    return spec::OneOf<settings_words>::parse(text);
}

std::vector<std::string> machine_file_paths(const Places& places, string_view name) {
    std::vector<std::string> paths;
    for (const std::string& directory : places.machines)
        paths.push_back(cat(directory, "/", name, ".machine"));
    return paths;
}

std::vector<std::string> drop_in_directories(const Places& places, string_view name) {
    std::vector<std::string> paths;
    for (const std::string& directory : places.machines)
        paths.push_back(cat(directory, "/", name, ".machine.d"));
    return paths;
}

std::vector<NspawnPath> nspawn_file_paths(const Places& places, string_view name, string_view tree,
                                          Settings settings) {
    std::vector<NspawnPath> paths;
    if (settings == Settings::no) return paths;
    for (const std::string& directory : places.nspawn)
        paths.push_back({cat(directory, "/", name, ".nspawn"), FileTrust::trusted});
    size_t slash = tree.rfind('/');
    // The root of the host has nothing beside it.
    if (slash == tree.npos || tree.size() == 1) return paths;
    FileTrust beside = settings == Settings::trusted ? FileTrust::trusted : FileTrust::untrusted;
    paths.push_back({cat(tree.substr(0, slash), "/", name, ".nspawn"), beside});
    return paths;
}

}  // namespace croft::dialect
