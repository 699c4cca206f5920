// What the plan_bundle_*.cc share. Only for the .cc files of plan/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/draft.h"

namespace croft::plan {

// "/a/./b//../c" and "a/c" are "/a/c": lexical, as the specification has a destination; symlinks are the kernel's
// matter, inside the root.
std::string clean_path(std::string_view path);
// Whether `path` is `top` or below it; both are clean.
bool is_at_or_below(std::string_view path, std::string_view top);

// The options of a mount of config.json by what they are about.
struct BundleOptions {
    MountFlags top, all;  // "nosuid" is for the mount itself, "rnosuid" for those below it too
    bool copy_up = false;
    std::vector<std::pair<std::string, std::string>> data;  // the file system's own
};
BundleOptions bundle_options(const std::vector<std::string>& words);

// Where the mounts of a bundle are put. A mount is the stage's, where the payload finds it locked, unless the kernel
// wants it made in the container's namespaces; and so is one that has to do with such a mount's place, so that what is
// seen at the end is as if all had been made one after the other.
class Places {
  public:
    explicit Places(Draft& d) : d_(d) {}

    // /dev is a tmpfs of the spec's: what belongs there is made in it directly.
    void set_dev(launch::Slot slot) { dev_ = slot; }
    launch::Slot dev() const { return dev_; }
    bool is_inside(std::string_view target) const;
    // Puts the slot's mount at a clean path, in the stage or inside. The attach can be changed before.
    void attach(launch::Attach attach);
    // Likewise for what only the payload's process can mount.
    void attach_inside(launch::MakeFs fs, launch::Attach attach);
    // When all is mounted: what had to be writable until then, and propagation.
    void later(const launch::SetAttr& change, bool inside);
    void finish();

  private:
    // A directory that /dev's own tmpfs is to have; false when it is no matter of that.
    bool make_in_dev(const std::string& target);

    Draft& d_;
    launch::Slot dev_ = launch::no_slot;
    std::vector<std::string> inside_;  // targets of mounts that the payload's process makes
    std::vector<launch::SetAttr> later_stage_, later_inside_;
};

// /dev's nodes and links, after the mounts.
Result<> plan_bundle_dev(Draft&, Places&);

}  // namespace croft::plan
