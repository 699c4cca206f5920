// Completion scripts for the shells people use, made from the verb table and the field table. completions/
// holds what these print; a test compares.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace croft::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

// What may stand first, in the table's order: verbs, and nouns once each.
std::vector<std::string> first_words();
std::vector<std::string> nouns();
// What may stand behind a noun.
std::vector<std::string> words_of_noun(std::string_view noun);

// What completion can offer for a value ("yes|no|pick", "path", "signal" …).
enum class ValueKind { none, words, file, directory, user, signal, machine };
ValueKind value_kind(std::string_view values);
// The words of "yes|no|pick", separated by blanks; without the ones that stand for something
// ("BASE[:COUNT]").
std::string value_words(std::string_view values);

}  // namespace croft::cli
