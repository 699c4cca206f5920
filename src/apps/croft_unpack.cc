// croft-unpack: unpacks one archive in a sandbox of its own. Run by archive/unpack.cc only.
#include "archive/unpack_main.h"

int main(int count, char** arguments) {
    return croft::archive::unpack_main(count, arguments);
}
