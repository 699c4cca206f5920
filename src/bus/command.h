// What a caller on the bus asks for, as a command line that a job will run: verb, words, and whom they are
// about. Pure: no bus, no file. Called by bus/request.cc, and by the tests.
//
// The security argument: the words are taken apart by the very tables that the job's croft will use, and
// written anew, one word for an option with its value, "--", the operands; so what was judged is what is run.
// Names of machines are checked here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/access.h"
#include "cli/verbs.h"

namespace croft::bus {

struct Command {
    const cli::Verb* verb = nullptr;
    cli::Access access = cli::Access::local;
    std::vector<std::string> words;     // the verb first
    std::vector<std::string> machines;  // names that it is about; "*": all
    std::vector<std::string> images;    // the same of images (image_words.h)
    std::string source;                 // where an image comes from: a reference, "-"; empty: from no place
    // Words that mean an image which is there: words[word] is images[image].
    struct Lookup {
        size_t word, image;
    };
    std::vector<Lookup> lookups;
    std::string user;                   // whom a login is for; empty: not said
    // Its name when there is one only.
    std::string machine() const { return machines.size() == 1 && machines[0] != "*" ? machines[0] : ""; }
    std::string image() const { return images.size() == 1 && images[0] != "*" ? images[0] : ""; }
};

Result<Command> make_command(std::string_view verb, std::span<const std::string> words);

// `list` gets names in place of its patterns: those that the caller may see and the patterns mean. Without
// any it gets a pattern that is no machine's name.
void narrow_list(Command& command, const std::vector<std::string>& visible);

// How a job's exit status is told as an error: null when croft itself has not failed.
const ErrcRow* failure_of(const cli::Verb& verb, int status);
// The sentence in what a command wrote to standard error: its last message, without "croft: ".
std::string sentence_of(std::string_view standard_error);

// A value that a terminal's kind may have ("xterm-256color"), an absolute path without "..": what else comes
// from callers.
bool is_terminal_kind(std::string_view text);
bool is_directory_word(std::string_view text);

}  // namespace croft::bus
