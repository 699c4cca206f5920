#include "cli/remote.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "cli/access.h"
#include "manager/paths.h"

namespace croft::cli {

namespace {
bool asked = false;
OverBus way = nullptr;
}  // namespace

void ask_for_system() {
    asked = true;
}

void set_over_bus(OverBus new_way) {
    way = new_way;
}

bool knows_bus() {
    return way;
}

bool goes_over_bus(const Verb& verb) {
    if (geteuid() == 0) return false;
    const char* scope = getenv("CROFT_SCOPE");
    if (!asked && (!scope || std::string_view(scope) != "system")) return false;
    const AccessRow* row = access_of(verb.name);
    return row && row->access != Access::local;
}

Result<int> run_over_bus(const Verb& verb, std::span<char* const> arguments, std::span<char* const> all) {
    if (way) return way(verb, arguments);
    std::string program = TRY(manager::find_paths()).helpers + "/croft-systemd";
    std::vector<char*> words(all.begin(), all.end());
    words.push_back(nullptr);
    execv(program.c_str(), words.data());
    if (errno == ENOENT)
        return error(Errc::unsupported,
                     cat("the system's machines are reached through ", quoted(program),
                         ", which is not installed; run croft as root, or leave out --system"));
    return os_error(errno, cat("executing ", quoted(program)));
}

}  // namespace croft::cli
