// A throwaway tree for tests of what is read from trees.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/text.h"

namespace croft::host {

class TreeTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/croft-tree-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        top_ = name;
        chmod(name, 0755);
        root_ = Fd(open(name, O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override {
        std::string command = cat("rm -rf '", top_, "'");
        ASSERT_EQ(system(command.c_str()), 0);
    }

    void directory(const std::string& path) { ASSERT_TRUE(make_dirs_at(AT_FDCWD, top_ + "/" + path)); }
    void file(const std::string& path, std::string_view content, mode_t mode = 0644) {
        if (path.find('/') != path.npos) directory(path.substr(0, path.rfind('/')));
        Fd fd(open((top_ + "/" + path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
        ASSERT_TRUE(fd);
        ASSERT_TRUE(write_all(fd.get(), content));
        fchmod(fd.get(), mode);
    }
    void link(const std::string& path, const char* target) {
        if (path.find('/') != path.npos) directory(path.substr(0, path.rfind('/')));
        ASSERT_EQ(symlink(target, (top_ + "/" + path).c_str()), 0);
    }

    std::string top_;
    Fd root_;
};

}  // namespace croft::host
