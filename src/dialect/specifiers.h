// Specifiers of machine files ("%i"): the ones of systemd.unit(5) that make sense for a machine. What they
// stand for is given by the caller as a value, so that expanding asks nothing.
//
//   %i %I %n %N %p  the machine's name          %m  the host's machine id     %b  the host's boot id
//   %H  host name   %l  up to its first dot     %v  kernel release            %a  architecture (uname -m)
//   %o %w           ID and VERSION_ID of the host's os-release                %u %U %h  the caller: name,
//   uid, home %t %S %C        run-time, state and cache directory (/run, /var/lib, /var/cache)      %T %V
//   /tmp, /var/tmp
//   %%              a percent sign; '%' before anything but a letter is one too ("CPUQuota=50%")
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace croft::dialect {

struct Specifiers {
    std::string name;  // of the machine
    std::string host_name, machine_id, boot_id, kernel, architecture, os_id, os_version_id;
    std::string user = "root", uid = "0", home = "/root";
    std::string runtime_directory = "/run", state_directory = "/var/lib", cache_directory = "/var/cache";
};

Result<std::string> expand_specifiers(std::string_view text, const Specifiers& specifiers);
// '%' doubled where it would be read as a specifier, so that expanding gives the text back.
std::string escape_specifiers(std::string_view text);

}  // namespace croft::dialect
