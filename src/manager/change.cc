#include "manager/change.h"

#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "dialect/ini.h"
#include "dialect/print.h"
#include "dialect/regular_file.h"
#include "manager/config_changed.h"
#include "manager/config_file.h"
#include "manager/declared.h"
#include "manager/live.h"
#include "manager/request.h"
#include "manager/setting_key.h"
#include "manager/states.h"
#include "manager/supervisor.h"
#include "plan/planner.h"

namespace croft::manager {
namespace {

using dialect::IniEntry;

constexpr std::string_view heading = "# Written by `croft set`; `croft unset` takes lines out again.\n";

// What a setting's values are in a file, in the words that a file has for them.
Result<std::vector<IniEntry>> entries_of(const SettingKey& key, const std::vector<std::string>& values) {
    spec::MachineSpec scratch;
    for (const std::string& value : values)
        TRY(key.field->set(scratch, key.wildcard() ? cat(key.key, "=", value) : value).within(key.shown()));
    std::vector<IniEntry> entries = dialect::parse_ini(dialect::print_machine_file(scratch)).entries;
    if (entries.empty() && (!key.field->get(scratch).empty() || !*key.field->section))
        return error(Errc::invalid, cat(key.shown(), ": a machine file cannot hold this"));
    // The value is the default: an empty assignment says that.
    if (entries.empty()) entries.push_back({key.field->section, key.key, "", 0});
    return entries;
}

void take_out(std::vector<IniEntry>& entries, const IniEntry& like) {
    std::erase_if(entries, [&](const IniEntry& e) { return e.section == like.section && e.key == like.key; });
}

// Lists are replaced as a whole, so what other files say is emptied first. Keys that are systemd's own are
// not: what an empty assignment means to them is not ours to know.
void put(std::vector<IniEntry>& drop_in, const std::vector<IniEntry>& entries, const spec::Field& field) {
    for (const IniEntry& entry : entries) take_out(drop_in, entry);
    bool list = field.repeat == spec::Repeat::adds && std::string_view(field.key) != "*";
    if (list && !entries[0].value.empty()) drop_in.push_back({entries[0].section, entries[0].key, "", 0});
    drop_in.insert(drop_in.end(), entries.begin(), entries.end());
}

std::string drop_in_text(const std::vector<IniEntry>& entries) {
    if (entries.empty()) return "";
    std::string out(heading);
    std::vector<std::string> sections;
    for (const IniEntry& entry : entries)
        if (std::ranges::find(sections, entry.section) == sections.end()) sections.push_back(entry.section);
    for (const std::string& section : sections) {
        out += cat("\n[", section, "]\n");
        for (const IniEntry& entry : entries)
            if (entry.section == section) out += cat(entry.key, "=", entry.value, "\n");
    }
    return out;
}

// The drop-in while it is changed, under the lock of the configuration.
struct DropIn {
    Fd lock;
    std::string path;
    std::vector<IniEntry> entries;
    dialect::Draft draft() const { return {path, drop_in_text(entries)}; }
};

Result<DropIn> open_drop_in(const Paths& paths, const std::string& name) {
    TRY(find_declared(paths, name));
    DropIn out{TRY(lock_config(paths)), cat(paths.config, "/", name, ".machine.d/50-set.conf"), {}};
    auto text = TRY(dialect::read_if_there(out.path));
    dialect::IniFile file = dialect::parse_ini(text.value_or(""));
    for (const dialect::IniProblem& problem : file.problems)
        return error(Errc::invalid, cat(out.path, ":", problem.line, ": ", problem.text));
    out.entries = std::move(file.entries);
    return out;
}

Result<> write_drop_in(const DropIn& drop_in) {
    std::string text = drop_in_text(drop_in.entries);
    if (text.empty()) {
        if (unlink(drop_in.path.c_str()) < 0 && errno != ENOENT)
            return os_error(errno, cat("removing ", drop_in.path));
        rmdir(drop_in.path.substr(0, drop_in.path.rfind('/')).c_str());
        return {};
    }
    ConfigPlace place = TRY(config_place(drop_in.path));
    return write_config(place.directory.get(), place.name, text, Existing::replace).within(drop_in.path);
}

// What stands in [Resources] and is no property that a running unit could be given.
bool is_live_property(std::string_view name) {
    const spec::Field* field = spec::field_by_key("Resources", name);
    std::string_view row = field ? field->name : "";
    return field && row != "slice" && row != "cgroup-parent" && name != "Delegate";
}

// Behind the writing: what of it the machine has now.
Result<Changed> finish(const Paths& paths, const std::string& name, const DropIn& drop_in,
                       std::vector<ChangedSetting> settings, const spec::MachineSpec& spec) {
    TRY(write_drop_in(drop_in));
    Changed out{drop_in.path, std::move(settings), false, std::nullopt};
    std::vector<std::string> keys;
    for (const ChangedSetting& setting : out.settings) keys.push_back(cat(setting.key, "=", setting.text));
    config_changed(paths, name, join(keys, ", "));
    auto machine = find(paths, name);
    out.alive = machine && machine->alive();
    if (!out.alive || !machine->record.leader.pid) return out;
    std::vector<std::string> limits;
    bool by_systemd = !machine->record.unit.empty() && supervisor();
    for (ChangedSetting& setting : out.settings) {
        if (!setting.key.starts_with("Resources.")) continue;
        std::string property = setting.key.substr(10);
        // systemd can do more of them, and knows what a percentage is a share of.
        setting.live = by_systemd ? is_live_property(property) : plan::is_group_limit(property, setting.text);
        if (setting.live) limits.push_back(std::move(property));
    }
    if (limits.empty()) return out;
    if (Result<> applied = apply_limits(paths, *machine, spec, limits); !applied) {
        out.not_applied = std::move(applied).error();
        for (ChangedSetting& setting : out.settings) setting.live = false;
    }
    return out;
}

std::string values_text(const std::vector<IniEntry>& entries) {
    std::vector<std::string> values;
    for (const IniEntry& entry : entries) values.push_back(entry.value);
    return join(values, ", ");
}

}  // namespace

Result<Changed> set_properties(const Paths& paths, const std::string& name,
                               const std::vector<Setting>& settings) {
    // One key may be given several times: several items of a list.
    std::vector<std::pair<SettingKey, std::vector<std::string>>> wanted;
    for (const Setting& setting : settings) {
        SettingKey key = TRY(find_setting(setting.key));
        auto same = std::ranges::find_if(wanted, [&](const auto& w) { return w.first == key; });
        if (same == wanted.end()) same = wanted.insert(wanted.end(), {key, {}});
        if (!setting.value.empty()) same->second.push_back(setting.value);
    }
    DropIn drop_in = TRY(open_drop_in(paths, name));
    std::vector<ChangedSetting> changed;
    for (const auto& [key, values] : wanted) {
        std::vector<IniEntry> entries = TRY(entries_of(key, values));
        put(drop_in.entries, entries, *key.field);
        changed.push_back({cat(entries[0].section, ".", entries[0].key), values_text(entries)});
    }
    dialect::Draft draft = drop_in.draft();
    LoadedMachine loaded = TRY(load_declared(paths, name, &draft));
    return finish(paths, name, drop_in, std::move(changed), loaded.spec);
}

Result<Changed> unset_properties(const Paths& paths, const std::string& name,
                                 const std::vector<Setting>& settings) {
    std::vector<SettingKey> keys;
    for (const Setting& setting : settings) keys.push_back(TRY(find_setting(setting.key)));
    DropIn drop_in = TRY(open_drop_in(paths, name));
    std::vector<ChangedSetting> changed;
    for (const SettingKey& key : keys) {
        if (!*key.field->section)
            return error(Errc::invalid, cat(key.shown(),
                                            ": name the key of the file that it stands for "
                                            "(`croft explain ",
                                            key.field->name, "` tells it)"));
        IniEntry empty{key.field->section, key.key, "", 0};
        take_out(drop_in.entries, empty);
        dialect::Draft draft = drop_in.draft();
        // Another file says it, too.
        if (key.is_set(TRY(load_declared(paths, name, &draft)).spec)) drop_in.entries.push_back(empty);
        changed.push_back({cat(empty.section, ".", empty.key), ""});
    }
    dialect::Draft draft = drop_in.draft();
    LoadedMachine loaded = TRY(load_declared(paths, name, &draft));
    return finish(paths, name, drop_in, std::move(changed), loaded.spec);
}

Result<Editable> editable_file(const Paths& paths, const std::string& name) {
    Declared declared = TRY(find_declared(paths, name));
    if (declared.masked)
        return error(Errc::wrong_state, cat("machine ", quoted(name), " is masked: ", declared.file,
                                            " is a link to /dev/null; remove it"));
    std::string text = TRY(dialect::read_regular(declared.file));
    return Editable{declared.file, cat(paths.config, "/", name, ".machine"), std::move(text)};
}

Result<> replace_machine_file(const Paths& paths, const std::string& name, const Editable& before,
                              const std::string& text) {
    Fd directory = TRY(lock_config(paths));
    dialect::Draft draft{before.to, text};
    TRY(load_declared(paths, name, &draft));
    auto now = TRY(dialect::read_if_there(before.from));
    // One that is new has no text before, and no file.
    if (now.value_or("") != before.text)
        return error(Errc::busy, cat(before.from, " was changed by somebody else meanwhile"));
    TRY(write_config(directory.get(), name + ".machine", text, Existing::replace));
    config_changed(paths, name, "edited");
    return {};
}

}  // namespace croft::manager
