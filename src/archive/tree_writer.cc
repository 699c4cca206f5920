#include "archive/tree_writer.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "archive/names.h"
#include "archive/tree_files.h"
#include "base/text.h"

namespace croft::archive {

namespace {

size_t hash_of(const std::string& path) {
    return std::hash<std::string>()(path);
}

bool is_directory_at(int directory, const std::string& name) {
    struct stat found;
    return fstatat(directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
}

}  // namespace

TreeWriter::TreeWriter(int tree, const UnpackOptions& options, RecipeWriter* recipe)
    : tree_(tree),
      options_(options),
      recipe_(recipe),
      shards_(Shards::thread_count(options.threads),
              [this](Shards& shards) -> Shards::Work {
                  auto runner = std::make_shared<TaskRunner>(shards, state_);
                  return [runner](Task& task) { return runner->run(task); };
              }),
      directories_(tree, shards_,
                   options.whiteouts == Whiteouts::apply ? TreeDirectories::Links::replace
                                                         : TreeDirectories::Links::refuse,
                   {[this](const std::string& path) { return rescue(path); },
                    [this](const std::string& path) {
                        std::lock_guard lock(state_.mutex);
                        state_.opaque.push_back(path);
                    }}) {
    state_.rules.ownership = options.ownership;
    state_.rules.user = geteuid();
    state_.rules.group = getegid();
    state_.rules.left = &state_.attributes_left;
}

Result<> TreeWriter::start() {
    auto names = TRY(list_directory(tree_));
    struct stat top;
    if (fstat(tree_, &top) != 0) return os_error(errno, "looking at the tree");
    state_.rules.fresh = names.empty() && !(top.st_mode & S_ISGID);
    return {};
}

Result<> TreeWriter::add(TarReader& reader, Entry entry) {
    std::string path = TRY(tree_path(entry.path, options_.limits.name_length, options_.limits.depth));
    auto placed = place(reader, std::move(entry), path);
    TRY(shards_.failure());  // of an earlier entry, which it names
    return std::move(placed).within(cat("entry ", shown(path)));
}

Result<> TreeWriter::place(TarReader& reader, Entry entry, const std::string& path) {
    LayerName meaning = options_.whiteouts == Whiteouts::keep ? LayerName::file : TRY(layer_name(path));
    if (meaning == LayerName::whiteout) return add_whiteout(gone_path(path));
    if (meaning == LayerName::opaque) return make_opaque(std::string(parent_of(path)));
    if (meaning == LayerName::aufs) entry.type = EntryType::other;
    if (leaves_out(entry)) return {};
    if (options_.whiteouts == Whiteouts::apply) remember(path);
    if (entry.type == EntryType::directory) {
        TRY(rescue(path));  // where a file of the name came before
        return directories_.add(path, std::move(entry));
    }
    if (path.empty()) return error(Errc::invalid, "it has the name of the tree itself and is no directory");
    return add_node(reader, std::move(entry), path);
}

// Device nodes unless they are asked for; and never what overlayfs would take for a whiteout.
bool TreeWriter::leaves_out(const Entry& entry) {
    if (entry.type == EntryType::other) {
        ++others_left_;
        return true;
    }
    bool device = entry.type == EntryType::character_device || entry.type == EntryType::block_device;
    bool whiteout = entry.type == EntryType::character_device && entry.major == 0 && entry.minor == 0;
    if (!device || (options_.devices == DeviceNodes::make && !whiteout)) return false;
    ++devices_left_;
    return true;
}

// With its directories, which may have been there: they are this layer's, too.
void TreeWriter::remember(std::string path) {
    while (made_.insert(hash_of(path)).second && !path.empty()) path = std::string(parent_of(path));
}

// An earlier entry of the name is in the way where it is a directory; content that a recipe tells of must not
// get lost.
Result<> TreeWriter::make_room(const std::string& path) {
    if (recipe_ && recipe_->has(path)) TRY(rescue(path));
    bool known = directories_.knows(path);
    if (!known && !state_.rules.fresh) {
        DirectoryRef parent = TRY(directories_.open(std::string(parent_of(path))));
        known = is_directory_at(parent->fd.get(), std::string(last_of(path)));
    }
    if (!known) return {};
    if (recipe_) TRY(rescue_all(path));
    return directories_.remove(path);
}

Result<> TreeWriter::add_node(TarReader& reader, Entry entry, const std::string& path) {
    TRY(make_room(path));
    Task task;
    task.directory = TRY(directories_.open(std::string(parent_of(path))));
    task.name = last_of(path);
    task.entry = std::move(entry);
    if (task.entry.type == EntryType::hardlink) TRY(fill_hard_link(task));
    return task.entry.type == EntryType::file ? push_content(reader, std::move(task), path)
                                              : push(std::move(task));
}

Result<> TreeWriter::fill_hard_link(Task& task) {
    std::string target = TRY(tree_path(task.entry.link, options_.limits.name_length, options_.limits.depth));
    if (target.empty()) return error(Errc::invalid, "it is a hard link to the tree itself");
    auto directory = directories_.find(std::string(parent_of(target)));
    if (!directory)
        return error(Errc::invalid,
                     cat("it is a hard link to ", shown(target), ", which no directory of the tree has (",
                         directory.error().text, ")"));
    task.link_directory = std::move(*directory);
    task.link_name = last_of(target);
    task.after_shard = task.link_directory->shard;
    if (task.after_shard != task.directory->shard) task.after_count = TRY(shards_.given(task.after_shard));
    return {};
}

Result<> TreeWriter::push_content(TarReader& reader, Task task, const std::string& path) {
    DirectoryRef directory = task.directory;
    for (;;) {
        if (auto piece = TRY(reader.content(path))) {
            task.slice = std::move(piece->slice);
            task.offset = piece->offset;
        }
        task.last = !reader.has_content();
        bool last = task.last;
        TRY(push(std::move(task)));
        if (last) return {};
        task = Task();
        task.kind = Task::Kind::data;
        task.directory = directory;
        task.name = last_of(path);
    }
}

// What is pushed is on its way before another block is waited for: tasks that nobody does yet may keep only
// this one.
Result<> TreeWriter::push(Task task) {
    const Block* block = task.slice.block.get();
    if (block && block != last_block_) {
        TRY(shards_.flush());
        last_block_ = block;
    }
    size_t shard = task.directory->shard;
    return shards_.push(shard, std::move(task));
}

Result<> TreeWriter::rescue(const std::string& path) {
    if (!recipe_ || !recipe_->has(path)) return {};
    TRY(shards_.barrier());
    Fd directory = TRY(open_directory(tree_, std::string(parent_of(path))));
    Fd file =
        TRY(open_at(directory.get(), std::string(last_of(path)).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    return recipe_->rescue(path, file.get());
}

Result<> TreeWriter::rescue_all(const std::string& path) {
    TRY(shards_.barrier());
    Fd directory = TRY(open_directory(tree_, path));
    auto names = TRY(list_directory(directory.get()));
    for (const std::string& name : names) {
        std::string below = cat(path, "/", name);
        TRY(is_directory_at(directory.get(), name) ? rescue_all(below) : rescue(below));
    }
    return {};
}

Result<> TreeWriter::finish(Unpacked& result) {
    TRY(directories_.finish());
    result.bytes = state_.bytes;
    result.attributes_left = state_.attributes_left;
    result.devices_left = devices_left_;
    result.others_left = others_left_;
    return {};
}

}  // namespace croft::archive
