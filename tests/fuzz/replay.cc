// Feeds each file of the directories named on the command line to a fuzz target once: libFuzzer's main
// function for builds without libFuzzer.
#include <cstdint>
#include <cstdio>

#include "base/fd.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#include <dirent.h>

int main(int count, char** arguments) {
    int inputs = 0;
    for (int i = 1; i < count; ++i) {
        DIR* directory = opendir(arguments[i]);
        if (!directory) {
            fprintf(stderr, "%s: no such directory\n", arguments[i]);
            return 1;
        }
        while (const dirent* entry = readdir(directory)) {
            if (entry->d_name[0] == '.') continue;
            auto text = croft::read_file_at(dirfd(directory), entry->d_name);
            if (!text) {
                fprintf(stderr, "%s\n", text.error().text.c_str());
                return 1;
            }
            LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text->data()), text->size());
            ++inputs;
        }
        closedir(directory);
    }
    printf("%d inputs replayed\n", inputs);
    // An empty corpus would be a test that asserts nothing.
    return inputs > 0 ? 0 : 1;
}
