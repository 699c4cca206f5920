// croft: the command line. Static, small and without constructors of its own, because every start pays for
// it.
#include "cli/verbs.h"

int main(int argc, char** argv) {
    return croft::cli::run_command_line(argc, argv);
}
