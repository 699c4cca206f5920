// croft-images: the same command line, with what moves, packs and keeps images. croft executes it in place of itself for
// verbs about images (cli/command_line.cc), so that nothing else pays for curl, compression and cryptography.
#include "cli/verbs.h"
#include "images/functions.h"

int main(int argc, char** argv) {
    croft::cli::set_image_functions(croft::images::functions());
    return croft::cli::run_command_line(argc, argv);
}
