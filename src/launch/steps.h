// The steps of a LaunchPlan: each is one small thing the kernel is asked to do, told as data.
//
// A step names its operands by slot: a numbered place for a file descriptor that an earlier step filled (a mount that
// is not attached yet, a namespace, a socket). Steps are performed in one of three places (launch_plan.h), always by
// the same heap-free code in run/steps.cc, so a step that fails is told as its index and an errno, and the sentence is
// made from the plan by describe().
//
// Every struct lists its members once in fields(), which the codec, the JSON printer and the tests use.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace croft::launch {

using Slot = uint16_t;
inline constexpr Slot no_slot = 0xffff;

// Mount attributes are the kernel's MOUNT_ATTR_* bits (mount_setattr(2)); propagation is MS_PRIVATE … or 0.
struct MountAttr {
    uint64_t set = 0, clear = 0, propagation = 0;
    bool operator==(const MountAttr&) const = default;
    static constexpr void fields(auto& v, auto& s) { v("set", s.set), v("clear", s.clear), v("propagation", s.propagation); }
};

struct IdMap {
    uint32_t inside = 0, outside = 0, count = 0;
    bool operator==(const IdMap&) const = default;
    static constexpr void fields(auto& v, auto& s) { v("inside", s.inside), v("outside", s.outside), v("count", s.count); }
};

enum class Create : uint8_t { no, directory, file, like_source };

// Makes a user namespace for idmapped mounts: with these maps, or with the plan's where there are none here (the
// payload's own namespace has the same maps then).
struct MakeUserns {
    Slot slot;
    std::vector<IdMap> uid_maps, gid_maps;
    static constexpr void fields(auto& v, auto& s) {
        v("slot", s.slot), v("uid_maps", s.uid_maps), v("gid_maps", s.gid_maps);
    }
};

// Clones a mount of a host path (or, with `base`, of a path inside that slot's tree) as a detached mount. `attr` is for
// all of a recursive clone; `top_set` and `top_clear` come after it, for its topmost mount alone.
struct OpenTree {
    Slot slot;
    std::string path;
    Slot base = no_slot;
    bool recursive = false;
    MountAttr attr;
    Slot idmap = no_slot;           // user namespace whose maps the mount gets
    uint64_t top_set = 0, top_clear = 0;
    bool map_top = false;           // the maps too are for the topmost mount alone
    static constexpr void fields(auto& v, auto& s) {
        v("slot", s.slot), v("path", s.path), v("base", s.base), v("recursive", s.recursive), v("attr", s.attr),
            v("idmap", s.idmap), v("top_set", s.top_set), v("top_clear", s.top_clear), v("map_top", s.map_top);
    }
};

// A part of a disk image of the host as a block device: a loop device, which is gone when nobody has it open or mounted.
struct OpenLoop {
    Slot slot;
    std::string path;
    uint64_t offset = 0, size = 0;  // bytes; size 0: to the image's end
    bool read_only = false;
    static constexpr void fields(auto& v, auto& s) {
        v("slot", s.slot), v("path", s.path), v("offset", s.offset), v("size", s.size), v("read_only", s.read_only);
    }
};

// A new file system instance as a detached mount: fsopen, fsconfig for each option, fsmount. Where the kernel will not
// have one mounted by this user namespace (EPERM), the mount in the slot `instead` takes its place. `device`: it lies on
// the loop device in that slot. `idmap`: the user namespace whose maps the mount gets.
struct MakeFs {
    Slot slot;
    std::string type, source;
    std::vector<std::pair<std::string, std::string>> options;  // an empty value is a flag
    uint64_t attr = 0;
    Slot instead = no_slot;
    Slot device = no_slot, idmap = no_slot;
    static constexpr void fields(auto& v, auto& s) {
        v("slot", s.slot), v("type", s.type), v("source", s.source), v("options", s.options), v("attr", s.attr),
            v("instead", s.instead), v("device", s.device), v("idmap", s.idmap);
    }
};

