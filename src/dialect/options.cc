#include "dialect/options.h"

#include <algorithm>

#include "base/text.h"

namespace croft::dialect {

namespace {
using spec::Field;
using spec::HostPath;
using spec::Offered;
using std::string_view;

// One option as both tables have it.
struct Known {
    const Field* field = nullptr;
    const ExtraOption* extra = nullptr;
    string_view argument() const { return field ? field->argument : extra->argument; }
    bool takes_none() const { return argument().empty(); }
    // "[MODE]"; "[~]CALL,…" only starts like that.
    bool optional() const {
        return argument().starts_with('[') && argument().find(']') == argument().size() - 1;
    }
    explicit operator bool() const { return field || extra; }
};

Error usage(std::string text) {
    return error(Errc::usage, std::move(text));
}

// "x" below `directory`; what is absolute, empty, of the tree ("+/x") or a word ("off", "none") stays.
std::string absolute(string_view path, string_view directory) {
    if (path.empty() || path[0] == '/' || path[0] == '+' || directory.empty()) return std::string(path);
    if (path == "." || path == "~") return path == "." ? std::string(directory) : std::string(path);
    return cat(directory, directory.ends_with('/') ? "" : "/",
               path.starts_with("./") ? path.substr(2) : path);
}

// Makes the parts of a ':' list absolute that are paths of the host; "\:" is part of a path.
std::string absolute_parts(string_view value, string_view directory, HostPath which) {
    std::vector<std::string> parts(1);
    for (size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\\' && i + 1 < value.size()) {
            parts.back() += value[i++];
            parts.back() += value[i];
        } else if (value[i] == ':' && (which != HostPath::second || parts.size() == 1)) {
            parts.emplace_back();
        } else {
            parts.back() += value[i];
        }
    }
    for (size_t i = 0; i < parts.size(); ++i) {
        bool last = i + 1 == parts.size();
        bool host = which == HostPath::first    ? i == 0
                    : which == HostPath::second ? i == 1
                                                : !last || parts.size() == 2;
        if (host) parts[i] = absolute(parts[i], directory);
    }
    return join(parts, ":");
}

// "raw:x", "oci:x:tag" and "./x" lie on this host; "debian:trixie", "team/web" and "docker://…" do not.
std::string absolute_reference(string_view value, string_view directory) {
    for (string_view place : {"raw:", "dir:", "tar:", "oci:", "oci-archive:", "docker-archive:"})
        if (value.starts_with(place)) return cat(place, absolute(value.substr(place.size()), directory));
    bool path = value == "." || value == ".." || value.starts_with("./") || value.starts_with("../");
    return path ? absolute(value, directory) : std::string(value);
}

std::string with_absolute_paths(const Field& field, std::string value, const std::string& directory) {
    if (field.host_path == HostPath::none) return value;
    if (field.host_path == HostPath::reference) return absolute_reference(value, directory);
    if (field.host_path != HostPath::whole) return absolute_parts(value, directory, field.host_path);
    // --seccomp=off is the one word among the options that take a path.
    return value == "off" ? value : absolute(value, directory);
}

class Parser {
  public:
    Parser(std::span<const char* const> arguments, const OptionContext& context)
        : arguments_(arguments), context_(context) {}

    Result<ParsedOptions> run() {
        while (next_ < arguments_.size()) {
            string_view word = arguments_[next_];
            // "-" alone is an operand: standard input, to those who take files.
            if (word.size() < 2 || word[0] != '-') {
                if (context_.operands == Operands::end_options) break;
                out_.rest.emplace_back(word);
                ++next_;
                continue;
            }
            ++next_;
            if (word == "--") break;
            TRY(word.starts_with("--") ? take_long(word) : take_cluster(word));
        }
        for (; next_ < arguments_.size(); ++next_) out_.rest.emplace_back(arguments_[next_]);
        return std::move(out_);
    }

  private:
    bool offered(const Field* field) const {
        if (!field || context_.fields == FieldOptions::none) return false;
        if (field->offered == Offered::both || context_.fields == FieldOptions::any) return true;
        return field->offered == (context_.fields == FieldOptions::run ? Offered::run : Offered::boot);
    }

    Known find_long(string_view name) const {
        for (const ExtraOption& extra : context_.extras)
            if (name == extra.name) return {nullptr, &extra};
        const Field* field = spec::field_by_option(name);
        return offered(field) ? Known{field, nullptr} : Known{};
    }

