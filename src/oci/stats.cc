#include "oci/stats.h"

#include <dirent.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/text.h"
#include "kernel/cgroup.h"

namespace croft::oci {

namespace {
using format::JsonWriter;

uint64_t number(int group, const char* file) { return kernel::cgroup_number(group, file).value_or(0); }
uint64_t value(int group, const char* file, std::string_view key) {
    return kernel::cgroup_value(group, file, key).value_or(0);
}

void write_cpu(JsonWriter& json, int group) {
    auto ns = [&](const char* key) { return value(group, "cpu.stat", key) * 1000; };
    json.key("cpu").begin_object().key("usage").begin_object();
    json.member("total", ns("usage_usec")).member("kernel", ns("system_usec")).member("user", ns("user_usec"));
    json.end_object().key("throttling").begin_object();
    json.member("periods", value(group, "cpu.stat", "nr_periods"));
    json.member("throttledPeriods", value(group, "cpu.stat", "nr_throttled"));
    json.member("throttledTime", ns("throttled_usec")).end_object().end_object();
}

void write_usage(JsonWriter& json, const char* key, uint64_t limit, uint64_t usage, uint64_t most, uint64_t failed) {
    json.key(key).begin_object().member("limit", limit).member("usage", usage).member("max", most);
    json.member("failcnt", failed).end_object();
}

void write_memory(JsonWriter& json, int group) {
    json.key("memory").begin_object().member("cache", value(group, "memory.stat", "file"));
    write_usage(json, "usage", number(group, "memory.max"), number(group, "memory.current"), number(group, "memory.peak"),
                value(group, "memory.events", "max"));
    write_usage(json, "swap", number(group, "memory.swap.max"), number(group, "memory.swap.current"),
                number(group, "memory.swap.peak"), value(group, "memory.swap.events", "max"));
    write_usage(json, "kernel", 0, value(group, "memory.stat", "kernel"), 0, 0);
    write_usage(json, "kernelTCP", 0, value(group, "memory.stat", "sock"), 0, 0);
    json.key("raw").begin_object();
    auto text = read_file_at(group, "memory.stat");
    for (const std::string& line : split(text ? *text : "", '\n')) {
        size_t blank = line.find(' ');
        if (blank == line.npos) continue;
        if (auto n = parse_uint(std::string_view(line).substr(blank + 1))) json.member(line.substr(0, blank), *n);
    }
    json.end_object().end_object();
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …" as one entry for each device and kind of operation.
void write_io(JsonWriter& json, int group, const char* key, const char* read_key, const char* write_key) {
    json.key(key).begin_array();
    auto text = read_file_at(group, "io.stat");
    for (const std::string& line : split(text ? *text : "", '\n')) {
        std::vector<std::string> words = split(line, ' ');
        size_t colon = words[0].find(':');
        auto major = parse_uint(words[0].substr(0, colon));
        auto minor = colon == std::string::npos ? std::nullopt : parse_uint(words[0].substr(colon + 1));
        if (!major || !minor) continue;
        for (const std::string& word : words) {
            std::string name = word.substr(0, word.find('='));
            const char* operation = name == read_key ? "Read" : name == write_key ? "Write" : nullptr;
            auto amount = operation ? parse_uint(std::string_view(word).substr(name.size() + 1)) : std::nullopt;
            if (!amount) continue;
            json.begin_object().member("major", *major).member("minor", *minor);
            json.member("op", operation).member("value", *amount).end_object();
        }
    }
    json.end_array();
}

void write_hugetlb(JsonWriter& json, int group) {
    json.key("hugetlb").begin_object();
    DIR* dir = fdopendir(dup(group));
    if (dir) rewinddir(dir);
    while (dirent* entry = dir ? readdir(dir) : nullptr) {
        std::string_view file = entry->d_name;
        if (!file.starts_with("hugetlb.") || !file.ends_with(".current") || file.find(".rsvd.") != file.npos) continue;
        std::string size(file.substr(8, file.size() - 16));
        json.key(size).begin_object().member("usage", number(group, cat("hugetlb.", size, ".current").c_str()));
        json.member("failcnt", value(group, cat("hugetlb.", size, ".events").c_str(), "max")).end_object();
    }
    if (dir) closedir(dir);
    json.end_object();
}
}  // namespace

void write_stats(JsonWriter& json, int group) {
    json.begin_object();
    write_cpu(json, group);
    write_memory(json, group);
    json.key("pids").begin_object().member("current", number(group, "pids.current"));
    uint64_t most = number(group, "pids.max");
    json.member("limit", most == UINT64_MAX ? 0 : most).end_object();
    json.key("blkio").begin_object();
    write_io(json, group, "ioServiceBytesRecursive", "rbytes", "wbytes");
    write_io(json, group, "ioServicedRecursive", "rios", "wios");
    json.end_object();
    write_hugetlb(json, group);
    json.key("intel_rdt").begin_object().end_object().end_object();
}

}  // namespace croft::oci
