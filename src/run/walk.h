// Walking to the place where something is made, heap-free and without leaving the tree.
#pragma once

#include <cstddef>

#include "kernel/raw.h"

namespace croft::run {

// Text of a bounded length; `cut` says that something did not fit.
template <size_t Size>
struct Path {
    char text[Size] = {};
    size_t used = 0;
    bool cut = false;
    Path& add(const char* piece) {
        for (; *piece; ++piece) add_char(*piece);
        return *this;
    }
    Path& add(const char* piece, size_t size) {
        for (size_t i = 0; i < size; ++i) add_char(piece[i]);
        return *this;
    }
    Path& add(long number) {
        char digits[24];
        char* at = digits + sizeof digits;
        *--at = 0;
        for (unsigned long rest = number < 0 ? 0 : static_cast<unsigned long>(number);;) {
            *--at = static_cast<char>('0' + rest % 10);
            if (!(rest /= 10)) break;
        }
        return add(at);
    }

  private:
    void add_char(char c) {
        if (used + 1 >= Size) {
            cut = true;
            return;
        }
        text[used++] = c;
        text[used] = 0;
    }
};

// The directory that a path's last component is in, and that component: everything before it is walked inside
// `root`; the last one is left to a call that does not follow links. A name alone is in `root` itself:
// nothing is walked.
struct Leaf {
    Leaf(long root, const char* path, uint64_t resolve = 0) {
        size_t size = 0, slash = 0;
        while (path[size]) ++size;
        while (size > 1 && path[size - 1] == '/') --size;
        for (size_t i = 0; i < size; ++i)
            if (path[i] == '/') slash = i + 1;
        Path<4096> parent;
        parent.add(path, slash);
        last.add(path + slash, size - slash);
        name = last.text;
        if (parent.cut || last.cut)
            directory = -ENAMETOOLONG;
        else if (!last.used || same(name, ".") || same(name, ".."))
            directory = -EINVAL;
        else if (!slash)
            directory = root;
        else
            directory = opened =
                kernel::raw_open_in_root(root, parent.text, O_PATH | O_DIRECTORY, 0, resolve);
    }
    Leaf(const Leaf&) = delete;
    Leaf& operator=(const Leaf&) = delete;
    ~Leaf() { kernel::raw_close(opened); }
    static bool same(const char* a, const char* b) {
        while (*a && *a == *b) ++a, ++b;
        return *a == *b;
    }
    // AT_FDCWD is negative, too.
    bool failed() const { return directory < 0 && directory != AT_FDCWD; }
    long directory = -1;  // or -errno
    const char* name = nullptr;

  private:
    long opened = -1;
    Path<256> last;
};

// Makes a mount point with all that its path leads through (directories 0755), also through symlinks that lead to
// nothing yet, which are walked inside `root`: an O_PATH descriptor of it, or -errno. What is there already is used as
// it is. With RESOLVE_NO_SYMLINKS any symlink is refused (-ELOOP). What is made is given to these ids; 0 leaves it.
long make_mount_point(long root, const char* path, bool directory, uint64_t resolve, uint32_t uid = 0, uint32_t gid = 0);

}  // namespace croft::run
