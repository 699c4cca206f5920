// Which setting somebody means by a word: a key of the machine file, or the name that a setting or its option
// has. Called by change.cc.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "spec/fields.h"

namespace croft::manager {

struct SettingKey {
    const spec::Field* field = nullptr;
    std::string key;  // in its section; of a "*" row, the one that was named
    bool wildcard() const { return std::string_view(field->key) == "*"; }
    std::string shown() const;  // "Resources.MemoryMax"
    // Whether this spec says anything about it.
    bool is_set(const spec::MachineSpec& spec) const;
    bool operator==(const SettingKey& other) const { return field == other.field && key == other.key; }
};
// "Resources.MemoryMax", "MemoryMax", "memory", "--memory"; an error names what is close.
Result<SettingKey> find_setting(std::string_view word);

}  // namespace croft::manager
