// What the verbs of this folder begin and end with.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "manager/paths.h"
#include "store/images.h"
#include "store/store.h"

namespace croft::images {

using StorePtr = std::shared_ptr<const store::Store>;  // places of images keep it too
// A user's trees have files of all ids that the user has, so whoever makes, reads and removes them becomes root over those
// (manager/rootless.h). Nothing for the system's root. Before there is a second thread.
Result<> become_owner(const manager::Paths& paths);
// Made when there is none. As their owner.
Result<StorePtr> open_store(const manager::Paths& paths);
Result<StorePtr> open_store();
std::string unpack_helper(const manager::Paths& paths);
// This boot's, as uses of the store have it.
Result<std::string> boot_id();
// In front of the directory's name in what store::uses() tells of a mounted image (`image mount`).
inline constexpr std::string_view mount_use = "mount@";
// The trees of an image's layers, absolute, the topmost first. wrong_state when one is not there.
Result<std::vector<std::string>> trees_of(const store::Store& store, const store::Image& image);
// What a verb that took names away ends with: what nothing refers to any more goes to the trash, which is emptied in the
// background. Somebody who works in the store just now is not waited for: the next collection takes it.
Result<> collect_quietly(const store::Store& store);

}  // namespace croft::images
