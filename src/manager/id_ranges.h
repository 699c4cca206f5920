// Ranges of 65536 host ids for private user namespaces. Called by start.cc and remains.cc.
//
// A range belongs to one machine at a time: a mark uids/BASE in the run directory, a symlink whose text is
// the machine's name, made atomically. The same name gets the same range again where it is free (a hash of
// the name is tried first). Ranges that /etc/subuid or /etc/subgid gives to somebody are passed over, and so
// are those that systemd-nspawn has locked; nspawn's own lock is taken too, so that it does the same with
// ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "manager/paths.h"

namespace croft::manager {

inline constexpr uint32_t first_id_base = 524288, last_id_base = 1878982656, id_range_size = 65536;

struct IdRange {
    uint32_t base = 0;
    Fd nspawn_lock;  // held for the machine's life; none where nspawn never was
    std::string nspawn_lock_path;
};

// Between `first` and `last` (inclusive); no_space when all are taken.
Result<IdRange> pick_ids(const Paths& paths, const std::string& name, uint32_t first = first_id_base,
                         uint32_t last = last_id_base);
// A range that the user chose: marked if nobody has it, a warning if somebody does.
Result<IdRange> mark_ids(const Paths& paths, const std::string& name, uint32_t base);
// The range that this machine had in an earlier life, chosen by pick_ids(); busy when somebody else has got it meanwhile.
Result<IdRange> pick_ids_again(const Paths& paths, const std::string& name, uint32_t base);
// Removes the mark if it is this machine's.
void release_ids(const Paths& paths, const std::string& name, uint32_t base);

// Of /etc/subuid: who may use which ids; for tests.
struct SubIds {
    uint64_t start = 0, count = 0;
};
std::vector<SubIds> parse_subids(std::string_view text);

}  // namespace croft::manager
