#include "manager/oci_containers.h"

#include <dirent.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "format/json_document.h"
#include "format/json_writer.h"
#include "run/gate.h"

namespace croft::manager {

namespace {
using format::JsonKind;
using format::JsonValue;

constexpr const char* roots_directory = "/oci-roots";

uint64_t number_of(JsonValue value) { return parse_uint(value.text()).value_or(0); }

void take_member(OciContainer& out, JsonValue member) {
    std::string_view key = member.key();
    if (key == "id") out.id = member.text();
    if (key == "ociVersion") out.version = member.text();
    if (key == "bundle") out.bundle = member.text();
    if (key == "rootfs") out.rootfs = member.text();
    if (key == "pid") out.init.pid = static_cast<int>(number_of(member));
    if (key == "start") out.init.start = number_of(member);
    if (key == "created") out.created = number_of(member);
    if (key == "owner") out.owner = static_cast<uint32_t>(number_of(member));
    if (key == "cgroup") out.cgroup = member.text();
    if (key == "unit") out.unit = member.text();
    if (key == "userUnit") out.user_unit = member.text() == "true";
    if (key == "hasEnd") out.has_end = member.text() == "true";
    if (key == "madeRdt") out.made_rdt = member.text() == "true";
    if (key == "annotations")
        for (JsonValue one : member) out.annotations.emplace_back(one.key(), one.text());
}

bool is_locked(int directory, const char* name) {
    auto file = open_at(directory, name, O_RDONLY | O_NOFOLLOW);
    return file && flock(file->get(), LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

bool is_frozen(const std::string& cgroup) {
    if (cgroup.empty()) return false;
    auto text = read_file_at(AT_FDCWD, (cgroup + "/cgroup.freeze").c_str(), 16);
    return text && text->starts_with('1');
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> out;
    DIR* dir = opendir(directory.c_str());
    if (!dir) return out;
    while (dirent* entry = readdir(dir))
        if (std::string_view name = entry->d_name; name != "." && name != "..") out.emplace_back(name);
    closedir(dir);
    std::ranges::sort(out);
    return out;
}
}  // namespace

const char* oci_status_name(OciStatus status) {
    constexpr const char* names[] = {"creating", "created", "running", "paused", "stopped"};
    return names[static_cast<size_t>(status)];
}

std::string oci_record(const OciContainer& c) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object().member("id", c.id).member("ociVersion", c.version);
    json.member("bundle", c.bundle).member("rootfs", c.rootfs);
    json.member("pid", c.init.pid).member("start", c.init.start);
    json.member("created", c.created).member("owner", c.owner).member("cgroup", c.cgroup);
    if (!c.unit.empty()) json.member("unit", c.unit).member("userUnit", c.user_unit);
    if (c.has_end) json.member("hasEnd", true).member("madeRdt", c.made_rdt);
    json.key("annotations").begin_object();
    for (const auto& [name, value] : c.annotations) json.member(name, value);
    json.end_object().end_object();
    return json.take();
}

Result<OciContainer> parse_oci_record(std::string_view text) {
    format::JsonDocument document = TRY(format::JsonDocument::parse(text));
    OciContainer out;
    if (document.root().kind() != JsonKind::object) return error(Errc::invalid, "the record is no JSON object");
    for (JsonValue member : document.root()) take_member(out, member);
    if (out.id.empty() || out.init.pid <= 1) return error(Errc::invalid, "the record lacks the id or the process");
    return out;
}

OciStatus oci_status(int directory, const OciContainer& c) {
    // Without a record: either its maker is about to write it, or was killed before.
    bool lives = c.init.pid && is_running(c.init);
    if (c.init.pid && !lives) return OciStatus::stopped;
    bool waits = lives && run::waits_at_gate(directory);
    if ((!lives || waits) && is_locked(directory, oci_plan_name)) return OciStatus::creating;
    if (!lives) return OciStatus::stopped;
    if (is_frozen(c.cgroup)) return OciStatus::paused;
    return waits ? OciStatus::created : OciStatus::running;
}

Result<OciContainer> read_oci_container(int directory, std::string_view id) {
    auto text = read_file_at(directory, oci_record_name);
    OciContainer out;
    if (text)
        out = TRY(parse_oci_record(*text).within(cat("the record of container ", quoted(id))));
    else if (text.error().err != ENOENT)
        return std::move(text).error().within(cat("reading the record of container ", quoted(id)));
    out.id = id;
    out.status = oci_status(directory, out);
    return out;
}

Result<std::vector<OciContainer>> list_oci_containers(const std::string& root) {
    std::vector<OciContainer> out;
    for (const std::string& id : names_in(root)) {
        auto directory = open_at(AT_FDCWD, cat(root, "/", id).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        // Something else, or removed since.
        if (!directory) continue;
        auto container = read_oci_container(directory->get(), id);
        if (!container) {  // a record that cannot be read: it can still be deleted by force
            container = OciContainer{};
            container->id = id;
        }
        out.push_back(std::move(*container));
    }
    return out;
}

std::string default_oci_root(const Paths& paths) { return paths.run + "-oci"; }

std::vector<std::string> oci_roots(const Paths& paths) {
    std::vector<std::string> out = {default_oci_root(paths)};
    std::string directory = paths.run + roots_directory;
    for (const std::string& name : names_in(directory)) {
        char target[4096];
        ssize_t n = readlink(cat(directory, "/", name).c_str(), target, sizeof target);
        if (n > 0 && target[0] == '/') out.emplace_back(target, static_cast<size_t>(n));
    }
    return out;
}

void note_oci_root(const Paths& paths, const std::string& root) {
    if (root == default_oci_root(paths)) return;
    uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (char c : root) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    std::string directory = paths.run + roots_directory, link = cat(directory, "/", hash);
    // A convenience for `croft list`: what cannot be noted is not shown there.
    if (symlink(root.c_str(), link.c_str()) == 0 || errno != ENOENT) return;
    (void)make_dirs_at(AT_FDCWD, directory);
    (void)!symlink(root.c_str(), link.c_str());
}

}  // namespace croft::manager
