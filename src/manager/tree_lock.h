// Who uses a tree: one machine that may write it, or any number that only read it. Called by start.cc.
//
// The lock is on trees/inode-DEV:INO in the run directory, so that every path to a tree means the same lock.
// Where systemd-nspawn is or was, its two locks are taken as well (its global one by inode, and `.#NAME.lck`
// beside the tree if it is there): machinectl and nspawn then refuse a tree that croft uses, and croft one
// that they use.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/lock_file.h"
#include "manager/paths.h"

namespace croft::manager {

struct TreeLock {
    std::vector<Fd> locks;           // held for the machine's life
    std::vector<std::string> paths;  // of files to remove when it has ended: the first locks, in order
};

// `tree` is resolved and absolute; `root` an open descriptor of it. busy names the machine that has it.
Result<TreeLock> lock_tree(const Paths& paths, const std::string& tree, int root, LockKind kind);

// Unlocks and removes the files that nobody else holds.
void unlock_tree(TreeLock lock);

}  // namespace croft::manager
