#include "images/template.h"

#include "base/text.h"
#include "format/json_read.h"
#include "format/json_writer.h"

namespace croft::images {

namespace {
using format::Json;
using format::JsonKind;

void write(format::JsonWriter& out, Json value) {
    if (value.kind() == JsonKind::object || value.kind() == JsonKind::array) {
        bool object = value.kind() == JsonKind::object;
        object ? out.begin_object() : out.begin_array();
        for (Json item : value) {
            if (object) out.key(item.key());
            write(out, item);
        }
        object ? out.end_object() : out.end_array();
    } else if (value.kind() == JsonKind::string) {
        out.value(value.text());
    } else {
        out.raw(value.text());
    }
}

std::string as_json(Json value) {
    format::JsonWriter out(format::JsonStyle::compact);
    write(out, value);
    return out.take();
}

// As Go prints them: [a b], map[k:v].
std::string as_text(Json value) {
    if (value.kind() != JsonKind::object && value.kind() != JsonKind::array) return std::string(value.text());
    bool object = value.kind() == JsonKind::object;
    std::string out = object ? "map[" : "[";
    bool first = true;
    for (Json item : value) {
        out += cat(first ? "" : " ", object ? cat(item.key(), ":") : "", as_text(item));
        first = false;
    }
    return out + "]";
}

Result<Json> find(Json value, std::string_view path) {
    if (path == ".") return value;
    for (const std::string& name : split(path.substr(1), '.')) {
        auto member = value.kind() == JsonKind::object ? value.member(name) : std::nullopt;
        if (!member) {
            std::string there;
            if (value.kind() == JsonKind::object)
                for (Json one : value) there += cat(there.empty() ? "" : ", ", ".", one.key());
            return error(Errc::invalid, cat("--format: there is no ", quoted(path), there.empty() ? "" : cat("; there is ", there)));
        }
        value = *member;
    }
    return value;
}

Result<std::string> action(std::string_view text, Json value) {
    text = trim(text);
    bool json = text.starts_with("json ");
    if (json) text = trim(text.substr(5));
    if (!text.starts_with('.') || text.find_first_of(" |()\"") != text.npos)
        return error(Errc::unsupported, cat("--format: ", quoted(text), " is not understood; {{.NAME}} and {{json .NAME}} are, for anything more take jq"));
    Json found = TRY(find(value, text));
    return json ? as_json(found) : as_text(found);
}
}  // namespace

Result<std::string> fill_template(std::string_view text, Json value) {
    std::string out;
    while (!text.empty()) {
        if (text.starts_with("{{")) {
            size_t end = text.find("}}");
            if (end == text.npos) return error(Errc::invalid, cat("--format: ", quoted(text), " has no end (}})"));
            out += TRY(action(text.substr(2, end - 2), value));
            text.remove_prefix(end + 2);
        } else if (text.starts_with("\\n") || text.starts_with("\\t")) {
            out += text[1] == 'n' ? '\n' : '\t';
            text.remove_prefix(2);
        } else {
            out += text[0];
            text.remove_prefix(1);
        }
    }
    return out + "\n";
}

}  // namespace croft::images