    Known find_short(char letter) const {
        for (const ExtraOption& extra : context_.extras)
            if (letter == extra.short_name) return {nullptr, &extra};
        const Field* field = spec::field_by_short(letter);
        return offered(field) ? Known{field, nullptr} : Known{};
    }

    Error unknown(string_view name) const {
        const Field* field = spec::field_by_option(name);
        if (field && context_.fields != FieldOptions::none && field->offered != Offered::both)
            return usage(cat(name, " is an option of 'croft ",
                             field->offered == Offered::run ? "run" : "boot", "' only"));
        std::vector<std::string> names;
        for (const ExtraOption& extra : context_.extras) names.emplace_back(extra.name);
        std::string near = closest(name, names);
        if (near.empty()) near = spec::closest_option(name);
        if (near.empty() || !find_long(near)) return usage(cat("unknown option ", name));
        return usage(cat("unknown option ", name, " (did you mean ", near, "?)"));
    }

    Result<> take_long(string_view word) {
        size_t equals = word.find('=');
        string_view name = word.substr(0, equals);
        Known known = find_long(name);
        if (!known) return unknown(name);
        if (equals != word.npos) return store(known, name, std::string(word.substr(equals + 1)));
        if (known.takes_none() || known.optional()) return store(known, name, "yes");
        return store_next(known, name);
    }

    // "-itu NAME": flags, and at the end one that takes a value, joined or as the next word.
    Result<> take_cluster(string_view word) {
        for (size_t i = 1; i < word.size(); ++i) {
            const char spelling[] = {'-', word[i], 0};
            Known known = find_short(word[i]);
            if (!known)
                return usage(cat("unknown option ", spelling, word.size() > 2 ? cat(" in ", word) : ""));
            if (known.takes_none() || known.optional()) {
                TRY(store(known, spelling, "yes"));
                continue;
            }
            string_view joined = word.substr(i + 1);
            if (joined.empty()) return store_next(known, spelling);
            return store(known, spelling, std::string(joined.starts_with('=') ? joined.substr(1) : joined));
        }
        return {};
    }

    Result<> store_next(Known known, string_view name) {
        if (next_ == arguments_.size()) return usage(cat(name, " needs a value (", known.argument(), ")"));
        string_view value = arguments_[next_++];
        if (value.empty()) return usage(cat(name, ": the value is empty (", known.argument(), ")"));
        return store(known, name, std::string(value));
    }

    Result<> store(Known known, string_view name, std::string value) {
        if (known.extra) {
            // A flag's value must be a truth value: "--detach=maybe" would silently be a yes.
            auto truth = known.takes_none() ? parse_bool(value) : std::optional(true);
            if (!truth) return usage(cat(name, ": ", quoted(value), " is neither yes nor no"));
            out_.extras.push_back(
                {known.extra->name, known.takes_none() ? (*truth ? "yes" : "no") : std::move(value)});
            return {};
        }
        store_field(*known.field, {std::string(name)}, std::move(value));
        return {};
    }

    void store_field(const Field& field, spec::Origin origin, std::string value) {
        if (value.empty()) return out_.patch.reset(field, std::move(origin));
        // --env NAME copies the caller's value; only the command line has a caller, so files say
        // PassEnvironment=.
        bool copy = string_view(field.name) == "env" && value.find('=') == value.npos;
        const Field& target = copy ? *spec::field_by_name("pass-environment") : field;
        out_.patch.add(target, with_absolute_paths(field, std::move(value), context_.directory),
                       std::move(origin));
    }

    std::span<const char* const> arguments_;
    const OptionContext& context_;
    size_t next_ = 0;
    ParsedOptions out_;
};
}  // namespace

const std::string* ParsedOptions::extra(string_view name) const {
    for (auto at = extras.rbegin(); at != extras.rend(); ++at)
        if (at->name == name) return &at->value;
    return nullptr;
}

bool ParsedOptions::flag(string_view name) const {
    const std::string* value = extra(name);
    return value && *value == "yes";
}

Result<ParsedOptions> parse_options(std::span<const char* const> arguments, const OptionContext& context) {
    return Parser(arguments, context).run();
}

std::span<const std::string> without_dashes(std::span<const std::string> words) {
    return !words.empty() && words[0] == "--" ? words.subspan(1) : words;
}

spec::SpecPatch command_patch(std::span<const std::string> words) {
    spec::SpecPatch patch;
    const Field& command = *spec::field_by_name("command");
    words = without_dashes(words);
    if (!words.empty()) patch.reset(command, {"the command"});
    for (const std::string& word : words) patch.add(command, word, {"the command"});
    return patch;
}

}  // namespace croft::dialect