// An overlay over detached mounts. The layers are attached in the stage for the moment of mounting only, because
// kernels before 6.13 take layers by path. `upper_path` and `work_path` are below the upper slot's root; no upper
// makes it read-only. uid and gid are the file system ids that overlayfs itself works with, which an idmapped upper
// layer must have in its map (EOVERFLOW, and a read-only mount, otherwise).
struct MakeOverlay {
    Slot slot;
    std::vector<Slot> lowers;       // topmost first, as overlayfs counts
    Slot upper = no_slot;
    std::string upper_path, work_path;
    std::vector<std::pair<std::string, std::string>> options;
    uint64_t attr = 0;
    uint32_t uid = 0, gid = 0;
    static constexpr void fields(auto& v, auto& s) {
        v("slot", s.slot), v("lowers", s.lowers), v("upper", s.upper), v("upper_path", s.upper_path),
            v("work_path", s.work_path), v("options", s.options), v("attr", s.attr), v("uid", s.uid), v("gid", s.gid);
    }
};

// Attaches the slot's mount as the machine's root: on top of the stage's own root, and makes it the working directory.
struct AttachRoot {
    Slot slot;
    static constexpr void fields(auto& v, auto& s) { v("slot", s.slot); }
};

// Attaches a detached mount at a path inside the root, which is walked with RESOLVE_IN_ROOT. `no_symlinks` refuses
// any symlink on the way (API mounts: a tree whose /proc is a link is hostile or broken). What `create` makes belongs
// to uid and gid. `keep_mode`: the mount's root gets the permissions of what it covers, when that was there. `fresh`: it is a
// clone made now that is attached (and in the slot from now on), because the kernel lists mounts in the order in which they
// were made; kernels before 6.15, which clone nothing detached, attach the mount itself.
struct Attach {
    Slot slot;
    std::string target;
    Create create = Create::no;
    bool no_symlinks = false;
    uint32_t uid = 0, gid = 0;
    bool keep_mode = false, fresh = false;
    static constexpr void fields(auto& v, auto& s) {
        v("slot", s.slot), v("target", s.target), v("create", s.create), v("no_symlinks", s.no_symlinks),
            v("uid", s.uid), v("gid", s.gid), v("keep_mode", s.keep_mode), v("fresh", s.fresh);
    }
};

// Makes a path inside the root with all that it leads through, symlinks that lead to nothing yet too: where a mount
// will be put later, or the payload's working directory. What is there is left as it is. `like`: a directory or a file as
// the mount in that slot is one.
struct MakePoint {
    std::string path;
    bool directory = true;
    bool no_symlinks = false;
    uint32_t uid = 0, gid = 0;
    Slot like = no_slot;
    static constexpr void fields(auto& v, auto& s) {
        v("path", s.path), v("directory", s.directory), v("no_symlinks", s.no_symlinks), v("uid", s.uid),
            v("gid", s.gid), v("like", s.like);
    }
};

// Copies what is below a path inside the root (if it is there) into the slot's mount, with owners, permissions and
// times: what a tmpfs is about to cover. Other mounts below it are not looked into.
struct CopyUp {
    Slot slot;
    std::string from;
    static constexpr void fields(auto& v, auto& s) { v("slot", s.slot), v("from", s.from); }
};

