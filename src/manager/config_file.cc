#include "manager/config_file.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace croft::manager {

Result<Fd> lock_config(const Paths& paths) {
    if (paths.config.empty())
        return error(Errc::unsupported, "there is no place for machine files: set HOME or XDG_CONFIG_HOME");
    TRY(make_dirs_at(AT_FDCWD, paths.config).within("making the directory of machine files"));
    Fd directory = TRY(open_at(AT_FDCWD, paths.config.c_str(), O_RDONLY | O_DIRECTORY));
    int locked;
    do locked = flock(directory.get(), LOCK_EX);
    while (locked < 0 && errno == EINTR);
    if (locked < 0) return os_error(errno, cat("locking ", quoted(paths.config)));
    return directory;
}

Result<ConfigPlace> config_place(const std::string& path) {
    size_t slash = path.rfind('/');
    std::string directory = path.substr(0, slash);
    TRY(make_dirs_at(AT_FDCWD, directory).within(cat("making ", quoted(directory))));
    return ConfigPlace{TRY(open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY)),
                       path.substr(slash + 1)};
}

namespace {
Result<> put_in_place(int directory, const std::string& draft, const std::string& name, Existing existing) {
    if (existing == Existing::replace) {
        if (renameat(directory, draft.c_str(), directory, name.c_str()) < 0)
            return os_error(errno, "replacing it");
        return {};
    }
    if (linkat(directory, draft.c_str(), directory, name.c_str(), 0) == 0) return {};
    if (errno == EEXIST) return error(Errc::exists, "it is there already");
    return os_error(errno, "making it");
}
}  // namespace

Result<ConfigDraft> ConfigDraft::write(int directory, const std::string& name, std::string_view text, Existing existing,
                                       SyncGroup& group) {
    auto work = [&]() -> Result<ConfigDraft> {
        struct stat old = {};
        bool there = fstatat(directory, name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(old.st_mode);
        if (there && existing == Existing::refuse) return error(Errc::exists, "it is there already");
        // A dot in front: readers of the directory pass over it, whatever becomes of us.
        std::string draft = cat(".", name, ".", getpid(), ".new");
        Fd own = TRY(open_at(directory, ".", O_RDONLY | O_DIRECTORY));
        Fd file = TRY(open_at(directory, draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
        ConfigDraft out(std::move(own), name, std::move(draft), existing);
        TRY(write_all(file.get(), text));
        if (fchmod(file.get(), there ? old.st_mode & 0777 : 0644) < 0) return os_error(errno, "setting the mode");
        group.add(std::move(file), name);
        return out;
    };
    return work().within(cat("writing ", name));
}

ConfigDraft::~ConfigDraft() {
    if (directory_) unlinkat(directory_.get(), draft_.c_str(), 0);
}

Result<> ConfigDraft::put(SyncGroup& group) {
    TRY(put_in_place(directory_.get(), draft_, name_, existing_).within(cat("writing ", name_)));
    unlinkat(directory_.get(), draft_.c_str(), 0);
    group.add(std::move(directory_), cat("the directory of ", name_));
    return {};
}

Result<> write_config(int directory, const std::string& name, std::string_view text, Existing existing) {
    SyncGroup group;
    ConfigDraft draft = TRY(ConfigDraft::write(directory, name, text, existing, group));
    // The new name must not reach the disk before the text does.
    TRY(group.flush());
    TRY(draft.put(group));
    // It is there, whatever the file system says of how long.
    (void)group.flush();
    return {};
}

}  // namespace croft::manager
