// What verbs write on standard output: whole texts, tables, JSON. Messages for people go through base/log.h.
//
// Nothing here buffers for longer than one call, so a verb that streams shows what it has. Colour and
// progress are for terminals only: in a pipe the same bytes come out on every host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace croft::cli {

// Writes all of `text` to standard output. A reader that has gone (`croft list | head -1`) is no error of
// ours: the program then ends quietly, as other tools do.
Result<> print(std::string_view text);

bool is_terminal(int fd);
// Columns of the terminal on standard output; 80 where there is none.
unsigned terminal_columns();

// Rows under headings, each column as wide as its widest cell, two spaces between, nothing after the last.
class Table {
  public:
    explicit Table(std::vector<std::string> headings);
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.size() == 1; }
    // `headings` is no for scripts that read the lines (--no-legend).
    enum class Headings { no, yes };
    std::string text(Headings headings = Headings::yes) const;

  private:
    std::vector<std::vector<std::string>> rows_;  // the headings are the first
};

// Columns of a text: characters, not bytes.
size_t width(std::string_view text);
// Breaks prose into lines of at most `columns`, each after the first `indent` spaces deep.
std::string wrapped(std::string_view prose, unsigned columns, unsigned indent);

// One changing line on a terminal ("starting…"), and what a job of croftd's is at; silent elsewhere. Wiped when it goes.
class Progress {
  public:
    Progress();
    ~Progress() { clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    void show(std::string_view text);
    void clear();

  private:
    bool live_ = false;  // standard error is a terminal
    const char* job_ = nullptr;  // directory of the job that this is
    bool shown_ = false;
};

}  // namespace croft::cli
