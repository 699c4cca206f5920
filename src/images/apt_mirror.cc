// The mirror that this host's apt uses, from /etc/apt: sources.list(5) in both of its formats.
#include <dirent.h>

#include <algorithm>

#include "base/fd.h"
#include "base/scope.h"
#include "base/text.h"
#include "images/bootstrap.h"

namespace croft::images {
namespace {

struct Entry {
    std::string url;
    std::vector<std::string> suites;
};

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> out;
    std::string spaced(text);
    std::ranges::replace(spaced, '\t', ' ');
    for (std::string& word : split(spaced, ' '))
        if (!word.empty()) out.push_back(std::move(word));
    return out;
}

// "deb [option=value …] URL SUITE COMPONENT…"
void read_line(std::string_view line, std::vector<Entry>& out) {
    if (size_t hash = line.find('#'); hash != line.npos) line = line.substr(0, hash);
    if (size_t open = line.find('['), close = line.find(']'); open != line.npos && close != line.npos && close > open)
        return read_line(cat(line.substr(0, open), line.substr(close + 1)), out);
    std::vector<std::string> words = words_of(line);
    if (words.size() >= 3 && words[0] == "deb") out.push_back({words[1], {words[2]}});
}

// One paragraph of a .sources file: "Key: value", a line that begins with a blank goes on with the one before.
void read_paragraph(const std::vector<std::string>& lines, std::vector<Entry>& out) {
    std::string key, types, urls, suites;
    bool enabled = true;
    for (const std::string& line : lines) {
        std::string_view value = line;
        if (line[0] != ' ' && line[0] != '\t') {
            size_t colon = line.find(':');
            if (colon == line.npos) continue;
            key = lower(line.substr(0, colon));
            value.remove_prefix(colon + 1);
        }
        if (key == "enabled") enabled = parse_bool(trim(value)).value_or(true);
        for (auto [name, text] : {std::pair("types", &types), std::pair("uris", &urls), std::pair("suites", &suites)})
            if (key == name) *text += cat(" ", value);
    }
    std::vector<std::string> kinds = words_of(types);
    if (!enabled || std::ranges::find(kinds, "deb") == kinds.end()) return;
    for (std::string& url : words_of(urls)) out.push_back({std::move(url), words_of(suites)});
}

void read_file(const std::string& path, std::vector<Entry>& out) {
    auto text = read_file_at(AT_FDCWD, path.c_str());
    if (!text) return;
    std::vector<std::string> paragraph;
    for (std::string& line : split(*text + "\n\n", '\n')) {
        if (path.ends_with(".list")) {
            read_line(line, out);
        } else if (trim(line).empty()) {
            read_paragraph(paragraph, out);
            paragraph.clear();
        } else if (line[0] != '#') {
            paragraph.push_back(std::move(line));
        }
    }
}

std::vector<Entry> entries(const std::string& etc) {
    std::vector<Entry> out;
    read_file(etc + "/apt/sources.list", out);
    std::vector<std::string> names;
    std::string directory = etc + "/apt/sources.list.d";
    if (DIR* stream = opendir(directory.c_str())) {
        OnExit close_stream([&] { closedir(stream); });
        while (dirent* entry = readdir(stream)) names.emplace_back(entry->d_name);
    }
    std::ranges::sort(names);
    for (const std::string& name : names)
        if (name.ends_with(".list") || name.ends_with(".sources")) read_file(cat(directory, "/", name), out);
    return out;
}

// The archive of a distribution lies in a directory of its name on every mirror, and its updates in others.
bool is_archive_of(std::string_view url, std::string_view distribution) {
    while (url.ends_with('/')) url.remove_suffix(1);
    return url.ends_with(cat("/", distribution));
}

}  // namespace

Result<std::string> apt_mirror(const std::string& etc, std::string_view distribution, std::string_view release) {
    std::vector<Entry> all = entries(etc);
    for (const Entry& entry : all)
        if (is_archive_of(entry.url, distribution) && std::ranges::find(entry.suites, release) != entry.suites.end()) return entry.url;
    for (const Entry& entry : all)
        if (is_archive_of(entry.url, distribution)) return entry.url;
    return error(Errc::not_found, cat("this host's apt knows no mirror of ", distribution, "; say one with --mirror=URL"));
}

}  // namespace croft::images
