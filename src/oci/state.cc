#include "oci/state.h"

#include <time.h>

#include "base/text.h"

namespace croft::oci {

namespace {
void write_members(format::JsonWriter& json, const manager::OciContainer& c, std::string_view status) {
    json.member("ociVersion", c.version.empty() ? "1.0.0" : c.version).member("id", c.id).member("status", status);
    json.member("pid", status == "stopped" ? 0 : c.init.pid).member("bundle", c.bundle);
}

void write_annotations(format::JsonWriter& json, const manager::OciContainer& c) {
    if (c.annotations.empty()) return;
    json.key("annotations").begin_object();
    for (const auto& [name, value] : c.annotations) json.member(name, value);
    json.end_object();
}
}  // namespace

std::string time_text(uint64_t microseconds) {
    auto seconds = static_cast<time_t>(microseconds / 1'000'000);
    tm parts = {};
    gmtime_r(&seconds, &parts);
    char text[32];
    text[strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts)] = 0;
    std::string fraction = cat(microseconds % 1'000'000);
    return cat(text, ".", std::string(6 - fraction.size(), '0'), fraction, "Z");
}

std::string user_text(uint32_t uid) {
    auto text = read_file_at(AT_FDCWD, "/etc/passwd");
    if (text)
        for (const std::string& line : split(*text, '\n')) {
            std::vector<std::string> parts = split(line, ':');
            if (parts.size() > 2 && parts[2] == cat(uid)) return parts[0];
        }
    return cat(uid);
}

void write_state(format::JsonWriter& json, const manager::OciContainer& c) {
    json.begin_object();
    write_members(json, c, manager::oci_status_name(c.status));
    json.member("rootfs", c.rootfs).member("created", time_text(c.created));
    write_annotations(json, c);
    json.member("owner", user_text(c.owner)).end_object();
}

std::string hook_state(const manager::OciContainer& c, std::string_view status) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object();
    write_members(json, c, status);
    write_annotations(json, c);
    json.end_object();
    return json.take();
}

std::string listener_state(pid_t pid, std::string_view metadata, std::string_view container_state) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object().member("ociVersion", "1.3.0").key("fds").begin_array().value("seccompFd").end_array();
    json.member("pid", pid);
    if (!metadata.empty()) json.member("metadata", metadata);
    json.key("state").raw(container_state).end_object();
    return json.take();
}

}  // namespace croft::oci
