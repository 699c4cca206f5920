// What people write to name an image, wherever it is:
//
//   web, web:1                    an image of the store, or a tree in /var/lib/machines
//   dir:PATH                      a directory: a tree, or skopeo's layout (a file "version" in it tells)
//   tar:PATH  raw:PATH            an archive of a tree; a disk image. PATH may be an address, http:// or https://, and an
//                                 address alone is an archive's
//   oci:PATH[:TAG]                an OCI layout; oci:PATH:@N is the N-th of its index, PATH@DIGEST the one of that digest
//   oci-archive:PATH[:TAG]        the same in a tar archive
//   docker-archive:PATH[:NAME:TAG]  what `docker save` makes; :@N the N-th image of it
//   docker://HOST/NAME[:TAG][@DIGEST]  in a registry; without HOST it is a short name (registries.conf)
//
// A value; nothing is looked up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/digest.h"

namespace croft::image {

enum class Transport : unsigned char { store, directory, tar, raw, oci, oci_archive, docker_archive, registry };
// "" for the store, "docker" for a registry.
std::string_view transport_name(Transport transport);

struct Reference {
    Transport transport = Transport::store;
    std::string path;              // of files
    std::string host;              // of a registry: "localhost:5000"; "" in a short name
    std::string name;              // in the store or registry: "team/web"
    std::string tag;               // "" when none was told
    std::optional<Digest> digest;
    std::optional<unsigned> index;  // oci:PATH:@N, docker-archive:PATH:@N

    // As it would be written; parse_reference() gives the same again.
    std::string text() const;
    bool operator==(const Reference&) const = default;
};

Result<Reference> parse_reference(std::string_view text);
// Whether a path of tar: or raw: is no path, but begins as an address on the web does.
bool is_web_address(std::string_view path);
// An address without what stands before an '@': name and password are for nobody else.
std::string url_without_login(std::string_view url);

// Of names in a registry (distribution-spec, "Pulling manifests"): path components of lower-case letters, digits and
// separators, 255 characters with the host at most; a tag of at most 128 characters.
Result<> check_repository(std::string_view name);
Result<> check_tag(std::string_view tag);
// "HOST/NAME[:TAG][@DIGEST]" without a transport in front, as configuration files have it.
Result<Reference> parse_docker_name(std::string_view text);

}  // namespace croft::image
