#include "oci/command_line.h"

#include <cstdio>

namespace croft::oci {

int run_command_line(int, char**) {
    std::fputs("croft-oci: this build has no verbs yet\n", stderr);
    return 1;
}

}  // namespace croft::oci
