// A directory for a test, looked at and removed.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "archive/streams.h"
#include "archive/unpack.h"

namespace croft::archive {

class Tree {
  public:
    Tree() {
        // Not /tmp: where that is a tmpfs of an old kernel it has no attributes of users.
        char name[] = "/var/tmp/croft-archive-XXXXXX";
        path_ = mkdtemp(name);
        fd_ = Fd(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    Tree(const Tree&) = delete;
    ~Tree() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    int fd() const { return fd_.get(); }
    std::string at(std::string_view name) const { return cat(path_, "/", name); }
    bool has(std::string_view name) const {
        struct stat s;
        return lstat(at(name).c_str(), &s) == 0;
    }
    struct stat look(std::string_view name) const {
        struct stat s = {};
        EXPECT_EQ(lstat(at(name).c_str(), &s), 0) << name;
        return s;
    }
    std::string content(std::string_view name) const {
        std::ifstream file(at(name), std::ios::binary);
        std::stringstream all;
        all << file.rdbuf();
        return all.str();
    }
    std::string target(std::string_view name) const {
        return std::filesystem::read_symlink(at(name)).string();
    }
    std::string attribute(std::string_view name, const char* attribute) const {
        char value[4096];
        ssize_t n = lgetxattr(at(name).c_str(), attribute, value, sizeof value);
        return n < 0 ? "none" : std::string(value, static_cast<size_t>(n));
    }
    // The top's time, which changes with what is done in it.
    void touch() const {
        timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
        EXPECT_EQ(futimens(fd(), times), 0);
    }
    size_t entries() const {
        size_t count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path_))
            count += !entry.path().empty();
        return count;
    }

  private:
    std::string path_;
    Fd fd_;
};

inline Result<Unpacked> unpack_text(std::string archive, const Tree& tree, UnpackOptions options = {}) {
    return unpack_here(read_text(std::move(archive)), tree.fd(), options);
}

}  // namespace croft::archive
