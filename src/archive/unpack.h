// A tar archive to a tree of files.
//
// Reads every tar that is about: v7, ustar, pax (extended attributes of SCHILY and LIBARCHIVE, ACLs), GNU
// (long names, all sparse forms, binary numbers), star. Each kind of compression. Of several entries of one
// name the last one counts.
//
// unpack() has it done by the program croft-unpack, which sees nothing but the tree (as its root, without any
// other mount), has no network, no capability but those that writing files takes, and few system calls: an
// archive that takes over a decompressor has gained nothing. unpack_here() does it in this process.
//
// What an archive cannot do, in either: write outside the tree, follow a symbolic link, name "..", make a
// device node unless asked, set trusted.*, security.* (but file capabilities) or overlayfs' own attributes,
// exceed the limits. A tree of which unpack() told an error is half there: the caller removes it.
#pragma once

#include <cstdint>
#include <string>

#include "archive/compression.h"
#include "base/stream.h"

namespace croft::archive {

// What ".wh.NAME" and ".wh..wh..opq" mean (image-spec, layer.md, "Whiteouts").
enum class Whiteouts {
    keep,     // nothing: files like others
    overlay,  // overlayfs: a character device 0:0; trusted.overlay.opaque (needs CAP_SYS_ADMIN of the host)
    overlay_user,  // the same with user.overlay.opaque (userxattr), for user namespaces
    apply,         // the tree holds the lower layers: what they name is removed, of what was there before the
                   // archive
};
enum class DeviceNodes { leave_out, make };

struct UnpackLimits {
    uint64_t bytes = 0;             // of the uncompressed archive; 0: what is free where the tree is
    uint64_t entries = 20'000'000;  // entries in the archive
    uint32_t name_length = 65536;   // bytes of an entry's whole path; of one part it is NAME_MAX, 255
    uint32_t depth = 480;  // directories inside each other; removal goes 512 deep (base/remove_tree.h)
    uint64_t ratio = 0;    // uncompressed to compressed bytes; 0: not looked at
};

struct UnpackOptions {
    Compression compression = Compression::none;
    Whiteouts whiteouts = Whiteouts::keep;
    DeviceNodes devices = DeviceNodes::leave_out;
    UnpackLimits limits;
    bool ownership = true;  // false: everything belongs to whoever unpacks
    bool sync = false;      // one syncfs at the end
    unsigned threads = 0;   // that write; 0: two, or as many as there are processors if that is fewer
    int recipe = -1;        // a file: the recipe (archive/recipe.h) is written to it
    std::string helper;     // path of croft-unpack; unpack() only
    std::string what;       // the archive's name in error sentences; "archive" when empty
};

struct Unpacked {
    std::string diff_id;           // "sha256:…" of the uncompressed archive, to its last byte
    std::string digest;            // "sha256:…" of the archive as it was given
    uint64_t archive_bytes = 0;    // its uncompressed length
    uint64_t bytes = 0;            // of file content written
    uint64_t entries = 0;          // entries of the archive, whiteouts among them
    uint64_t devices_left = 0;     // device nodes left out
    uint64_t attributes_left = 0;  // extended attributes and ACL entries left out
    bool opaque_top =
        false;  // the layer hides everything below it: a mark on its top is not looked at by overlayfs
    uint64_t others_left = 0;  // entries of kinds that no tree holds (volume labels, sockets)
};

// `tree` is an open directory (not O_PATH). Errors: invalid (not a tar, damaged, hostile, over a limit: the
// sentence names the entry), unsupported (this file system or kernel), no_space, denied (an id that has no
// mapping: names /etc/subuid), failed (croft-unpack died: says how), and those of the source.
Result<Unpacked> unpack(Source& archive, int tree, const UnpackOptions& options);
// Faster where the archive is a file or pipe: croft-unpack reads it itself, from where it stands to its end
// (open it for reading only).
Result<Unpacked> unpack(int archive, int tree, const UnpackOptions& options);
// Without the sandbox: for what is in one already, and for tests.
Result<Unpacked> unpack_here(std::unique_ptr<Source> archive, int tree, const UnpackOptions& options);

}  // namespace croft::archive