// Things made inside a slot's tree (a detached tmpfs, or the root). Ids are those of the user namespace in which the
// step runs: the host's in `host` and `stage`, the payload's in `inside`. They are also the file system ids (setfsuid)
// at the moment of making, because an idmapped tree refuses to make anything for ids that it cannot map (EOVERFLOW).
// Something that is there already is kept for directories, and an error otherwise unless `replace`. Missing parents
// are an error: a plan makes each one.
struct MakeDir {
    Slot base;
    std::string path;
    uint32_t mode = 0755, uid = 0, gid = 0;
    static constexpr void fields(auto& v, auto& s) {
        v("base", s.base), v("path", s.path), v("mode", s.mode), v("uid", s.uid), v("gid", s.gid);
    }
};
// Type 'c', 'b', or 'p' for a FIFO. `replace`: the same node is kept, and anything else but a directory makes room.
struct MakeNode {
    Slot base;
    std::string path;
    char type = 'c';
    uint32_t major = 0, minor = 0, mode = 0666, uid = 0, gid = 0;
    bool replace = false;
    static constexpr void fields(auto& v, auto& s) {
        v("base", s.base), v("path", s.path), v("type", s.type), v("major", s.major), v("minor", s.minor),
            v("mode", s.mode), v("uid", s.uid), v("gid", s.gid), v("replace", s.replace);
    }
};
// `optional`: a tree that cannot take the link (read-only, no such directory) is left as it is.
struct MakeLink {
    Slot base;
    std::string path, target;
    bool replace = false, optional = false;
    uint32_t uid = 0, gid = 0;
    static constexpr void fields(auto& v, auto& s) {
        v("base", s.base), v("path", s.path), v("target", s.target), v("replace", s.replace),
            v("optional", s.optional), v("uid", s.uid), v("gid", s.gid);
    }
};
// `random_uuid`: the content is a fresh random UUID and a newline, made when the step is performed, so that each boot
// of one kept plan has its own (boot ids).
struct MakeFile {
    Slot base;
    std::string path, content;
    uint32_t mode = 0644, uid = 0, gid = 0;
    bool replace = false, random_uuid = false;
    static constexpr void fields(auto& v, auto& s) {
        v("base", s.base), v("path", s.path), v("content", s.content), v("mode", s.mode), v("uid", s.uid),
            v("gid", s.gid), v("replace", s.replace), v("random_uuid", s.random_uuid);
    }
};
struct MakeFifo {
    Slot base;
    std::string path;
    uint32_t mode = 0600, uid = 0, gid = 0;
    static constexpr void fields(auto& v, auto& s) {
        v("base", s.base), v("path", s.path), v("mode", s.mode), v("uid", s.uid), v("gid", s.gid);
    }
};
// Removes a file or symlink inside the tree if it is there.
struct Remove {
    Slot base;
    std::string path;
    static constexpr void fields(auto& v, auto& s) { v("base", s.base), v("path", s.path); }
};
// Copies a host file into a slot's tree. `from` is always a path of the host: in `stage` the launcher walks it from a
// descriptor of the host's root that it kept, with RESOLVE_IN_ROOT. A symlink at `path` is not followed and nothing
// but a regular file is replaced (a Remove in front replaces anything). `optional`: a host without the file, or a tree
// that cannot take it (read-only, no /etc, something else at `path`), is left as it is.
struct CopyFile {
    std::string from;
    Slot base;
    std::string path;
    uint32_t mode = 0644, uid = 0, gid = 0;
    bool optional = false;
    static constexpr void fields(auto& v, auto& s) {
        v("from", s.from), v("base", s.base), v("path", s.path), v("mode", s.mode), v("uid", s.uid),
            v("gid", s.gid), v("optional", s.optional);
    }
};
// A datagram socket bound inside a slot's tree; its fd lands in `slot` and stays with the launcher.
struct NotifySocket {
    Slot slot, base;
    std::string path;
    uint32_t uid = 0, gid = 0;
    static constexpr void fields(auto& v, auto& s) {
        v("slot", s.slot), v("base", s.base), v("path", s.path), v("uid", s.uid), v("gid", s.gid);
    }
};
// Changes attributes of a mount that is attached inside the root: what is at `target`, or the mount in a slot, wherever
// it is by now (`target` is then for sentences only).
struct SetAttr {
    std::string target;
    MountAttr attr;
    bool recursive = false;
    Slot slot = no_slot;
    static constexpr void fields(auto& v, auto& s) {
        v("target", s.target), v("attr", s.attr), v("recursive", s.recursive), v("slot", s.slot);
    }
};
// Binds a path inside the root onto itself (or onto `target`) with other attributes: /proc/sys read-only.
// `optional`: a path that is not there is passed over.
struct BindInside {
    std::string source, target;
    MountAttr attr;
    bool recursive = false, optional = false;
    static constexpr void fields(auto& v, auto& s) {
        v("source", s.source), v("target", s.target), v("attr", s.attr), v("recursive", s.recursive),
            v("optional", s.optional);
    }
};
// Covers a path with an empty, inaccessible file or directory of the stage (never with a file of the tree:
// CVE-2025-31133). `optional` as above. Symlinks are refused, or with `follow` walked inside the root: then it is what
// they lead to that is covered.
struct Mask {
    std::string target;
    bool optional = true, follow = false;
    static constexpr void fields(auto& v, auto& s) {
        v("target", s.target), v("optional", s.optional), v("follow", s.follow);
    }
};
// Unmounts the stage's own proc and sysfs: they are there only so that a user namespace may mount its own.
struct DropStageApi {
    static constexpr void fields(auto&, auto&) {}
};
// chroot into the working directory: from here on the tree is all there is.
struct EnterRoot {
    static constexpr void fields(auto&, auto&) {}
};
// --pivot-root: NEW becomes the root, the old one is put at `old` ("" : nowhere).
struct PivotRoot {
    std::string new_root, old;
    static constexpr void fields(auto& v, auto& s) { v("new_root", s.new_root), v("old", s.old); }
};
struct Sysctl {
    std::string path, value;        // path below /proc/sys with slashes
    static constexpr void fields(auto& v, auto& s) { v("path", s.path), v("value", s.value); }
};
struct SetHostname {
    std::string hostname, domainname;
    static constexpr void fields(auto& v, auto& s) { v("hostname", s.hostname), v("domainname", s.domainname); }
};
struct LoopbackUp {
    static constexpr void fields(auto&, auto&) {}
};
// Opens a pseudo terminal of the machine's own devpts, hands its master to the launcher, and (with `console`) binds
// the slave over /dev/console. The payload's standard streams become the slave when process.terminal says so.
struct OpenConsole {
    bool console = true;
    uint16_t rows = 0, columns = 0;
    static constexpr void fields(auto& v, auto& s) { v("console", s.console), v("rows", s.rows), v("columns", s.columns); }
};
// The plan's createContainer hooks are run now: by the launcher, in the namespaces of the payload's process, which waits.
struct ContainerHooks {
    static constexpr void fields(auto&, auto&) {}
};
// Fails with this errno: the fault walk puts one at every index in turn.
struct Fail {
    int32_t error = 0;
    static constexpr void fields(auto& v, auto& s) { v("error", s.error); }
};

