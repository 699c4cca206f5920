#include "disk/discover.h"

#include <algorithm>

#include "base/text.h"

namespace croft::disk {
namespace {

// Flags of the Discoverable Partitions Specification, and of an ESP that firmware shall not see (UEFI 5.3.3).
constexpr uint64_t flag_no_auto = uint64_t{1} << 63, flag_read_only = uint64_t{1} << 60, flag_no_block_io = 1 << 1;
constexpr std::string_view linux_generic = "0fc63daf-8483-4772-8e79-3d69d8477de4";

struct TypeRow {
    const char* type;
    Role role;
    const char* architecture;  // as uname -m; "": any
    bool verity = false;       // its hashes, not itself
};
constexpr TypeRow types[] = {
    {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", Role::root, "x86_64"},
    {"2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", Role::root, "x86_64", true},
    {"8484680c-9521-48c6-9c11-b0720656f69e", Role::usr, "x86_64"},
    {"77ff5f63-e7b6-4633-acf4-1565b864c0e6", Role::usr, "x86_64", true},
    {"b921b045-1df0-41c3-af44-4c6f280d3fae", Role::root, "aarch64"},
    {"df3300ce-d69f-4c92-978c-9bfb0f38d820", Role::root, "aarch64", true},
    {"b0e01050-ee5f-4390-949a-9101b17104e9", Role::usr, "aarch64"},
    {"6e11a4e7-fbca-4ded-b9e9-e1a512bb664e", Role::usr, "aarch64", true},
    {"933ac7e1-2eb4-4f13-b844-0e14e2aef915", Role::home, ""},
    {"3b8f8425-20e0-4f3b-907f-1a25a76f98e8", Role::srv, ""},
    {"4d21b016-b534-45c2-a9fb-5c16e091fd2d", Role::var, ""},
    {"7ec6f557-3bc5-4aca-b293-16ef5df639d1", Role::tmp, ""},
    {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", Role::esp, ""},
    {"bc13c2ff-59e6-4262-a352-b275fd6f7172", Role::xbootldr, ""},
};
constexpr const char* role_names[] = {"root", "usr", "home", "srv", "var", "tmp", "esp", "xbootldr"};

std::string without_dashes(std::string_view text) {
    std::string out;
    for (char c : text)
        if (c != '-') out += c;
    return out;
}

// The specification ties a partition to a root hash by its UUID: the first half for the data, the second for the hashes.
bool belongs(const Partition& p, const std::string& root_hash, bool verity) {
    if (root_hash.size() < 64) return false;
    size_t from = verity ? root_hash.size() - 32 : 0;
    return without_dashes(p.uuid) == root_hash.substr(from, 32);
}

class Search {
  public:
    Search(RandomAccess& disk, const DiscoverOptions& options) : disk_(disk), options_(options) {}
    Result<Layout> run();

  private:
    Result<> add(Role role, const Partition& p, bool read_only);
    Result<> look(const Partition& p);
    Result<> by_type(const PartitionTable& table);
    Result<> single_linux(const PartitionTable& table);
    Result<> join_verity(const PartitionTable& table);
    Result<> whole_disk();
    Error nothing_found(const PartitionTable& table) const;

    RandomAccess& disk_;
    const DiscoverOptions& options_;
    Layout out_;
    std::string other_architecture_;
};

Result<> Search::add(Role role, const Partition& p, bool read_only) {
    std::string who = cat("partition ", p.number, " (", role_name(role), ")");
    FileSystem fs = TRY(probe(disk_, p.offset, p.size).within(who));
    if (!fs.mountable && fs.type != "crypto_LUKS") {
        out_.remarks.push_back(fs.type.empty() ? cat(who, " holds no file system that is known here and is left out")
                                               : cat(who, " holds ", fs.type, " and is left out"));
        return {};
    }
    read_only |= fs.read_only;
    out_.volumes.push_back({role, p.number, {p.offset, p.size}, {}, std::move(fs), read_only});
    return {};
}

Result<> Search::look(const Partition& p) {
    auto row = std::ranges::find(types, p.type, &TypeRow::type);
    if (row == std::end(types) || row->verity) return {};
    if (*row->architecture && row->architecture != options_.architecture) {
        other_architecture_ = row->architecture;
        return {};
    }
    if (p.flags & (row->role == Role::esp ? flag_no_block_io : flag_no_auto)) {
        out_.remarks.push_back(cat("partition ", p.number, " (", role_name(row->role), ") is flagged as not to be mounted by itself"));
        return {};
    }
    bool hashed = row->role == Role::root && !options_.root_hash.empty();
    if (hashed && !belongs(p, options_.root_hash, false)) return {};
    if (out_.find(row->role)) {
        out_.remarks.push_back(cat("partition ", p.number, " is a second ", role_name(row->role), " and is left out"));
        return {};
    }
    return add(row->role, p, p.flags & flag_read_only);
}

// The root that belongs to the root hash (look() took no other) is checked by the hashes that belong to it, too. Of /home and
// the others it says nothing.
Result<> Search::join_verity(const PartitionTable& table) {
    if (options_.root_hash.empty()) return {};
    for (const Partition& p : table.partitions) {
        auto row = std::ranges::find(types, p.type, &TypeRow::type);
        if (row == std::end(types) || !row->verity || row->role != Role::root || !belongs(p, options_.root_hash, true)) continue;
        for (Volume& volume : out_.volumes)
            if (volume.role == Role::root) volume.verity = Area{p.offset, p.size}, volume.read_only = true;
    }
    return {};
}

Result<> Search::by_type(const PartitionTable& table) {
    for (const Partition& p : table.partitions) TRY(look(p));
    return join_verity(table);
}

// One Linux partition, or one of several that is marked as bootable.
Result<> Search::single_linux(const PartitionTable& table) {
    std::vector<const Partition*> found;
    std::string_view type = table.kind == TableKind::gpt ? linux_generic : "83";
    for (const Partition& p : table.partitions)
        if (p.type == type) found.push_back(&p);
    auto bootable = std::ranges::find_if(found, &Partition::bootable);
    if (found.size() > 1 && bootable == found.end())
        return error(Errc::invalid, cat("the disk has ", found.size(),
                                        " Linux partitions and nothing says which is the root; give the root the type of the "
                                        "Discoverable Partitions Specification (sfdisk --part-type), or mark it as bootable"));
    if (found.empty()) return {};
    return add(Role::root, bootable == found.end() ? *found[0] : **bootable, false);
}

Result<> Search::whole_disk() {
    FileSystem fs = TRY(probe(disk_, 0, disk_.size()));
    if (fs.mountable || fs.type == "crypto_LUKS") {
        bool read_only = fs.read_only;
        out_.volumes.push_back({Role::root, 0, {0, disk_.size()}, {}, std::move(fs), read_only});
    } else if (!fs.type.empty()) {
        return error(Errc::unsupported, cat("it holds ", fs.type, ", which is no file system for a machine"));
    }
    return {};
}

Error Search::nothing_found(const PartitionTable& table) const {
    std::string why = other_architecture_.empty() ? "" : cat("; there is one for ", other_architecture_);
    for (const std::string& remark : out_.remarks) why += "; " + remark;
    if (table.kind == TableKind::none)
        return error(Errc::not_found, "it has no partition table and no file system that is known here");
    if (!options_.root_hash.empty())
        return error(Errc::not_found, cat("no root partition belongs to the root hash that was given", why));
    return error(Errc::not_found, cat("no partition of it is a root file system", why));
}

Result<Layout> Search::run() {
    // A file system's boot sector may look like a table with nothing in it.
    PartitionTable table = TRY(read_partition_table(disk_));
    if (table.kind == TableKind::mbr)
        if (FileSystem fs = TRY(probe(disk_, 0, disk_.size())); fs.mountable) table = {};
    out_.kind = table.kind;
    if (!table.remark.empty()) out_.remarks.push_back(table.remark);
    if (table.kind == TableKind::none) TRY(whole_disk());
    if (table.kind == TableKind::gpt) TRY(by_type(table));
    bool rooted = out_.find(Role::root) || out_.find(Role::usr);
    if (table.kind != TableKind::none && !rooted && options_.root_hash.empty()) TRY(single_linux(table));
    if (!out_.find(Role::root) && !out_.find(Role::usr)) return nothing_found(table);
    std::ranges::stable_sort(out_.volumes, {}, &Volume::role);
    return std::move(out_);
}

}  // namespace

const char* role_name(Role role) {
    return role_names[static_cast<size_t>(role)];
}

const Volume* Layout::find(Role role) const {
    auto at = std::ranges::find(volumes, role, &Volume::role);
    return at == volumes.end() ? nullptr : &*at;
}

Result<Layout> discover(RandomAccess& disk, const DiscoverOptions& options) {
    return Search(disk, options).run();
}

}  // namespace croft::disk
