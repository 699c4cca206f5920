// What registries.conf makes of a name (registries_conf.h).
#include <algorithm>

#include "base/text.h"
#include "registry/registries_conf.h"

namespace croft::registry {

namespace {
using image::Reference;

bool fits(const std::string& prefix, std::string_view name) {
    if (prefix.starts_with("*.")) {
        std::string_view host = name.substr(0, name.find('/'));
        return host.ends_with(std::string_view(prefix).substr(1));
    }
    if (!name.starts_with(prefix)) return false;
    return name.size() == prefix.size() || std::string_view("/:@").find(name[prefix.size()]) != std::string_view::npos;
}

std::string full_name(const Reference& reference) {
    return reference.text().substr(std::string_view("docker://").size());
}

bool is_insecure(bool by_rule, const PlaceOptions& options) {
    return options.tls_verify ? !*options.tls_verify : by_rule;
}

// "host/namespace" and what of the name is behind the prefix.
Result<Endpoint> placed(const std::string& location, std::string_view rest, bool insecure) {
    auto read = image::parse_docker_name(cat(location, rest));
    if (!read) return std::move(read).error().within("registries.conf");
    if (read->host.empty()) {
        // "myhost" has neither dot nor port, but can only be one.
        size_t slash = read->name.find('/');
        return Endpoint{read->name.substr(0, slash), slash == std::string::npos ? "" : read->name.substr(slash + 1), insecure};
    }
    return Endpoint{read->host, read->name, insecure};
}

// What the rule puts in the place of its prefix.
Result<Endpoint> located(const Reference& reference, const RegistryRule* rule, const std::string& location, bool insecure) {
    std::string name = cat(reference.host, "/", reference.name);
    if (!rule || location.empty()) return Endpoint{reference.host, reference.name, insecure};
    // Of "*.example.com" the whole host is what is replaced.
    size_t matched = rule->prefix.starts_with("*.") ? reference.host.size() : rule->prefix.size();
    return placed(location, std::string_view(name).substr(std::min(matched, name.size())), insecure);
}

// The names that a short one may stand for, each with a host.
Result<std::vector<Reference>> qualified(const Reference& reference, const RegistriesConf& conf) {
    if (!reference.host.empty()) return std::vector{reference};
    auto with_host = [&](const std::string& host, const std::string& name) {
        Reference out = reference;
        out.host = host, out.name = name;
        return out;
    };
    if (auto alias = conf.aliases.find(reference.name); alias != conf.aliases.end()) {
        Reference full = TRY(image::parse_docker_name(alias->second));
        return std::vector{with_host(full.host, full.name)};
    }
    std::string files = conf.files.empty() ? "registries.conf" : conf.files.front();
    if (conf.search.empty())
        return error(Errc::invalid,
                     cat("docker://", full_name(reference), " names no registry, and ", files,
                         " has no alias for ", quoted(reference.name),
                         " and no unqualified-search-registries; write docker://HOST/", reference.name));
    std::vector<Reference> out;
    for (const std::string& host : conf.search) {
        // It may have a namespace behind it.
        Endpoint place = TRY(placed(host, cat("/", reference.name), false));
        out.push_back(with_host(place.host, place.repository));
    }
    if (out.size() == 1 || conf.short_name_mode == "disabled") return out;
    // Whoever gets hold of the name in the first of them would be believed.
    return error(Errc::invalid,
                 cat("docker://", full_name(reference), " may mean an image of ", join(conf.search, ", "),
                     " (unqualified-search-registries in ", files, "); write docker://", conf.search.front(),
                     "/", reference.name, " or an alias there"));
}

bool mirror_serves(const Mirror& mirror, const RegistryRule& rule, const Reference& reference) {
    bool by_digest = reference.digest.has_value();
    if (rule.mirror_by_digest_only || mirror.pull == Mirror::Pull::digest_only) return by_digest;
    return mirror.pull == Mirror::Pull::all || !by_digest;
}

Result<> add_candidates(const Reference& reference, const RegistriesConf& conf, const PlaceOptions& options,
                        std::vector<Candidate>& out) {
    const RegistryRule* rule = find_rule(conf, full_name(reference));
    if (rule && rule->blocked)
        return error(Errc::denied,
                     cat(quoted(full_name(reference)), " is not to be asked for: registries.conf blocks ",
                         quoted(rule->prefix)));
    if (rule)
        for (const Mirror& mirror : rule->mirrors)
            if (mirror_serves(mirror, *rule, reference))
                out.push_back(
                    {reference,
                     TRY(located(reference, rule, mirror.location, is_insecure(mirror.insecure, options))),
                     true});
    bool insecure = is_insecure(rule && rule->insecure, options);
    out.push_back({reference, TRY(located(reference, rule, rule ? rule->location : "", insecure))});
    return {};
}
}  // namespace

const RegistryRule* find_rule(const RegistriesConf& conf, std::string_view name) {
    const RegistryRule* best = nullptr;
    for (const RegistryRule& rule : conf.rules)
        if (fits(rule.prefix, name) && (!best || rule.prefix.size() > best->prefix.size())) best = &rule;
    return best;
}

Result<std::vector<Candidate>> candidates(const Reference& reference, const RegistriesConf& conf, const PlaceOptions& options) {
    std::vector<Candidate> out;
    for (const Reference& one : TRY(qualified(reference, conf))) TRY(add_candidates(one, conf, options, out));
    return out;
}

Result<Endpoint> target_endpoint(const Reference& reference, const RegistriesConf& conf, const PlaceOptions& options) {
    std::vector<Candidate> all = TRY(candidates(reference, conf, options));
    for (const Candidate& one : all)
        if (!one.mirror) return one.endpoint;
    return error(Errc::not_found, cat("there is no registry to write ", quoted(reference.text()), " to"));
}

}  // namespace croft::registry