using Step = std::variant<MakeUserns, OpenTree, OpenLoop, MakeFs, MakeOverlay, AttachRoot, Attach, MakePoint, CopyUp, MakeDir,
                          MakeNode, MakeLink, MakeFile, MakeFifo, Remove, CopyFile, NotifySocket, SetAttr, BindInside,
                          Mask, DropStageApi, EnterRoot, PivotRoot, Sysctl, SetHostname, LoopbackUp, OpenConsole,
                          ContainerHooks, Fail>;

// What each kind is called in JSON, in the variant's order.
inline constexpr const char* step_kinds[] = {
    "make-userns", "open-tree", "open-loop", "make-fs", "make-overlay", "attach-root", "attach", "make-point", "copy-up",
    "make-dir", "make-node", "make-link", "make-file", "make-fifo", "remove", "copy-file", "notify-socket",
    "set-attr", "bind-inside", "mask", "drop-stage-api", "enter-root", "pivot-root", "sysctl", "set-hostname",
    "loopback-up", "open-console", "container-hooks", "fail"};
static_assert(std::size(step_kinds) == std::variant_size_v<Step>);
inline const char* kind_name(const Step& step) {
    return step_kinds[step.index()];
}

// The phrase for an error message ("mounting proc on /proc").
std::string describe(const Step& step);

}  // namespace croft::launch
