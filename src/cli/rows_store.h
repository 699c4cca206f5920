// Rows of the verb table: images in the store. Only verbs.cc includes this. Their functions are in images/, linked into
// croft-images.
#pragma once

#include "cli/rows_images.h"

namespace croft::cli {

inline constexpr OptionRow image_bring_options[] = {OPT_ONE_PLACE, OPT_CONFIGURATION, OPT_POLICY, OPT_RETRY, OPT_QUIET};
inline constexpr OptionRow image_import_options[] = {
    {"--backing", 0, "", "", "Of a qcow2 image: read the file that it says it differs from, too"},
    {"--digest", 0, "DIGEST", "", "Take an archive or disk image only when it is this one: sha256:HEX or sha512:HEX"},
    OPT_ONE_PLACE, OPT_CONFIGURATION, OPT_POLICY, OPT_RETRY, OPT_QUIET};
inline constexpr OptionRow image_bootstrap_options[] = {
    {"--mirror", 0, "URL", "", "Where the packages are (default: as this host's own package manager has it)"},
    {"--variant", 0, "NAME", "", "Of Debian and the like: which packages come by themselves (default minbase)"},
    {"--include", 0, "PACKAGE,…", "", "Packages beside those; can be given again"},
    {"--keyring", 0, "FILE", "path", "Keys that vouch for the packages (default: the tool's own)"},
};
inline constexpr OptionRow image_export_options[] = {
    {"--file-system", 0, "TYPE", "ext4|erofs|squashfs", "Of a disk image (default ext4)"},
    {"--partitioned", 0, "", "", "Of a disk image: with a partition table around it"},
    {"--size", 0, "BYTES", "", "Of a disk image with ext4 (default: what the tree needs and a third more)"},
    {"--compression", 0, "HOW", "none|gzip|zstd|xz", "Of an archive (default: as it came; of several layers by the file's name)"},
};
inline constexpr OptionRow image_commit_options[] = {
    {"--message", 'm', "TEXT", "", "Said of it in the image's history"},
    {"--author", 0, "TEXT", "", "Who has made it"},
};
inline constexpr OptionRow image_list_options[] = {{"--quiet", 'q', "", "", "Print names only"}, OPT_JSON};
inline constexpr OptionRow image_tag_options[] = {
    {"--force", 0, "", "", "Take the name from another image"},
};
inline constexpr OptionRow image_rm_options[] = {OPT_QUIET};
inline constexpr OptionRow image_prune_options[] = {
    {"--dry-run", 'n', "", "", "Say what would go, and leave it"},
    {"--machines", 0, "", "", "Roots of machines too that no file declares any more"},
    OPT_QUIET,
};
inline constexpr OptionRow image_df_options[] = {OPT_JSON};

inline constexpr Verb store_rows[] = {
    {.name = "image import",
     .group = Group::images,
     .synopsis = "[OPTIONS] SOURCE [NAME]",
     .help = "bring a tree or an image into the store",
     .doc = "SOURCE is a tar archive of a tree (plain, gzip, zstd, xz or bzip2; '-' is standard input), a directory, or an image "
            "elsewhere: oci:PATH[:TAG], oci-archive:, docker-archive:, docker://. raw:FILE is a disk image, raw or qcow2, "
            "compressed or not, which becomes /var/lib/machines/NAME.raw. NAME is what the store shall call it (default: after the "
            "file, or the reference itself).\n\n"
            "An archive may lie on the web, https://HOST/FILE or http://, and so may a disk image, raw:https://HOST/FILE. It is "
            "unpacked while it comes; where the connection is cut it goes on at the same byte. What comes by http:// can be "
            "anybody's: --digest tells whether it is what was meant.\n\n"
            "Archives are unpacked by a program that sees nothing but the new tree and has no rights. `croft image export` gives "
            "back the very bytes that came in.",
     .example = "croft image import debian.tar.xz debian\n"
                "croft image import /var/lib/machines/web web:1\n"
                "croft image import --digest=sha256:9f86d081… https://mirror.example/debian.tar.xz debian\n"
                "ssh host tar -C /srv/tree -c . | croft image import - tree",
     .operands = Operands::image,
     .images = true,
     .options = image_import_options},
    {.name = "image bootstrap",
     .group = Group::images,
     .synopsis = "[OPTIONS] DISTRIBUTION:RELEASE [NAME]",
     .help = "make a tree of distribution packages",
     .doc = "Into /var/lib/machines/NAME (default DISTRIBUTION-RELEASE), by the distribution's own tool, where it is installed: "
            "mmdebstrap or debootstrap for debian, ubuntu, devuan and kali; dnf for fedora, centos, rocky and almalinux; pacstrap "
            "for arch; apk for alpine. The tree is there when it is whole; interrupted, nothing is left.",
     .example = "croft image bootstrap debian:trixie\n"
                "croft image bootstrap --include=systemd-sysv,dbus debian:trixie web && croft boot web\n"
                "croft image bootstrap --mirror=http://mirror.example/alpine alpine:3.22 small",
     .images = true,
     .options = image_bootstrap_options},
    {.name = "image pull",
     .group = Group::images,
     .synopsis = "[OPTIONS] IMAGE [NAME]",
     .help = "bring an image from a registry into the store",
     .doc = "IMAGE is docker://HOST/NAME[:TAG][@DIGEST], or the same without docker://; it may also lie in oci:, oci-archive: or "
            "docker-archive:. Layers that are there are not fetched again, and a pull that was interrupted goes on where it "
            "stopped. Two pulls of one image share the work.",
     .example = "croft image pull docker://registry.example/team/web:1\n"
                "croft image pull --tls-verify=no localhost:5000/web:1 web",
     .operands = Operands::image,
     .images = true,
     .options = image_bring_options},
    {.name = "image push",
     .group = Group::images,
     .synopsis = "[OPTIONS] IMAGE [TARGET]",
     .help = "send an image of the store to a registry",
     .doc = "TARGET is docker://HOST/NAME:TAG (default: by the image's own name). What the registry has is not sent again.",
     .example = "croft image push web:1 docker://registry.example/team/web:1",
     .operands = Operands::image,
     .images = true,
     .options = image_bring_options},
    {.name = "image export",
     .group = Group::images,
     .synopsis = "[OPTIONS] IMAGE [TARGET]",
     .help = "write an image of the store to a file",
     .doc = "TARGET is a tar archive of the whole tree (a file, tar:PATH, or standard output), or oci:PATH[:TAG], oci-archive:PATH, "
            "docker-archive:PATH, dir:PATH. A tree that was imported comes out in the same bytes. raw:FILE is a disk image; "
            "IMAGE may then also be a directory, or the name of one in /var/lib/machines.",
     .example = "croft image export web web.tar\n"
                "croft image export web oci-archive:web.tar:1",
     .operands = Operands::image,
     .images = true,
     .options = image_export_options},
    {.name = "image commit",
     .group = Group::images,
     .synopsis = "[OPTIONS] MACHINE NAME",
     .help = "make an image of a machine",
     .doc = "Of a declared machine that is made from an image and does not run. Its image's layers stay as they are; what the "
            "machine has written becomes one more.",
     .example = "croft image commit web web:patched",
     .operands = Operands::declared,
     .images = true,
     .options = image_commit_options},
    {.name = "image list",
     .aliases = "ls",
     .group = Group::images,
     .synopsis = "[OPTIONS]",
     .help = "list the images in the store",
     .doc = "SIZE is of the unpacked files; layers that images share are counted for each. `croft image df` tells what is on the "
            "disk. An image is incomplete when not all of its layers are unpacked: pull or import it again.",
     .example = "croft image list",
     .images = true,
     .options = image_list_options},
    {.name = "image tag",
     .group = Group::images,
     .synopsis = "[OPTIONS] IMAGE NAME",
     .help = "give an image one more name",
     .doc = "The image keeps its other names. A name of another image is not taken without --force.",
     .example = "croft image tag web:2 web:latest",
     .operands = Operands::image,
     .images = true,
     .options = image_tag_options},
    {.name = "image rename",
     .group = Group::images,
     .synopsis = "[OPTIONS] IMAGE NAME",
     .help = "give an image another name",
     .doc = "Machines that were made from it go on; their files name the image by its old name.",
     .example = "croft image rename web:2 web:3",
     .operands = Operands::image,
     .images = true,
     .options = image_tag_options},
    {.name = "image rm",
     .aliases = "remove",
     .group = Group::images,
     .synopsis = "[OPTIONS] IMAGE…",
     .help = "remove images from the store",
     .doc = "Takes the name away. With an image's last name go its files, but for those that another image or a machine needs. "
            "Deleting goes on in the background.",
     .example = "croft image rm web:1",
     .operands = Operands::image,
     .images = true,
     .options = image_rm_options},
    {.name = "image prune",
     .group = Group::images,
     .synopsis = "[OPTIONS]",
     .help = "remove what nothing in the store needs",
     .doc = "Unfinished pulls, layers and blobs without a name, and what a crash has left. Nothing that an image, a machine or a "
            "snapshot needs.",
     .example = "croft image prune --dry-run",
     .images = true,
     .options = image_prune_options},
    {.name = "image df",
     .group = Group::images,
     .synopsis = "[OPTIONS]",
     .help = "show how much of the disk the store has",
     .doc = "As du(1) counts: blocks on the disk, each file once.",
     .example = "croft image df",
     .images = true,
     .options = image_df_options},
    {.name = "image history",
     .group = Group::images,
     .synopsis = "IMAGE",
     .help = "show how an image was made",
     .doc = "The steps that its configuration tells of, each with the layer that it made.",
     .example = "croft image history web",
     .operands = Operands::image,
     .images = true},
    {.name = "image mount",
     .group = Group::images,
     .synopsis = "IMAGE [DIRECTORY]",
     .help = "mount an image's files to look at them",
     .doc = "Read-only. Prints the directory. The image's files stay in the store as long as it is mounted.",
     .example = "croft image mount web                     # prints the directory\n"
                "croft image mount web /mnt",
     .operands = Operands::image,
     .images = true},
    {.name = "image umount",
     .aliases = "unmount",
     .group = Group::images,
     .synopsis = "IMAGE|DIRECTORY",
     .help = "end what `image mount` began",
     .doc = "By the image's name where it was mounted without a DIRECTORY.",
     .example = "croft image umount web",
     .operands = Operands::image,
     .images = true},
    {.name = "image verify",
     .group = Group::images,
     .synopsis = "[IMAGE…]",
     .help = "check that images are what their digests say",
     .doc = "Reads every blob of an image again, and makes archives anew from trees that were imported. Prints what is wrong, a "
            "line each; exit status 1 when there is something. Without IMAGE: every image of the store. Machines' own files "
            "have no digests, and neither have the unpacked trees of layers that are kept compressed.",
     .example = "croft image verify",
     .operands = Operands::image,
     .images = true},
};

}  // namespace croft::cli
