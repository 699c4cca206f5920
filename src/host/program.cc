// check_program: can the kernel execute this file of the tree?
#include <dirent.h>
#include <elf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/text.h"
#include "host/tree.h"

namespace croft::host {
namespace {

struct Architecture {
    uint16_t machine;    // e_machine
    const char* name;    // as uname -m says it
    const char* native;  // further hosts that execute it without help
};
constexpr Architecture architectures[] = {
    {EM_X86_64, "x86_64", ""},     {EM_386, "i686", "x86_64"}, {EM_AARCH64, "aarch64", ""},
    {EM_ARM, "armv7l", "aarch64"}, {EM_RISCV, "riscv64", ""},  {EM_PPC64, "ppc64le", ""},
    {EM_PPC, "ppc", "ppc64"},      {EM_S390, "s390x", ""},     {258 /* LoongArch */, "loongarch64", ""},
    {EM_MIPS, "mips", "mips64"},
};

bool runs_on(const Architecture& made_for, std::string_view host) {
    if (host == made_for.name || host == made_for.native) return true;
    // 32-bit hosts name themselves in many ways (i386 … i686, armv6l, armv8l, ppc64 of either byte order).
    if (made_for.machine == EM_386) return host.size() == 4 && host[0] == 'i' && host.ends_with("86");
    if (made_for.machine == EM_ARM) return host.starts_with("arm");
    if (made_for.machine == EM_PPC64) return host.starts_with("ppc64");
    return made_for.machine == EM_MIPS && host.starts_with("mips");
}

// Is a foreign-architecture handler registered? Which one fits is the kernel's to decide; that there is one
// is enough not to refuse.
bool has_binfmt_handler() {
    DIR* dir = opendir("/proc/sys/fs/binfmt_misc");
    if (!dir) return false;
    bool found = false;
    while (dirent* entry = readdir(dir))
        found = found || std::string_view(entry->d_name).starts_with("qemu-");
    closedir(dir);
    return found;
}

Result<> check_elf(std::string_view head, const std::string& path, const std::string& host) {
    if (head.size() < 20 || head.substr(0, SELFMAG) != ELFMAG) return {};
    bool big = head[EI_DATA] == ELFDATA2MSB;
    auto low = static_cast<unsigned char>(head[big ? 19 : 18]),
         high = static_cast<unsigned char>(head[big ? 18 : 19]);
    uint16_t machine = static_cast<uint16_t>(high << 8 | low);
    const Architecture* found = nullptr;
    for (const Architecture& row : architectures)
        if (row.machine == machine) found = &row;
    if (found && runs_on(*found, host)) return {};
    if (has_binfmt_handler()) return {};
    return error(Errc::not_executable,
                 cat("'", path, "' in the tree is made for ", found ? found->name : "another architecture",
                     ", and this host is ", host, ": use a tree for ", host,
                     ", or install an emulator (Debian: qemu-user-static) and try again"));
}

}  // namespace

Result<> check_program(int root, const std::string& path, const spec::HostFacts& facts,
                       MustExist must_exist) {
    auto file = open_in_root(root, path.c_str(), O_PATH);
    if (!file) {
        if (must_exist == MustExist::no) return {};
        return error(Errc::no_command, cat("there is no '", path, "' in the tree"));
    }
    struct stat st = {};
    if (fstat(file->get(), &st) < 0) return os_error(errno, cat("looking at '", path, "' in the tree"));
    if (S_ISDIR(st.st_mode))
        return error(Errc::not_executable, cat("'", path, "' in the tree is a directory"));
    if (!S_ISREG(st.st_mode))
        return error(Errc::not_executable, cat("'", path, "' in the tree is no regular file"));
    if (!(st.st_mode & 0111))
        return error(
            Errc::not_executable,
            cat("'", path, "' in the tree has no execute permission; chmod +x it if it is a program"));
    // The O_PATH file is known to be a regular one, so opening it again has no side effect.
    auto readable = open_at(AT_FDCWD, cat("/proc/self/fd/", file->get()).c_str(), O_RDONLY);
    if (!readable) return {};  // execute permission only: exec decides
    char head[20];
    ssize_t n = pread(readable->get(), head, sizeof head, 0);
    return check_elf({head, n > 0 ? static_cast<size_t>(n) : 0}, path, facts.machine_arch);
}

}  // namespace croft::host
