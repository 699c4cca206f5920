// Owner, mode, extended attributes, ACLs and times of one file, in the only order in which none undoes
// another.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>
#include <string_view>

#include "archive/entry.h"
#include "base/result.h"

namespace croft::archive {

// Which extended attributes archives hold, besides ACLs. trusted.* would tell overlayfs things, as user.overlay.* does in
// user namespaces; security.* but file capabilities belongs to the host's policy.
bool is_archived_attribute(std::string_view name);

struct MetadataRules {
    bool ownership = true;
    uid_t user = 0;  // whose files are made: changing the owner to these is not needed
    gid_t group = 0;
    bool fresh = true;  // the tree was empty: no directory gives its group or its ACL to what is made in it
    std::atomic<uint64_t>* left = nullptr;  // attributes that could not be kept are counted here
};

// The permission bits that a new file or node is made with; whether the rest takes an own chmod.
mode_t mode_of(const Entry& entry, const MetadataRules& rules);
// Of an open file or directory that was made with mode_of() without the set-id and sticky bits.
Result<> set_metadata(int fd, const Entry& entry, const MetadataRules& rules);
// Of something that cannot be opened: symbolic links, devices, FIFOs. Made with its whole mode.
Result<> set_metadata_at(int directory, const char* name, const Entry& entry, const MetadataRules& rules);

}  // namespace croft::archive
