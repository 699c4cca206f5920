// A container by its id: its directory, its lock, its record and its plan. The story of the directory stands on top of
// manager/oci_containers.h.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "launch/launch_plan.h"
#include "manager/oci_containers.h"
#include "manager/paths.h"
#include "oci/arguments.h"

namespace croft::oci {

using Status = manager::OciStatus;

// Where this call's containers are, and croft's own files.
struct Places {
    manager::Paths paths;
    std::string root;  // absolute
};
Result<Places> find_places(const Global& global);

Result<> check_id(std::string_view id);

// by_force: when another croft-oci does not come to its end within two seconds, the hook that it waits for is killed, and
// after two more it is killed itself.
enum class Lock { no, yes, by_force };
// What to do about a record that cannot be read: whoever deletes by force goes by the plan.
enum class Broken { refuse, accept };

class Container {
  public:
    std::string id, path;  // path: of its directory
    Fd directory;
    manager::OciContainer record;

    Status status() const { return record.status; }
    bool alive() const { return status() != Status::stopped; }
    Result<launch::LaunchPlan> plan() const;
    // Its first process, as long as that lives: "container not running" otherwise.
    Result<Fd> open_init() const;
    void unlock() const;
};

// not_found ("does not exist") when there is none. With a lock, other verbs that change it wait, and this one for them.
Result<Container> open_container(const Places& places, std::string_view id, Lock lock, Broken broken = Broken::refuse);

// A new one: its directory, locked.
Result<Container> claim_container(const Places& places, std::string_view id);
// Removes the directory and what is in it.
void remove_container_files(const Places& places, const Container& container);

}  // namespace croft::oci
