// Writing files that declare machines, so that a reader sees the old one or the new one whole, also after a
// crash, and a full disk leaves the old one. Called within manager/ only.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "base/sync_group.h"
#include "manager/paths.h"

namespace croft::manager {

// The directory of machine files, made when it is not there, and locked: who changes what is declared does it
// alone. The lock (flock on the directory itself: no file of it is left) goes with the descriptor.
Result<Fd> lock_config(const Paths& paths);

enum class Existing { refuse, replace };
// `name` is relative to the directory; with `refuse`, one that is there is an error (exists). A file that is
// replaced keeps its mode.
Result<> write_config(int directory, const std::string& name, std::string_view text, Existing existing);

// The same in two halves, for one of several files: it may be put in its place when `group` is flushed, and lasts when it
// is flushed again. Without put() nothing stays of it.
class ConfigDraft {
  public:
    static Result<ConfigDraft> write(int directory, const std::string& name, std::string_view text, Existing existing,
                                     SyncGroup& group);
    ConfigDraft(ConfigDraft&&) = default;
    ConfigDraft& operator=(ConfigDraft&&) = delete;
    ~ConfigDraft();
    Result<> put(SyncGroup& group);

  private:
    ConfigDraft(Fd directory, std::string name, std::string draft, Existing existing)
        : directory_(std::move(directory)), name_(std::move(name)), draft_(std::move(draft)), existing_(existing) {}
    Fd directory_;
    std::string name_, draft_;
    Existing existing_;
};

// Makes PATH's directory and opens it; the rest of the path is its name.
struct ConfigPlace {
    Fd directory;
    std::string name;
};
Result<ConfigPlace> config_place(const std::string& path);

}  // namespace croft::manager
