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

// Where the mounts of a bundle are put. A bind is the stage's, where the payload finds it locked. What shows a namespace
// can be mounted only by a process in it, inside; file systems behind such a one are attached there too, so that the
// table of mounts is in their order, and so is every mount that has to do with the place of one that is inside: what is
// seen at the end is as if all had been made one after the other.
class Places {
  public:
    explicit Places(Draft& d) : d_(d) {}

    // /dev is a tmpfs of the spec's: what belongs there is made in it directly.
    void set_dev(launch::Slot slot) { dev_ = slot; }
    launch::Slot dev() const { return dev_; }
    bool is_inside(std::string_view target) const;
    bool is_below_api(std::string_view target) const;
    // Puts the mount in the attach's slot at its target, a clean path: a clone of something of the host's, a file system
    // that the launcher has made, and one that only the payload's process can make.
    void attach_bind(launch::Attach attach);
    void attach_made(launch::Attach attach);
    void attach_api(launch::MakeFs fs, launch::Attach attach);
    // When all is mounted: what had to be writable until then, and propagation.
    void later(const launch::SetAttr& change, bool inside);
    void finish();

  private:
    // A directory that /dev's own tmpfs is to have; false when it is no matter of that.
    bool make_in_dev(const std::string& target);
    // The payload's root may have no right to write to the tree, so the launcher makes the place of a mount that comes
    // inside, unless that too comes to be inside only.
    void prepare_place(launch::Attach& attach);

    Draft& d_;
    launch::Slot dev_ = launch::no_slot;
    std::vector<std::string> inside_, api_;  // targets of mounts that are attached inside; those made there
    std::vector<launch::SetAttr> later_stage_, later_inside_;
};

// /dev's nodes and links, after the mounts.
Result<> plan_bundle_dev(Draft&, Places&);

}  // namespace croft::plan
