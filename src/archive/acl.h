// POSIX ACLs: the text of archives (SCHILY.acl.*, as star, GNU tar and bsdtar write it) and the kernel's form
// (the extended attribute system.posix_acl_*, linux/posix_acl_xattr.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace croft::archive {

// "user::rwx,user:lp:r--:7,group::r-x,mask::r-x,other::r--" to the attribute's value. An entry whose user or
// group is only named cannot be told (whose name would it be?); it is left out and counted in `left`. Empty
// when nothing remains that permission bits do not say.
Result<std::string> acl_from_text(std::string_view text, uint64_t& left);
// The other way, with numbers for names. Invalid when it is no ACL.
Result<std::string> acl_to_text(std::string_view attribute);

}  // namespace croft::archive
