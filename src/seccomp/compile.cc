#include "seccomp/compile.h"

#include <linux/filter.h>
#include <seccomp.h>

#include <cstring>
#include <vector>

#include "launch/seccomp_file.h"
#include "seccomp/arch.h"
#include "seccomp/codegen.h"
#include "seccomp/resolve.h"

namespace croft::seccomp {

namespace {

uint32_t library_version() {
    const scmp_version* version = seccomp_version();
    return version->major << 16 | version->minor << 8 | version->micro;
}

std::string file_of(std::string_view request, const Policy& policy, const std::vector<sock_filter>& code) {
    launch::SeccompFileHeader header{};
    std::memcpy(header.magic, launch::seccomp_file_magic, sizeof header.magic);
    header.version = launch::seccomp_file_version;
    header.audit_arch = audit_arch(native_token());
    header.libseccomp = library_version();
    header.filter_flags = policy.filter_flags;
    header.request_length = static_cast<uint32_t>(request.size());
    header.instructions = static_cast<uint32_t>(code.size());
    std::string out(launch::seccomp_file_size(request.size(), code.size()), '\0');
    std::memcpy(out.data(), &header, sizeof header);
    std::memcpy(out.data() + sizeof header, request.data(), request.size());
    std::memcpy(out.data() + out.size() - code.size() * sizeof(sock_filter), code.data(),
                code.size() * sizeof(sock_filter));
    return out;
}

}  // namespace

Result<Policy> resolve(const Request& request) {
    if (request.defaults) return resolve(*request.defaults);
    return resolve(*request.profile);
}

Result<std::string> compile(std::string_view text) {
    Request request = TRY(parse_request(text));
    Policy policy = TRY(resolve(request));
    return file_of(text, policy, TRY(generate(policy)));
}

}  // namespace croft::seccomp
