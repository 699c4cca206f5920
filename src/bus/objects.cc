#include "bus/objects.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace croft::bus {

int give_paths(const char* prefix, const std::vector<std::string>& names, char*** nodes) {
    char** list = static_cast<char**>(calloc(names.size() + 1, sizeof(char*)));
    if (!list) return -ENOMEM;
    for (size_t i = 0; i < names.size(); ++i) list[i] = strdup(path_of(prefix, names[i]).c_str());
    *nodes = list;
    return 1;
}

}  // namespace croft::bus
