// The images as the bus shows them: what the store's names mean, read from the store, and read again when the kernel says
// that a name has changed. Nothing here is ever written, and nothing is held: pulls and removals do not wait for croftd.
//
// A name is put last, when all that it means is there (store/references.h); so one look at that moment tells everything.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus/handles.h"
#include "store/images.h"

namespace croft::bus {

class Images {
  public:
    // `before` is null for a new name, `now` for one that has gone.
    using Changed =
        std::function<void(const std::string& name, const store::Summary* before, const store::Summary* now)>;
    // `path`: of the store, absolute; it need not be there yet.
    Images(std::string path, Changed changed) : path_(std::move(path)), changed_(std::move(changed)) {}
    Result<> start(sd_event* event);
    // Looks at what has changed since, now.
    void refresh();
    store::Summary* find(const std::string& name);
    const std::map<std::string, store::Summary>& all() const { return images_; }

  private:
    static int readable(sd_event_source*, int fd, uint32_t, void* data);
    void take_events();
    void open_store();
    void read_all();
    void read_one(const std::string& name);
    void forget(const std::string& name);
    std::string path_;
    Changed changed_;
    std::optional<store::Store> store_;
    std::map<std::string, store::Summary> images_;
    std::set<std::string> stale_;  // names
    Fd inotify_;
    int names_ = -1;     // watch of the store's names
    int awaited_ = -1;   // watch of the directory in which the way to the store ends
    Source source_;
};

}  // namespace croft::bus
