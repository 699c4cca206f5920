#include "bus/images.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "base/text.h"
#include "store/names.h"

namespace croft::bus {

namespace {
// A new text of a name is renamed into place.
constexpr uint32_t name_events = IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t way_events = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
}  // namespace

Result<> Images::start(sd_event* event) {
    inotify_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!inotify_) return os_error(errno, "watching for images");
    int r = sd_event_add_io(event, source_.put(), inotify_.get(), 1 /* EPOLLIN */, readable, this);
    if (r < 0) return bus_error(r, "watching for images");
    open_store();
    refresh();
    return {};
}

int Images::readable(sd_event_source*, int, uint32_t, void* data) {
    static_cast<Images*>(data)->refresh();
    return 0;
}

store::Summary* Images::find(const std::string& name) {
    auto at = images_.find(name);
    return at == images_.end() ? nullptr : &at->second;
}

void Images::refresh() {
    take_events();
    for (const std::string& name : std::exchange(stale_, {})) read_one(name);
}

void Images::take_events() {
    alignas(inotify_event) char buffer[16384];
    ssize_t n;
    bool lost = false, moved = false;
    while ((n = read(inotify_.get(), buffer, sizeof buffer)) > 0)
        for (char* at = buffer; at < buffer + n;) {
            auto* event = reinterpret_cast<inotify_event*>(at);
            at += sizeof *event + event->len;
            lost = lost || event->mask & IN_Q_OVERFLOW;
            if (event->wd != names_) {
                moved = moved || event->wd == awaited_;
            } else if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) {
                moved = true;
            } else if (event->len && event->name[0] != '.') {
                stale_.insert(store::reference_of_file(event->name));
            }
        }
    if (moved) open_store();
    else if (lost) read_all();
}

// Watches the store's names; as long as there are none, the last directory on the way to them that is there, to try again
// when something comes into it.
void Images::open_store() {
    for (int* watch : {&names_, &awaited_})
        if (*watch >= 0) inotify_rm_watch(inotify_.get(), std::exchange(*watch, -1));
    store_.reset();
    std::string names = path_ + "/refs";
    // The watches first: what happens after one was set is reported, what happened before is found.
    for (std::string way = path_; awaited_ < 0 && !way.empty(); way.resize(way.rfind('/')))
        awaited_ = inotify_add_watch(inotify_.get(), way.c_str(), way_events);
    names_ = inotify_add_watch(inotify_.get(), names.c_str(), name_events);
    if (names_ >= 0) {
        auto found = store::Store::find(path_);
        if (found)
            store_ = std::move(*found);
        else
            warn(found.error().text);
    }
    // A store that is whole needs no more than its names watched.
    if (store_ && awaited_ >= 0) inotify_rm_watch(inotify_.get(), std::exchange(awaited_, -1));
    read_all();
}

void Images::read_all() {
    for (const auto& [name, image] : images_) stale_.insert(name);
    if (!store_) return;
    auto files = store_->names_in("refs");
    if (!files) return warn(files.error().text);
    for (const std::string& file : *files) stale_.insert(store::reference_of_file(file));
}

void Images::forget(const std::string& name) {
    auto at = images_.find(name);
    if (at == images_.end()) return;
    store::Summary before = std::move(at->second);
    images_.erase(at);
    changed_(name, &before, nullptr);
}

void Images::read_one(const std::string& name) {
    auto named = store_ ? store::find_reference(*store_, name) : std::optional<store::Named>();
    if (!named) warn(named.error().text);
    // Another that the word would mean too is not this one.
    if (!named || !*named || (*named)->name != name) return forget(name);
    store::Summary now = store::summarize(*store_, std::move(**named));
    auto at = images_.find(name);
    if (at == images_.end()) {
        at = images_.emplace(name, std::move(now)).first;
        return changed_(name, nullptr, &at->second);
    }
    store::Summary before = std::exchange(at->second, std::move(now));
    changed_(name, &before, &at->second);
}

}  // namespace croft::bus
