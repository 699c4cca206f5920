#include "host/facts.h"

#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "host/kernel_facts.h"
#include "host/sources.h"
#include "host/tree.h"
#include "host/user.h"

namespace croft::host {
namespace {

// The answer of idmap_works() for one file system, kept as a symlink in a directory of ours, so that the
// usual start asks with one readlink. The name has the file system's type, because device numbers are used
// again.
bool ask_idmap(int root, const std::string& cache_directory) {
    struct stat st = {};
    struct statfs fs = {};
    if (cache_directory.empty() || fstat(root, &st) < 0 || fstatfs(root, &fs) < 0) return idmap_works(root);
    std::string directory = cache_directory + "/idmap";
    std::string path =
        cat(directory, "/", major(st.st_dev), ":", minor(st.st_dev), "-", static_cast<uint64_t>(fs.f_type));
    char answer[8];
    ssize_t n = readlink(path.c_str(), answer, sizeof answer);
    if (n > 0) return answer[0] == 'y';
    bool works = idmap_works(root);
    mkdir(directory.c_str(), 0755);
    (void)!symlink(works ? "yes" : "no", path.c_str());  // a cache: nothing is lost when it cannot be kept
    return works;
}

bool wants_user_namespace(const spec::MachineSpec& spec) {
    return spec.users.mode != spec::UserNamespace::Mode::no &&
           spec.users.mode != spec::UserNamespace::Mode::identity;
}

// A mount of the spec may bring the program, so what the tree has at its path says nothing.
bool may_be_covered(const spec::MachineSpec& spec, std::string_view path) {
    if (spec.root.volatile_mode != spec::Volatile::no || !spec.root.pivot_new.empty()) return true;
    for (const spec::Mount& mount : spec.mounts)
        if (path.starts_with(mount.target) || mount.target.starts_with("/usr") ||
            mount.target.starts_with("/lib") || mount.target.starts_with("/bin") ||
            mount.target.starts_with("/sbin"))
            return true;
    return false;
}

Result<> check_command(int root, const spec::MachineSpec& spec, const spec::HostFacts& facts) {
    std::string program = spec.mode == spec::Mode::boot ? facts.tree.init : "";
    if (spec.mode == spec::Mode::app && !spec.process.command.empty()) program = spec.process.command[0];
    if (program.empty() || may_be_covered(spec, program)) return {};
    if (program.starts_with('/')) return check_program(root, program, facts, MustExist::no);
    if (program.find('/') != program.npos) return {};  // relative to the working directory: exec decides
    // A bare name is searched by exec with the payload's own PATH; here only its architecture is of interest.
    for (const char* directory : {"/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"}) {
        std::string path = directory + program;
        if (open_in_root(root, path.c_str(), O_PATH)) return check_program(root, path, facts, MustExist::no);
    }
    return {};
}

Result<> ask_tree(const spec::MachineSpec& spec, const GatherOptions& options, spec::HostFacts& facts) {
    const bool layered = !spec.root.layers.empty(), disk = options.disk_root >= 0;
    Fd root = layered ? TRY(open_layers(spec, facts.tree, facts.privileged))
              : disk  ? TRY(open_disk_root(spec, options.disk_root, facts.tree))
                      : TRY(open_tree_root(spec, facts.tree));
    if (disk) facts.disk = options.disk, facts.tree.read_only_fs = options.disk.front().read_only;
    TRY(look_inside(root.get(), spec, facts.tree));
    // What is nothing but /usr gets its links into it in memory.
    if (disk && options.disk.front().target == "/usr") facts.tree.usr_merged = true;
    TRY(check_command(root.get(), spec, facts));
    ask_target_owners(root.get(), spec, facts.tree);
    if (facts.has_idmap && wants_user_namespace(spec)) {
        // An overlay is not what will be mapped: its layers are.
        Fd layer = layered ? TRY(open_at(AT_FDCWD, spec.root.layers.front().c_str(), O_PATH | O_DIRECTORY)) : Fd();
        int mapped = layered ? layer.get() : root.get();
        facts.tree.idmap_supported =
            !facts.privileged || (disk ? options.disk_maps_ids : ask_idmap(mapped, options.cache_directory));
    }
    if (spec.process.user.name.empty()) {
        facts.tree.user_name = "root", facts.tree.home = "/root";
        return {};
    }
    ResolvedUser user = TRY(resolve_user(root.get(), spec.process.user.name).within("--user"));
    facts.tree.uid = user.uid, facts.tree.gid = user.gid, facts.tree.groups = std::move(user.groups);
    facts.tree.user_name = std::move(user.name), facts.tree.home = std::move(user.home);
    facts.tree.user_shell = std::move(user.shell);
    return {};
}

void ask_os_release(spec::HostFacts& facts) {
    auto text = read_file_at(AT_FDCWD, "/etc/os-release", 1 << 16);
    if (!text) text = read_file_at(AT_FDCWD, "/usr/lib/os-release", 1 << 16);
    if (!text) return;
    for (const std::string& line : split(*text, '\n'))
        for (const char* key : {"ID", "VERSION_ID", "BUILD_ID", "VARIANT_ID"})
            if (line.starts_with(std::string(key) + "=")) {
                std::string_view value = trim(std::string_view(line).substr(line.find('=') + 1));
                if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
                    value = value.substr(1, value.size() - 2);
                facts.os_release[key] = value;
            }
}

// The file whose servers work for the payload: with the host's network the host's own; otherwise
// systemd-resolved's list of real servers, because its stub on 127.0.0.53 is out of reach.
void ask_integration(const spec::MachineSpec& spec, spec::HostFacts& facts) {
    if (spec.integration.resolv_conf != "off") {
        bool host = spec.network.mode == spec::Network::Mode::host;
        for (const char* path : {"/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"})
            if (facts.resolv_conf.empty() && !(host && path[1] == 'r') && access(path, R_OK) == 0)
                facts.resolv_conf = path;
    }
    if (spec.integration.timezone == "off") return;
    char link[512];
    ssize_t n = readlink("/etc/localtime", link, sizeof link);
    std::string_view target(link, n > 0 ? static_cast<size_t>(n) : 0);
    if (size_t at = target.find("zoneinfo/"); at != target.npos) facts.timezone = target.substr(at + 9);
}

void ask_caller(const spec::MachineSpec& spec, spec::HostFacts& facts) {
    auto take = [&](const char* name) {
        if (const char* value = getenv(name)) facts.caller_environment[name] = value;
    };
    for (const char* name : {"TERM", "COLORTERM", "NO_COLOR"}) take(name);
    for (const std::string& name : spec.process.environment.pass) take(name.c_str());
    facts.stdin_is_terminal = isatty(0), facts.stdout_is_terminal = isatty(1);
}

}  // namespace

Result<spec::HostFacts> gather(const spec::MachineSpec& spec, const GatherOptions& options) {
    if (spec.root.layout == spec::Layout::bundle) return gather_bundle(spec, options);
    spec::HostFacts facts;
    facts.helper_directory = options.helper_directory;
    facts.cgroup_base = options.cgroup_base;
    unsigned char random[16];
    if (getrandom(random, sizeof random, 0) == sizeof random)
        facts.random_uuid = hex({reinterpret_cast<char*>(random), sizeof random});
    ask_kernel(facts);
    find_cgroup2(facts);
    TRY(ask_tree(spec, options, facts));
    ask_sources(spec, facts);
    if (spec.mode == spec::Mode::boot) ask_os_release(facts);
    ask_integration(spec, facts);
    ask_caller(spec, facts);
    if (spec.namespaces.time) facts.has_time_ns = access("/proc/self/ns/time", F_OK) == 0;
    return facts;
}

}  // namespace croft::host
