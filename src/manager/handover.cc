#include "manager/handover.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "kernel/local_socket.h"

namespace croft::manager {
namespace {

constexpr size_t most_bytes = 32 << 10;

}  // namespace

std::string pack_error(const Error& e) {
    return cat("E", static_cast<int>(e.code), " ", e.err, " ", e.text.substr(0, most_bytes / 2));
}

Error unpack_error(std::string_view text) {
    Error out;
    text.remove_prefix(1);
    size_t first = text.find(' '), second = first == text.npos ? text.npos : text.find(' ', first + 1);
    if (second == text.npos)
        return error(Errc::failed, "the launching process said something that makes no sense");
    out.code = static_cast<Errc>(parse_uint(text.substr(0, first)).value_or(0));
    out.err = static_cast<int>(parse_int(text.substr(first + 1, second - first - 1)).value_or(0));
    out.text = text.substr(second + 1);
    return out;
}

Result<Fd> listen_start(int directory) {
    return kernel::listen_local(directory, "start");
}

Result<Fd> connect_start(int directory) {
    return kernel::connect_local(directory, "start");
}

Result<> send_request(int connection, const StartRequest& request, const std::vector<int>& descriptors) {
    return kernel::send_descriptors(connection, {reinterpret_cast<const char*>(&request), sizeof request}, descriptors)
        .within("handing over a machine");
}

Result<StartRequest> receive_request(int connection, std::vector<Fd>& descriptors) {
    std::string bytes =
        TRY(kernel::receive_descriptors(connection, most_bytes, descriptors).within("taking over a machine"));
    StartRequest request;
    if (bytes.size() != sizeof request || bytes[0] != request.kind)
        return error(Errc::failed, "the command that starts the machine went away");
    memcpy(&request, bytes.data(), sizeof request);
    return request;
}

Result<> send_launched(int connection, int32_t leader) {
    return kernel::send_descriptors(connection, cat("L", leader), {});
}

void send_failure(int connection, const Error& error) {
    (void)kernel::send_descriptors(connection, pack_error(error), {});
}

Result<int32_t> receive_answer(int connection) {
    // One message and no byte of the next, which may bring the console.
    std::vector<Fd> descriptors;
    std::string bytes =
        TRY(kernel::receive_descriptors(connection, most_bytes, descriptors).within("taking over a machine"));
    if (bytes.starts_with('E')) return unpack_error(bytes);
    auto leader = parse_uint(std::string_view(bytes).substr(std::min<size_t>(1, bytes.size())));
    if (!bytes.starts_with('L') || !leader) return error(Errc::failed, "the launching process was killed");
    return static_cast<int32_t>(*leader);
}

}  // namespace croft::manager
