// A payload's environment under construction. Only for the .cc files of plan/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/draft.h"

namespace croft::plan {

// "NAME=VALUE" list in which the last one said wins, in the place of the first.
class Environment {
  public:
    explicit Environment(std::vector<std::string>& list) : list_(list) {}
    void set(std::string_view name, std::string_view value) {
        std::string entry = cat(name, "=", value);
        for (std::string& old : list_)
            if (old.starts_with(name) && old[name.size()] == '=') {
                old = std::move(entry);
                return;
            }
        list_.push_back(std::move(entry));
    }
    void set_if(std::string_view name, std::string_view value) {
        if (!value.empty()) set(name, value);
    }
    std::string get(std::string_view name) const {
        for (const std::string& entry : list_)
            if (entry.starts_with(name) && entry[name.size()] == '=') return entry.substr(name.size() + 1);
        return "";
    }

  private:
    std::vector<std::string>& list_;
};

}  // namespace croft::plan
