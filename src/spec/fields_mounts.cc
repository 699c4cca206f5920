// Rows: mounts into the tree. All of them are kept in one list, MachineSpec::mounts, sorted by their place
// inside, as systemd-nspawn(1) does: a mount never hides one below it, whatever the order in which they were
// written.
#include "spec/field_rows.h"
#include "spec/mount_values.h"

namespace croft::spec {

namespace {
using std::string_view;
using Kind = Mount::Kind;

// '/' sorts before every other character, so that what is below a path comes right behind it.
bool comes_before(string_view a, string_view b) {
    return std::ranges::lexicographical_compare(a, b, [](char x, char y) {
        return x != y &&
               (x == '/' || (y != '/' && static_cast<unsigned char>(x) < static_cast<unsigned char>(y)));
    });
}

// A second mount on a place takes the place of the first: in the kernel it would only hide it.
Result<> store(MachineSpec& s, Result<Mount> mount) {
    if (!mount) return mount.error();
    std::erase_if(s.mounts, [&](const Mount& old) { return old.target == mount->target; });
    auto at = std::ranges::find_if(s.mounts,
                                   [&](const Mount& old) { return comes_before(mount->target, old.target); });
    s.mounts.insert(at, std::move(*mount));
    return {};
}

template <Kind K, bool Rw>
bool is(const Mount& mount) {
    bool has_mode = K == Kind::bind || K == Kind::overlay;
    return mount.kind == K && (!has_mode || mount.writable == Rw);
}
template <Kind K, bool Rw = true>
std::vector<std::string> get(const MachineSpec& s) {
    std::vector<std::string> out;
    for (const Mount& mount : s.mounts)
        if (is<K, Rw>(mount)) out.push_back(mount_text(mount));
    return out;
}
template <Kind K, bool Rw = true>
void reset(MachineSpec& s) {
    std::erase_if(s.mounts, is<K, Rw>);
}

#define BIND_DOC                                                                                            \
    "SRC is an absolute path of the host (on the command line a relative one is meant from here), '+/x' a " \
    "path inside "                                                                                          \
    "the tree, or empty for a fresh directory; DST is a path inside and defaults to SRC. OPTIONS, joined "  \
    "by commas: "                                                                                           \
    "rbind (default) or norbind; idmap, rootidmap, owneridmap or noidmap: whose the files are inside; "     \
    "nosuid, nodev, "                                                                                       \
    "noexec, noatime; private, slave, shared. Write a colon of a path as '\\:'. SRC must be there. With "   \
    "private users "                                                                                        \
    "the default is rootidmap where the file system can, so that root's files stay root's. Default: none."

#define OVERLAY_DOC                                                                                         \
    "Directories from the lowest to the highest, then the place inside. Sources are as in --bind. Write a " \
    "colon of a "                                                                                           \
    "path as '\\:'. Default: none."

const Field table[] = {
    {.name = "bind",
     .option = "--bind",
     .section = "Files",
     .key = "Bind",
     .key_of = KeyOf::nspawn,
     .argument = "SRC[:DST[:OPTIONS]]",
     .repeat = Repeat::adds,
     .host_path = HostPath::first,
     .values = "path",
     .help = "Show a file or directory of the host inside",
     .doc = BIND_DOC,
     .example = "--bind=/srv/www:/var/www",
     .set = [](MachineSpec& s, string_view v) -> Result<> { return store(s, parse_bind(v, Writable::yes)); },
     .get = get<Kind::bind, true>,
     .reset = reset<Kind::bind, true>},
    {.name = "bind-ro",
     .option = "--bind-ro",
     .section = "Files",
     .key = "BindReadOnly",
     .key_of = KeyOf::nspawn,
     .argument = "SRC[:DST[:OPTIONS]]",
     .repeat = Repeat::adds,
     .host_path = HostPath::first,
     .values = "path",
     .help = "As --bind, read-only",
     .doc = BIND_DOC,
     .example = "--bind-ro=/etc/ssl/certs",
     .set = [](MachineSpec& s, string_view v) -> Result<> { return store(s, parse_bind(v, Writable::no)); },
     .get = get<Kind::bind, false>,
     .reset = reset<Kind::bind, false>},
    {.name = "tmpfs",
     .option = "--tmpfs",
     .section = "Files",
     .key = "TemporaryFileSystem",
     .key_of = KeyOf::nspawn,
     .argument = "PATH[:OPTIONS]",
     .repeat = Repeat::adds,
     .help = "Mount an empty file system in memory",
     .doc = "PATH is inside; OPTIONS are those of tmpfs(5), joined by commas: size=64M, mode=1777, "
            "nr_inodes=, uid=, gid=, nosuid, nodev, noexec. Default: none; an option-less one has mode 0755 "
            "and half the host's memory as its limit.",
     .example = "--tmpfs=/var/cache:size=64M,mode=0755",
     .set = [](MachineSpec& s, string_view v) -> Result<> { return store(s, parse_tmpfs(v)); },
     .get = get<Kind::tmpfs>,
     .reset = reset<Kind::tmpfs>},
    {.name = "overlay",
     .option = "--overlay",
     .section = "Files",
     .key = "Overlay",
     .key_of = KeyOf::nspawn,
     .argument = "LOWER:…:UPPER:DST",
     .repeat = Repeat::adds,
     .host_path = HostPath::layers,
     .values = "path",
     .help = "Lay directories over each other; changes go to UPPER",
     .doc = OVERLAY_DOC " Changes go to UPPER (the last but one; empty: a throwaway directory). With two "
                        "paths the second is both UPPER and DST.",
     .example = "--overlay=/srv/base:/srv/changes:/srv",
     .set = [](MachineSpec& s, string_view v) -> Result<> {
         return store(s, parse_overlay(v, Writable::yes));
     },
     .get = get<Kind::overlay, true>,
     .reset = reset<Kind::overlay, true>},
    {.name = "overlay-ro",
     .option = "--overlay-ro",
     .section = "Files",
     .key = "OverlayReadOnly",
     .key_of = KeyOf::nspawn,
     .argument = "LOWER:…:DST",
     .repeat = Repeat::adds,
     .host_path = HostPath::layers,
     .values = "path",
     .help = "Lay directories over each other, read-only",
     .doc = OVERLAY_DOC,
     .example = "--overlay-ro=/srv/base:/srv/more:/srv",
     .set = [](MachineSpec& s, string_view v) -> Result<> {
         return store(s, parse_overlay(v, Writable::no));
     },
     .get = get<Kind::overlay, false>,
     .reset = reset<Kind::overlay, false>},
    {.name = "inaccessible",
     .option = "--inaccessible",
     .section = "Files",
     .key = "Inaccessible",
     .key_of = KeyOf::nspawn,
     .argument = "PATH",
     .repeat = Repeat::adds,
     .help = "Hide a path of the tree",
     .doc = "Covers the file or directory inside by an empty one of mode 000 that cannot be lifted from "
            "inside. It must be there. Default: none besides croft's own masks below /proc and /sys.",
     .example = "--inaccessible=/boot",
     .set = [](MachineSpec& s, string_view v) -> Result<> { return store(s, parse_inaccessible(v)); },
     .get = get<Kind::inaccessible>,
     .reset = reset<Kind::inaccessible>},
};
}  // namespace

std::span<const Field> mount_rows() {
    return table;
}

}  // namespace croft::spec
