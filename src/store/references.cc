#include "store/references.h"

#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "format/json_writer.h"
#include "store/faults.h"
#include "store/names.h"
#include "store/records.h"

namespace croft::store {
namespace {

constexpr size_t fewest_digits = 4;

Result<Named> read_reference(const Store& store, const std::string& file) {
    RecordFile record = TRY(RecordFile::read(store.fd(), file));
    auto damaged = [&](Error&& e) {
        return std::move(e).within(cat("the store's file ", file, " is damaged; remove it, and import or pull its image again"));
    };
    auto manifest = image::Digest::parse(record.text("manifest"));
    if (!manifest) return damaged(std::move(manifest).error());
    Named out{reference_of_file(file.substr(file.rfind('/') + 1)), std::move(*manifest), std::nullopt, record.text("source"),
              record.number("made")};
    if (std::string top = record.text("top"); !top.empty()) {
        auto digest = image::Digest::parse(top);
        if (!digest) return damaged(std::move(digest).error());
        out.top = std::move(*digest);
    }
    return out;
}

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool has_digits(const Named& named, std::string_view word) {
    if (word.starts_with("sha256:") || word.starts_with("sha512:")) return named.manifest.text() == word;
    return word.size() >= fewest_digits && is_hex(word) && named.manifest.hex().starts_with(word);
}

bool ends_with_parts(std::string_view name, std::string_view word) {
    return name.size() > word.size() && name.ends_with(word) && name[name.size() - word.size() - 1] == '/';
}

// The only one for which it holds; several names of one image are no question.
template <class Test>
Result<std::optional<Named>> only_one(const std::vector<Named>& all, std::string_view word, Test test) {
    std::optional<Named> found;
    for (const Named& named : all) {
        if (!test(named)) continue;
        if (found && found->manifest != named.manifest)
            return error(Errc::invalid, cat("image ", quoted(word), " may be ", quoted(found->name), " or ",
                                            quoted(named.name), ": give the whole name"));
        if (!found) found = named;
    }
    return found;
}

}  // namespace

Result<std::vector<Named>> references(const Store& store) {
    std::vector<Named> out;
    for (const std::string& file : TRY(store.names_in("refs"))) {
        auto named = read_reference(store, cat("refs/", file));
        // One that was removed meanwhile is no mistake.
        if (!named && named.error().code == Errc::not_found) continue;
        if (!named) return std::move(named).error();
        out.push_back(std::move(*named));
    }
    return out;
}

Result<std::optional<Named>> find_reference(const Store& store, std::string_view word) {
    for (std::string name : {std::string(word), cat(word, ":latest")}) {
        auto file = reference_file(name);
        if (!file) return std::optional<Named>();
        if (exists_at(store.fd(), cat("refs/", *file).c_str()))
            return std::optional<Named>(TRY(read_reference(store, cat("refs/", *file))));
    }
    return choose_reference(TRY(references(store)), word);
}

Result<std::optional<Named>> choose_reference(const std::vector<Named>& all, std::string_view word) {
    for (std::string name : {std::string(word), cat(word, ":latest")})
        for (const Named& named : all)
            if (named.name == name) return std::optional<Named>(named);
    if (auto found = TRY(only_one(all, word, [&](const Named& n) { return has_digits(n, word); }))) return found;
    return only_one(all, word, [&](const Named& n) {
        return ends_with_parts(n.name, word) || ends_with_parts(n.name, cat(word, ":latest"));
    });
}

Result<Named> get_reference(const Store& store, std::string_view word) {
    if (auto found = TRY(find_reference(store, word))) return std::move(*found);
    std::vector<std::string> names;
    for (const Named& named : TRY(references(store))) names.push_back(named.name);
    std::string near = closest(word, names);
    return error(Errc::not_found,
                 cat("there is no image ", quoted(word), " in the store",
                     near.empty() ? "; `croft image list` shows those that are" : cat("; did you mean ", quoted(near), "?")));
}

Result<> put_reference(const Store& store, const Named& named) {
    std::string file = TRY(reference_file(named.name));
    format::JsonWriter json(format::JsonStyle::line);
    json.begin_object().member("name", named.name).member("manifest", named.manifest.text());
    if (named.top) json.member("top", named.top->text());
    json.member("source", named.source).member("made", named.made).end_object();
    return store.write_file(cat("refs/", file), json.take() + "\n");
}

Result<> remove_reference(const Store& store, std::string_view name) {
    std::string file = cat("refs/", TRY(reference_file(name)));
    step();
    if (unlinkat(store.fd(), file.c_str(), 0) < 0) {
        if (errno != ENOENT) return os_error(errno, cat("removing ", store.at(file)));
        return error(Errc::not_found, cat("there is no image of the name ", quoted(name), " in the store"));
    }
    return sync_directory(store.fd(), "refs");
}

}  // namespace croft::store
