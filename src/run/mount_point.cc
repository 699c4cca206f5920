// Making what a mount is to be put on, inside a tree that may be hostile.
//
// The path is walked by components, because openat2(2) does not make anything on its way. Each one is looked up again
// from the root by what is known of it so far, which has no symlinks any more: a tree that changes meanwhile can make
// us make something else in itself, and nothing outside.
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;

namespace {

constexpr int most_links = 40;  // as the kernel's own walk

class PointMaker {
  public:
    PointMaker(long root, const char* path, bool directory, uint64_t resolve, uint32_t uid, uint32_t gid)
        : root_(root), directory_(directory), resolve_(resolve), uid_(uid), gid_(gid) {
        rest_.add(path);
    }

    long make() {
        while (next_component())
            if (long error = step(); error < 0) return error;
        if (rest_.cut || done_.cut) return -ENAMETOOLONG;
        return kernel::raw_open_in_root(root_, done_.used ? done_.text : "/", O_PATH, 0, resolve_);
    }

  private:
    // Moves the first component of the rest to `component_`; false when there is none.
    bool next_component() {
        size_t at = 0, end = 0;
        while (rest_.text[at] == '/') ++at;
        for (end = at; rest_.text[end] && rest_.text[end] != '/';) ++end;
        component_ = {};
        component_.add(rest_.text + at, end - at);
        set_rest(rest_.text + end);
        return component_.used > 0;
    }
    void set_rest(const char* text) {
        Path<4096> rest;
        rest.add(text);
        rest_ = rest;
    }
    bool is_last() const {
        for (const char* at = rest_.text; *at; ++at)
            if (*at != '/') return false;
        return true;
    }
    void up() {
        while (done_.used && done_.text[--done_.used] != '/') {
        }
        done_.text[done_.used] = 0;
    }

    long step() {
        if (component_.cut) return -ENAMETOOLONG;
        if (Leaf::same(component_.text, ".")) return 0;
        if (Leaf::same(component_.text, "..")) return up(), 0;
        Path<4096> here = done_;
        here.add("/").add(component_.text);
        if (here.cut) return -ENAMETOOLONG;
        Leaf leaf(root_, here.text, RESOLVE_NO_SYMLINKS);
        if (leaf.failed()) return leaf.directory;
        Path<4096> link;
        long n = raw(SYS_readlinkat, leaf.directory, arg(leaf.name), arg(link.text), sizeof link.text - 1);
        if (n >= 0) return follow(link.text);
        if (n == -ENOENT) {
            n = make_one(leaf);
        } else if (n == -EINVAL) {
            n = 0;  // it is there, and no symlink
        }
        if (n >= 0) done_ = here;
        return n;
    }

    long make_one(const Leaf& leaf) const {
        long n = is_last() && !directory_ ? raw(SYS_mknodat, leaf.directory, arg(leaf.name), 0100644, 0)
                                          : raw(SYS_mkdirat, leaf.directory, arg(leaf.name), 0755);
        if (n == -EEXIST) return 0;
        if (n < 0 || !(uid_ || gid_)) return n;
        return raw(SYS_fchownat, leaf.directory, arg(leaf.name), uid_, gid_, AT_SYMLINK_NOFOLLOW);
    }

    long follow(const char* target) {
        if (resolve_ & RESOLVE_NO_SYMLINKS || ++links_ > most_links) return -ELOOP;
        Path<4096> rest;
        rest.add(target).add("/").add(rest_.text);
        if (rest.cut) return -ENAMETOOLONG;
        if (*target == '/') done_ = {};
        rest_ = rest;
        return 0;
    }

    long root_;
    bool directory_;
    uint64_t resolve_;
    uint32_t uid_, gid_;
    int links_ = 0;
    Path<4096> rest_, done_;
    Path<256> component_;
};

}  // namespace

long make_mount_point(long root, const char* path, bool directory, uint64_t resolve, uint32_t uid, uint32_t gid) {
    return PointMaker(root, path, directory, resolve, uid, gid).make();
}

}  // namespace croft::run
