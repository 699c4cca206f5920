#include "image/config.h"

#include <algorithm>

#include "base/text.h"
#include "format/json_writer.h"
#include "image/manifest.h"
#include "image/read.h"

namespace croft::image {

namespace {
// {"80/tcp": {}, …}: only the names count.
template <auto Member>
Result<> names_row(Json json, ImageProcess& out, JsonNotes&) {
    for (Json member : TRY(json_map(json))) (out.*Member).emplace_back(member.key());
    std::ranges::sort(out.*Member);
    return {};
}

template <auto Member>
Result<> duration_row(Json json, HealthCheck& out, JsonNotes&) {
    out.*Member = TRY(json_number(json, INT64_MAX));
    return {};
}

constexpr JsonRow<HealthCheck> health_rows[] = {
    {"Test", json_texts_row<&HealthCheck::test>}, {"Interval", duration_row<&HealthCheck::interval>},
    {"Timeout", duration_row<&HealthCheck::timeout>},     {"StartPeriod", duration_row<&HealthCheck::start_period>},
    {"StartInterval", duration_row<&HealthCheck::start_interval>}, {"Retries", duration_row<&HealthCheck::retries>}};

constexpr JsonRow<ImageProcess> process_rows[] = {
    {"Entrypoint", json_texts_row<&ImageProcess::entrypoint>},
    {"Cmd", json_texts_row<&ImageProcess::command>},
    {"Env", json_texts_row<&ImageProcess::environment>},
    {"User", json_text_row<&ImageProcess::user>},
    {"WorkingDir", json_text_row<&ImageProcess::working_directory>},
    {"StopSignal", json_text_row<&ImageProcess::stop_signal>},
    {"Volumes", names_row<&ImageProcess::volumes>},
    {"ExposedPorts", names_row<&ImageProcess::exposed_ports>},
    {"Labels", annotations_row<&ImageProcess::labels>},
    {"Shell", json_texts_row<&ImageProcess::shell>},
    {"OnBuild", json_texts_row<&ImageProcess::on_build>},
    {"Healthcheck",
     [](Json json, ImageProcess& out, JsonNotes& notes) -> Result<> {
         return json_members(json, health_rows, out.health.emplace(), notes);
     }},
    {"ArgsEscaped",
     [](Json json, ImageProcess& out, JsonNotes&) -> Result<> {
         out.args_escaped = TRY(json_bool(json));
         return {};
     }},
};

constexpr JsonRow<History> history_rows[] = {
    {"created", json_text_row<&History::created>},
    {"created_by", json_text_row<&History::created_by>},
    {"author", json_text_row<&History::author>},
    {"comment", json_text_row<&History::comment>},
    {"empty_layer",
     [](Json json, History& out, JsonNotes&) -> Result<> {
         out.empty_layer = TRY(json_bool(json));
         return {};
     }},
};

template <auto Member>
Result<> platform_row(Json json, Config& out, JsonNotes&) {
    out.platform.*Member = TRY(json_text(json));
    return {};
}

Result<> rootfs_row(Json json, Config& out, JsonNotes&) {
    auto ids = json_member(TRY(json_object(json)), "diff_ids");
    if (!ids) return {};
    for (Json id : TRY(json_array(*ids))) {
        if (out.diff_ids.size() == most_layers) return json_error(*ids, cat("has more than ", most_layers, " items"));
        out.diff_ids.push_back(TRY(read_digest(id)));
    }
    return {};
}

constexpr JsonRow<Config> config_rows[] = {
    {"created", json_text_row<&Config::created>},
    {"author", json_text_row<&Config::author>},
    {"os", platform_row<&Platform::os>},
    {"architecture", platform_row<&Platform::architecture>},
    {"variant", platform_row<&Platform::variant>},
    {"os.version", platform_row<&Platform::os_version>},
    {"os.features",
     [](Json json, Config& out, JsonNotes&) -> Result<> {
         out.platform.os_features = TRY(json_texts(json));
         return {};
     }},
    {"config",
     [](Json json, Config& out, JsonNotes& notes) -> Result<> { return json_members(json, process_rows, out.process, notes); }},
    {"rootfs", rootfs_row, Presence::required},
    {"history",
     [](Json json, Config& out, JsonNotes& notes) -> Result<> { return json_list(json, history_rows, out.history, notes); }},
};

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
    if (list.empty()) return;
    json.key(key).begin_array();
    for (const std::string& one : list) json.value(one);
    json.end_array();
}

void write_names(JsonWriter& json, std::string_view key, const std::vector<std::string>& names) {
    if (names.empty()) return;
    json.key(key).begin_object();
    for (const std::string& name : names) json.key(name).begin_object().end_object();
    json.end_object();
}

void write_text(JsonWriter& json, std::string_view key, const std::string& text) {
    if (!text.empty()) json.member(key, text);
}

void write_health(JsonWriter& json, const HealthCheck& health) {
    json.key("Healthcheck").begin_object();
    write_texts(json, "Test", health.test);
    struct Number {
        const char* key;
        uint64_t value;
    };
    for (const Number& one : {Number{"Interval", health.interval}, Number{"Timeout", health.timeout},
                              Number{"StartPeriod", health.start_period}, Number{"StartInterval", health.start_interval},
                              Number{"Retries", health.retries}})
        if (one.value) json.member(one.key, one.value);
    json.end_object();
}

void write_process(JsonWriter& json, const ImageProcess& process) {
    json.key("config").begin_object();
    write_text(json, "User", process.user);
    write_names(json, "ExposedPorts", process.exposed_ports);
    write_texts(json, "Env", process.environment);
    write_texts(json, "Entrypoint", process.entrypoint);
    write_texts(json, "Cmd", process.command);
    if (process.health) write_health(json, *process.health);
    if (process.args_escaped) json.member("ArgsEscaped", true);
    write_names(json, "Volumes", process.volumes);
    write_text(json, "WorkingDir", process.working_directory);
    if (!process.labels.empty()) {
        json.key("Labels").begin_object();
        for (const auto& [name, value] : process.labels) json.member(name, value);
        json.end_object();
    }
    write_text(json, "StopSignal", process.stop_signal);
    write_texts(json, "Shell", process.shell);
    write_texts(json, "OnBuild", process.on_build);
    json.end_object();
}

void write_history(JsonWriter& json, const std::vector<History>& history) {
    if (history.empty()) return;
    json.key("history").begin_array();
    for (const History& one : history) {
        json.begin_object();
        write_text(json, "created", one.created);
        write_text(json, "created_by", one.created_by);
        write_text(json, "author", one.author);
        write_text(json, "comment", one.comment);
        if (one.empty_layer) json.member("empty_layer", true);
        json.end_object();
    }
    json.end_array();
}
}  // namespace

Result<Config> parse_config(std::string_view bytes) {
    if (bytes.size() > largest_config)
        return error(Errc::invalid, cat("the image's configuration has more than ", human_size(largest_config)));
    auto read = [&]() -> Result<Config> {
        JsonDocument document = TRY(json_parse(bytes));
        Config out;
        JsonNotes notes{.unknown = JsonNotes::Unknown::warn};
        TRY(json_members(document.root(), config_rows, out, notes));
        return out;
    };
    return read().within("the image's configuration");
}

std::string config_json(const Config& config) {
    JsonWriter json(JsonStyle::compact);
    json.begin_object();
    write_text(json, "created", config.created);
    write_text(json, "author", config.author);
    json.member("architecture", config.platform.architecture).member("os", config.platform.os);
    write_text(json, "os.version", config.platform.os_version);
    write_texts(json, "os.features", config.platform.os_features);
    write_text(json, "variant", config.platform.variant);
    write_process(json, config.process);
    json.key("rootfs").begin_object().member("type", "layers");
    json.key("diff_ids").begin_array();
    for (const Digest& id : config.diff_ids) json.value(id.text());
    json.end_array().end_object();
    write_history(json, config.history);
    json.end_object();
    return json.take();
}

}  // namespace croft::image
