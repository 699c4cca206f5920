// The store: images, unpacked layers and machines' own trees below one directory (/var/lib/croft/store), for one user.
//
//   version            "1\n"
//   blobs/ALG/HEX      manifests, configurations and compressed layers as they were given
//   layers/ALG-HEX/    an unpacked layer by its diff id: tree/, layer.json. sealed-RANDOM/: what was a machine's own
//   refs/NAME          a name for an image: a small JSON file
//   machines/NAME/     a machine's own: machine.json, upper/, work/
//   snapshots/NAME@SNAPSHOT  on which layers a machine stood then: a file as machine.json
//   uses/NAME/         the same for a machine that runs on a throwaway upper
//   partial/           what is being written, each locked by its writer
//   trash/             what was removed, and is deleted when there is time
//   lock               shared by whoever makes or is about to use things that nothing refers to yet; exclusive to collect
//
// The rule that makes a crash harmless: a thing is written under another name, made durable and renamed; what refers to
// it is written after it. So a process that is killed leaves files in partial/ and things without a reference, which
// collection takes. Nothing here knows of networks, hashes or archives: whoever writes a blob has checked its digest.
// Called by images/ and manager/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/lock_file.h"
#include "base/result.h"
#include "base/sync_group.h"

namespace croft::store {

class Store {
  public:
    // `path` is absolute. Makes what is not there; unsupported for a store of another version.
    static Result<Store> open(const std::string& path);
    // Nothing when there is no store; makes nothing.
    static Result<std::optional<Store>> find(const std::string& path);

    int fd() const { return root_.get(); }
    const std::string& path() const { return path_; }
    std::string at(std::string_view name) const;

    // While it is held collection takes nothing. Shared: waits for a collection under way.
    Result<Fd> hold() const;
    // Exclusive: nothing when somebody imports, pulls or starts a machine just now.
    Result<std::optional<Fd>> try_hold_alone() const;

    // Moves a file or directory (a name below the store) to the trash; what is not there counts as removed.
    Result<> discard(const std::string& name) const;
    // Deletes what is in the trash. Others may do so at the same time.
    Result<> empty_trash() const;
    // The same by a child of its own, which outlives the caller; only for a process with one thread.
    void empty_trash_later() const;

    // Replaces a small file so that it is the old or the new one, whole, also after a power cut.
    Result<> write_file(const std::string& name, std::string_view text) const;
    // A new file to which nothing refers before `group` is flushed.
    Result<> write_new(const std::string& name, std::string_view text, SyncGroup& group) const;
    // Entries of a directory below the store, sorted; hidden ones are passed over.
    Result<std::vector<std::string>> names_in(const std::string& directory) const;

  private:
    Store(std::string path, Fd root) : path_(std::move(path)), root_(std::move(root)) {}
    std::string path_;
    Fd root_;
};

// fsync of a directory, so that a rename in it lasts.
Result<> sync_directory(int dir, const char* path);
// 16 hex digits that nobody has had.
std::string random_name();

}  // namespace croft::store
