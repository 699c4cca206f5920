// croft-oci: the launcher behind the command line of an OCI runtime. Static, because engines start it for every verb.
#include "oci/command_line.h"

int main(int argc, char** argv) {
    return croft::oci::run_command_line(argc, argv);
}
