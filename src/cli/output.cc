#include "cli/output.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"

namespace croft::cli {

Result<> print(std::string_view text) {
    Result<> written = write_all(STDOUT_FILENO, text);
    if (!written && written.error().err == EPIPE) _exit(141);  // as if SIGPIPE had not been ignored
    return std::move(written).within("standard output");
}

bool is_terminal(int fd) {
    return isatty(fd) == 1;
}

unsigned terminal_columns() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
    return size.ws_col;
}

// Every byte of UTF-8 but the continuations counts.
size_t width(std::string_view text) {
    size_t columns = 0;
    for (char c : text)
        if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++columns;
    return columns;
}

namespace {
// Table cells come from trees and users: a control character must not move a terminal's cursor.
std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return out;
}
}  // namespace

Table::Table(std::vector<std::string> headings) {
    rows_.push_back(std::move(headings));
}

void Table::add(std::vector<std::string> cells) {
    for (std::string& cell : cells) cell = cell.empty() ? "-" : printable(cell);
    rows_.push_back(std::move(cells));
}

std::string Table::text(Headings headings) const {
    size_t first = headings == Headings::yes ? 0 : 1;
    std::vector<size_t> widths(rows_[0].size());
    for (size_t r = first; r < rows_.size(); ++r)
        for (size_t c = 0; c < rows_[r].size(); ++c) widths[c] = std::max(widths[c], width(rows_[r][c]));
    std::string out;
    for (size_t r = first; r < rows_.size(); ++r) {
        for (size_t c = 0; c < rows_[r].size(); ++c) {
            out += rows_[r][c];
            if (c + 1 < rows_[r].size()) out.append(widths[c] - width(rows_[r][c]) + 2, ' ');
        }
        out += '\n';
    }
    return out;
}

std::string wrapped(std::string_view prose, unsigned columns, unsigned indent) {
    std::string out;
    size_t used = indent;
    for (const std::string& word : split(prose, ' ')) {
        if (word.empty()) continue;
        if (!out.empty() && used + 1 + width(word) > columns) {
            out += '\n';
            out.append(indent, ' ');
            used = indent;
        } else if (!out.empty()) {
            out += ' ';
            ++used;
        }
        out += word;
        used += width(word);
    }
    return out;
}

Progress::Progress() : live_(is_terminal(STDERR_FILENO)), job_(getenv("CROFT_JOB")) {}

namespace {
// croftd shows it as the job's property Progress.
void tell_job(const char* directory, std::string_view text) {
    Fd place(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (place) (void)replace_file_at(place.get(), "progress", text, 0600);
}
}  // namespace

void Progress::show(std::string_view text) {
    if (job_) tell_job(job_, text.starts_with("croft: ") ? text.substr(7) : text);
    shown_ = live_ || job_;
    if (!live_) return;
    [[maybe_unused]] Result<> ignored = write_all(STDERR_FILENO, cat("\r\x1b[K", text));
}

void Progress::clear() {
    if (!shown_) return;
    shown_ = false;
    if (job_) tell_job(job_, "");
    if (!live_) return;
    [[maybe_unused]] Result<> ignored = write_all(STDERR_FILENO, "\r\x1b[K");
}

}  // namespace croft::cli
