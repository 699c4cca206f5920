// Looking for mistakes in what declares machines: all of them, not only the first. Called by cli/ (`croft
// verify`).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manager/paths.h"

namespace croft::manager {

struct Verdict {
    std::string name;                   // of the machine; of a stray file, its path
    std::vector<std::string> mistakes;  // each with file and line where it has one: it could not be started
    std::vector<std::string> warnings;
};
// The same taken apart, for programs.
struct FileFinding {
    std::string file;  // empty: it is about no file
    uint64_t line = 0;  // 0: about all of it
    bool mistake = false;
    std::string sentence;
};
std::vector<FileFinding> findings(const Verdict& verdict);
// A machine by its name, or the file of one by its path (a word with a slash, or that ends with .machine).
Result<Verdict> verify(const Paths& paths, const std::string& word);
// Every declared machine, and files among them that do nothing because of their names.
Result<std::vector<Verdict>> verify_all(const Paths& paths);

}  // namespace croft::manager
