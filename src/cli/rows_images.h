// Rows of the verb table: what is about images. Only verbs.cc includes this. Their functions are in images/, linked into
// croft-images.
#pragma once

#include "cli/rows_options.h"
#include "cli/verbs.h"

namespace croft::cli {

// How registries are reached, in the words of skopeo and podman. The first group is for verbs with one place.
#define OPT_TLS(name, which)                                                                                                  \
    {                                                                                                                         \
        name, 0, "BOOL", "yes|no", which "no: take plain HTTP, and certificates that nobody vouches for"                       \
    }
#define OPT_CREDS(name, which) \
    { name, 0, "USER[:PASSWORD]", "", which "Who asks; without a PASSWORD it is read from the terminal" }
#define OPT_CERT_DIR(name, which) \
    { name, 0, "DIR", "dir", which "Certificates: *.crt of authorities, *.cert and *.key of one's own (default certs.d)" }
#define OPT_AUTHFILE(name, which) \
    { name, 0, "FILE", "path", which "Where logins are kept (default $REGISTRY_AUTH_FILE, then the usual places)" }
#define OPT_ONE_PLACE                                                                                                  \
    OPT_TLS("--tls-verify", ""), OPT_CREDS("--creds", ""), OPT_CERT_DIR("--cert-dir", ""), OPT_AUTHFILE("--authfile", ""), \
        {"--no-creds", 0, "", "", "Ask as nobody, whatever is kept"},                                                   \
        {"--registry-token", 0, "TOKEN", "", "A bearer token to show as it is"}
#define OPT_TWO_PLACES \
    OPT_TLS("--src-tls-verify", "Of the source. "), \
    OPT_TLS("--dest-tls-verify", "Of the target. "), \
    OPT_CREDS("--src-creds", "Of the source. "), \
    OPT_CREDS("--dest-creds", "Of the target. "), \
    OPT_CERT_DIR("--src-cert-dir", "Of the source. "), \
    OPT_CERT_DIR("--dest-cert-dir", "Of the target. "), \
    OPT_AUTHFILE("--src-authfile", "Of the source. "), \
    OPT_AUTHFILE("--dest-authfile", "Of the target. ")
#define OPT_RETRY                                                                                                   \
    {"--retry-times", 0, "N", "", "Try again that often where trying again may help (default 3)"},                   \
        {"--retry-delay", 0, "TIME", "", "Wait that long before each (default 1s, doubled each time; or what the registry says)"}, \
        {"--timeout", 0, "TIME", "", "Give up when nothing has come for that long (default 1min)"}
#define OPT_REGISTRIES_CONF \
    { "--registries-conf", 0, "FILE", "path", "Mirrors, short names and the like (default /etc/containers/registries.conf)" }
#define OPT_CONFIGURATION \
    OPT_REGISTRIES_CONF, { "--platform", 0, "OS/ARCH", "", "Which image of an index is meant (default this host's)" }
#define OPT_POLICY \
    {"--policy", 0, "FILE", "path", "Which images may come in (default /etc/containers/policy.json where there is one)"}, \
        {"--registries.d", 0, "DIR", "dir", "Where simple signatures lie (default /etc/containers/registries.d)"}

inline constexpr OptionRow image_copy_options[] = {
    {"--all", 'a', "", "", "Of an index all images; else the one for this platform"},
    {"--multi-arch", 0, "WHICH", "system|all|index-only", "The same in more words"},
    {"--format", 'f', "FORMAT", "oci|v2s2", "Write manifests as OCI or Docker's schema 2 have them"},
    {"--dest-compress-format", 0, "HOW", "gzip|zstd", "Pack layers that are packed otherwise anew"},
    {"--dest-compress-level", 0, "N", "", "How hard to pack them: 1 to 9, of zstd to 20 (default the usual)"},
    {"--preserve-digests", 0, "", "", "Fail where a digest would change"},
    {"--digestfile", 0, "FILE", "path", "Write the digest of what was copied into FILE"},
    {"--additional-tag", 0, "NAME:TAG", "", "Of docker-archive: one name more; can be given again"},
    OPT_TWO_PLACES,
    OPT_ONE_PLACE,
    OPT_CONFIGURATION,
    OPT_POLICY,
    OPT_RETRY,
    {"--image-parallel-copies", 0, "N", "", "So many blobs at a time (default 6)"},
    OPT_QUIET,
};
inline constexpr OptionRow image_inspect_options[] = {
    {"--raw", 0, "", "", "Print the manifest or index as it is, byte for byte"},
    {"--config", 0, "", "", "Print the image's configuration; with --raw as it is"},
    {"--format", 'f', "TEMPLATE", "", "Print only what a template names: '{{.Digest}} {{.Name}}'"},
    {"--referrers", 0, "", "", "Print what refers to the image in its registry (signatures, lists of contents), as an index"},
    OPT_ONE_PLACE,
    OPT_CONFIGURATION,
    OPT_RETRY,
};

inline constexpr OptionRow image_list_tags_options[] = {OPT_JSON, OPT_ONE_PLACE, OPT_REGISTRIES_CONF, OPT_RETRY};
inline constexpr OptionRow image_delete_options[] = {OPT_ONE_PLACE, OPT_REGISTRIES_CONF, OPT_RETRY, OPT_QUIET};
inline constexpr OptionRow image_sync_options[] = {
    {"--all", 'a', "", "", "Of an index all images; else the one for this platform"},
    {"--scoped", 0, "", "", "Keep host and namespace in the target's names, not only the last part"},
    {"--keep-going", 0, "", "", "Go on behind an image that cannot be copied; the exit status tells"},
    OPT_TWO_PLACES,
    OPT_ONE_PLACE,
    OPT_CONFIGURATION,
    OPT_POLICY,
    OPT_RETRY,
    OPT_QUIET,
};
inline constexpr OptionRow login_options[] = {
    {"--username", 'u', "NAME", "", "Who logs in"},
    {"--password", 'p', "WORD", "", "The password; others can see it in the list of processes, so rather:"},
    {"--password-stdin", 0, "", "", "Read the password from standard input"},
    {"--get-login", 0, "", "", "Print who is logged in, and ask nothing"},
    OPT_TLS("--tls-verify", ""),
    OPT_CERT_DIR("--cert-dir", ""),
    OPT_AUTHFILE("--authfile", ""),
    OPT_REGISTRIES_CONF,
    OPT_RETRY,
    OPT_QUIET,
};
inline constexpr OptionRow logout_options[] = {
    {"--all", 'a', "", "", "All logins of the file"},
    OPT_AUTHFILE("--authfile", ""),
    OPT_QUIET,
};

inline constexpr Verb image_rows[] = {
    {.name = "image copy",
     .aliases = "cp",
     .group = Group::images,
     .synopsis = "[OPTIONS] SOURCE TARGET",
     .help = "copy an image from any place to any other",
     .doc = "SOURCE and TARGET are images of the store (NAME), or lie elsewhere: docker://HOST/NAME:TAG in a registry, "
            "oci:PATH:TAG and oci-archive:PATH:TAG as OCI lays images out, docker-archive:PATH as `docker save` does, dir:PATH "
            "as skopeo does. Nothing is unpacked and digests stay what they were, unless TARGET keeps images in another form. "
            "What is there already is not moved again, and a copy that is interrupted leaves nothing half-made under the "
            "image's name.",
     .example = "croft image copy docker://registry.example/team/web:1 oci:./web:1\n"
                "croft image copy --all --dest-creds=alice oci:./web:1 docker://localhost:5000/web:1\n"
                "croft image copy docker-archive:saved.tar dir:/srv/web",
     .operands = Operands::image,
     .images = true,
     .options = image_copy_options},
    {.name = "image inspect",
     .aliases = "show",
     .group = Group::images,
     .synopsis = "[OPTIONS] IMAGE",
     .help = "show what an image is, wherever it lies",
     .doc = "Digest, platform, layers and labels of an image, and what it says of its process (command, environment, ports, health "
            "check), from its manifest and configuration alone: nothing else is fetched. Of an index it is the image for this "
            "platform. Ports and health checks are shown; croft opens none, and performs none by itself.",
     .example = "croft image inspect docker://registry.example/team/web:1\n"
                "croft image inspect --raw oci:./web:1       # the manifest, byte for byte\n"
                "croft image inspect --format='{{.Digest}}' oci:./web:1",
     .operands = Operands::image,
     .images = true,
     .options = image_inspect_options},
    {.name = "image list-tags",
     .aliases = "tags",
     .group = Group::images,
     .synopsis = "[OPTIONS] docker://HOST/NAME",
     .help = "list the tags that a repository has",
     .doc = "One in a line, in the registry's order, however many pages the registry makes of them.",
     .example = "croft image list-tags docker://registry.example/team/web",
     .images = true,
     .options = image_list_tags_options},
    {.name = "image delete",
     .group = Group::images,
     .synopsis = "[OPTIONS] docker://HOST/NAME:TAG",
     .help = "delete an image in a registry",
     .doc = "The image is deleted by its digest, so all tags that mean it go with it. The registry frees the space when it sees "
            "fit. Images of the store are removed by `croft image rm`.",
     .example = "croft image delete docker://localhost:5000/team/web:1",
     .images = true,
     .options = image_delete_options},
    {.name = "image sync",
     .group = Group::images,
     .synopsis = "[OPTIONS] SOURCE TARGET",
     .help = "copy all images of a repository or directory",
     .doc = "SOURCE is a repository, docker://HOST/NAME, all of whose tags are copied, or dir:PATH, a directory with any number "
            "of images in it. TARGET is docker://HOST/NAMESPACE or dir:PATH, where each image becomes PATH/NAME:TAG. "
            "Without --scoped only the last part of a name is kept.",
     .example = "croft image sync docker://registry.example/team/web dir:/srv/images\n"
                "croft image sync --keep-going --all dir:/srv/images docker://localhost:5000/mirror",
     .images = true,
     .options = image_sync_options},
    {.name = "image login",
     .group = Group::images,
     .synopsis = "[OPTIONS] HOST[/NAMESPACE]",
     .help = "keep name and password for a registry",
     .doc = "The registry is asked whether it takes them. They are kept where podman, skopeo and docker look for them too: in "
            "--authfile, $REGISTRY_AUTH_FILE, or $XDG_RUNTIME_DIR/containers/auth.json (of root: /run/containers/0/auth.json), or by "
            "the credential helper that this file names (credHelpers, credsStore). In the file they are encoded, not encrypted; "
            "only its owner can read it.",
     .example = "croft image login registry.example\n"
                "croft image login -u alice --password-stdin localhost:5000 <password",
     .images = true,
     .options = login_options},
    {.name = "image logout",
     .group = Group::images,
     .synopsis = "[OPTIONS] HOST[/NAMESPACE]",
     .help = "forget name and password for a registry",
     .doc = "Of the file that `croft image login` would write to, or by its credential helper.",
     .example = "croft image logout registry.example\n"
                "croft image logout --all",
     .images = true,
     .options = logout_options},
};

}  // namespace croft::cli
