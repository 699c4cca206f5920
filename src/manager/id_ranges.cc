#include "manager/id_ranges.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "base/text.h"
#include "base/lock_file.h"
#include "manager/record.h"

namespace croft::manager {
namespace {

constexpr const char* nspawn_directory = "/run/systemd/nspawn-uid";

uint64_t hash(std::string_view text) {  // FNV-1a
    uint64_t value = 14695981039346656037ull;
    for (char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    // Mixed once more: the low bits of FNV of short names lie close together.
    value ^= value >> 32;
    return value * 0x9e3779b97f4a7c15ull;
}

std::string holder_of(int uids, const std::string& mark) {
    char name[128];
    ssize_t n = readlinkat(uids, mark.c_str(), name, sizeof name);
    return {name, n > 0 ? static_cast<size_t>(n) : 0};
}

// A mark counts while its machine is claimed (lock held), or kept with this range in its record.
bool is_used(const Paths& paths, const std::string& holder, uint32_t base) {
    if (holder.empty() || holder.find('/') != holder.npos) return false;
    std::string directory = cat(paths.machines, "/", holder);
    Fd lock(open((directory + "/lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (lock && is_locked(lock.get())) return true;
    auto text = read_file_at(AT_FDCWD, (directory + "/record").c_str());
    if (!text) return false;
    auto record = parse_record(*text);
    return record && record->id_base == base;
}

// Replaces the mark of a machine that is gone. Only one command does so at a time, or two could both replace
// the same stale mark and share the range.
bool take_over(const Paths& paths, int uids, const std::string& mark, const std::string& name,
               uint32_t base) {
    // The directory itself is the lock: there is no file that a command killed here could leave behind.
    Fd guard(openat(uids, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!guard || flock(guard.get(), LOCK_EX | LOCK_NB) < 0) return false;
    std::string holder = holder_of(uids, mark);
    if (holder != name && is_used(paths, holder, base)) return false;
    unlinkat(uids, mark.c_str(), 0);
    return symlinkat(name.c_str(), uids, mark.c_str()) == 0;
}

bool make_mark(const Paths& paths, int uids, const std::string& name, uint32_t base) {
    std::string mark = cat(base);
    if (symlinkat(name.c_str(), uids, mark.c_str()) == 0) return true;
    return errno == EEXIST && take_over(paths, uids, mark, name, base);
}

// nspawn's lock on the range. False: nspawn has it. Where there is no /run/systemd, nothing is to be locked.
bool lock_for_nspawn(const Paths& paths, IdRange& range) {
    if (!paths.system) return true;
    range.nspawn_lock_path = cat(nspawn_directory, "/", range.base);
    if (mkdir(nspawn_directory, 0755) < 0 && errno != EEXIST) {
        range.nspawn_lock_path.clear();
        return true;
    }
    auto lock = try_lock(AT_FDCWD, range.nspawn_lock_path.c_str(), LockKind::exclusive);
    if (!lock) {
        range.nspawn_lock_path.clear();
        return true;
    }
    if (!*lock) return false;
    range.nspawn_lock = std::move(**lock);
    return true;
}

Result<Fd> open_uids(const Paths& paths) {
    std::string path = paths.run + "/uids";
    if (mkdir(path.c_str(), 0755) < 0 && errno != EEXIST)
        return os_error(errno, cat("making ", quoted(path)));
    return open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

std::vector<SubIds> reserved_ids() {
    std::vector<SubIds> out;
    for (const char* path : {"/etc/subuid", "/etc/subgid"})
        if (auto text = read_file_at(AT_FDCWD, path))
            for (const SubIds& range : parse_subids(*text)) out.push_back(range);
    return out;
}

bool is_reserved(const std::vector<SubIds>& reserved, uint64_t base) {
    for (const SubIds& range : reserved)
        if (base < range.start + range.count && range.start < base + id_range_size) return true;
    return false;
}

}  // namespace

std::vector<SubIds> parse_subids(std::string_view text) {
    std::vector<SubIds> out;
    for (const std::string& line : split(text, '\n')) {
        std::vector<std::string> fields = split(line, ':');
        if (fields.size() != 3) continue;
        auto start = parse_uint(fields[1]), count = parse_uint(trim(fields[2]));
        if (start && count && *start <= UINT32_MAX && *count <= UINT32_MAX) out.push_back({*start, *count});
    }
    return out;
}

Result<IdRange> pick_ids(const Paths& paths, const std::string& name, uint32_t first, uint32_t last) {
    Fd uids = TRY(open_uids(paths));
    std::vector<SubIds> reserved = reserved_ids();
    uint64_t count = (last - first) / id_range_size + 1;
    uint64_t start = hash(name) % count;
    for (uint64_t step = 0; step < count; ++step) {
        IdRange range;
        range.base = first + static_cast<uint32_t>((start + step) % count) * id_range_size;
        if (is_reserved(reserved, range.base) || !make_mark(paths, uids.get(), name, range.base)) continue;
        if (lock_for_nspawn(paths, range)) return range;
        release_ids(paths, name, range.base);
    }
    return error(Errc::no_space,
                 cat("all ", count, " ranges of ids between ", first, " and ", last + id_range_size - 1,
                     " are in use; remove machines that have ended (`croft list`, `croft rm`), or choose one "
                     "with --private-users=BASE"));
}

Result<IdRange> mark_ids(const Paths& paths, const std::string& name, uint32_t base) {
    Fd uids = TRY(open_uids(paths));
    IdRange range;
    range.base = base;
    if (!make_mark(paths, uids.get(), name, base))
        warn(cat("machine ", quoted(holder_of(uids.get(), cat(base))), " uses the same ids (", base,
                 " and up): each can reach the other's files and processes"));
    if (!lock_for_nspawn(paths, range))
        warn(cat("a container of systemd-nspawn uses the same ids (", base, " and up)"));
    return range;
}

Result<IdRange> pick_ids_again(const Paths& paths, const std::string& name, uint32_t base) {
    Fd uids = TRY(open_uids(paths));
    IdRange range;
    range.base = base;
    bool marked = make_mark(paths, uids.get(), name, base);
    if (marked && lock_for_nspawn(paths, range)) return range;
    std::string holder = marked ? "a container of systemd-nspawn"
                                : cat("machine ", quoted(holder_of(uids.get(), cat(base))));
    if (marked) release_ids(paths, name, base);
    return error(Errc::busy, cat("the ids ", base, " to ", base + id_range_size - 1, " on the host, which machine ",
                                 quoted(name), " had, are used by ", holder, " now; stop that one, or start ",
                                 quoted(name), " anew with croft run or boot, which gives it other ids"));
}

void release_ids(const Paths& paths, const std::string& name, uint32_t base) {
    Fd uids(open((paths.run + "/uids").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::string mark = cat(base);
    if (uids && holder_of(uids.get(), mark) == name) unlinkat(uids.get(), mark.c_str(), 0);
}

}  // namespace croft::manager
