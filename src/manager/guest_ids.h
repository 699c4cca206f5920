// A machine's id maps, and acting on its files with them. Called by bind.cc and copy.cc.
//
// A machine's files are seen from the host with the host's numbers ("outside": 524288 for root inside). A
// file is made with the file system ids of its maker, and an idmapped mount refuses ids that it cannot map
// (EOVERFLOW), so whoever makes one there acts as root inside for that moment.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"

namespace croft::manager {

struct GuestIds {
    struct Map {
        uint32_t inside = 0, outside = 0, count = 0;
    };
    std::vector<Map> uids, gids;
    static std::optional<uint32_t> to_outside(const std::vector<Map>& maps, uint32_t inside);
    static std::optional<uint32_t> to_inside(const std::vector<Map>& maps, uint32_t outside);
};

// From /proc/PID/uid_map and gid_map.
Result<GuestIds> read_guest_ids(int pid);

// While it lives, files are made as root inside. The capabilities stay: without the effective ones, which the
// kernel drops when the file system uid leaves 0, an access would be refused that root has.
class ActAs {
  public:
    explicit ActAs(const GuestIds& ids);
    ActAs(const ActAs&) = delete;
    ActAs& operator=(const ActAs&) = delete;
    ~ActAs();

  private:
    int uid_, gid_;
};

}  // namespace croft::manager
