// image sync: many images at once. What fails is told, and the others go on.
#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "images/copy_progress.h"
#include "images/functions.h"
#include "images/places.h"
#include "registry/docker_place.h"

namespace croft::images {

namespace {
using image::Reference;
using image::Transport;

struct Job {
    Reference from;
    std::string name, tag;  // below the target: "team/web"; of a registry's without a tag it has a digest
};

struct Sync {
    registry::PlaceOptions source, target;
    bool scoped = false, keep_going = false, all = false, quiet = false;
};

Result<std::vector<Job>> jobs_of_repository(const Reference& reference, const Sync& sync) {
    if (!reference.tag.empty() || reference.digest) return std::vector{Job{reference, reference.name, reference.tag}};
    auto client = TRY(registry::open_repository(reference, registry::RegistryClient::Rights::pull, sync.source));
    std::vector<Job> out;
    for (const std::string& tag : TRY(client->tags())) {
        if (!image::check_tag(tag)) continue;
        Reference one = reference;
        one.tag = tag;
        out.push_back({std::move(one), reference.name, tag});
    }
    if (out.empty()) return error(Errc::not_found, cat(quoted(reference.text()), " has no tags"));
    return out;
}

// Every directory of skopeo's kind in it, by its path.
Result<std::vector<Job>> jobs_of_directory(const std::string& top, const std::string& below, unsigned depth) {
    std::vector<Job> out;
    std::string path = below.empty() ? top : cat(top, "/", below);
    if (exists_at(AT_FDCWD, (path + "/manifest.json").c_str())) {
        // The last part is the name and its tag, as sync writes it.
        size_t colon = below.rfind(':'), slash = below.rfind('/');
        bool tagged = colon != below.npos && (slash == below.npos || colon > slash);
        Reference from{.transport = Transport::directory, .path = std::move(path)};
        out.push_back({std::move(from), tagged ? below.substr(0, colon) : below, tagged ? below.substr(colon + 1) : ""});
        return out;
    }
    if (depth > 16) return out;
    DIR* dir = opendir(path.c_str());
    if (!dir) return os_error(errno, cat("reading ", quoted(path)));
    OnExit close([&] { closedir(dir); });
    std::vector<std::string> names;
    while (dirent* entry = readdir(dir))
        if (entry->d_name[0] != '.' && entry->d_type == DT_DIR) names.emplace_back(entry->d_name);
    std::ranges::sort(names);
    for (const std::string& name : names)
        for (Job& job : TRY(jobs_of_directory(top, below.empty() ? name : cat(below, "/", name), depth + 1)))
            out.push_back(std::move(job));
    return out;
}

Result<std::vector<Job>> jobs_of(const Reference& source, const Sync& sync) {
    if (source.transport == Transport::registry) return jobs_of_repository(source, sync);
    if (source.transport != Transport::directory)
        return error(Errc::usage, cat("image sync: SOURCE is a repository (docker://HOST/NAME) or a "
                                      "directory of images (dir:PATH), not ",
                                      quoted(source.text())));
    std::vector<Job> out = TRY(jobs_of_directory(source.path, "", 0));
    if (out.empty())
        return error(Errc::not_found, cat("there is no image in ", quoted(source.path),
                                          " (a directory with a manifest.json)"));
    return out;
}

// Without --scoped only the last part of the name is kept, as skopeo has it.
Result<Reference> target_of(const Job& job, const Reference& target, const Sync& sync) {
    std::string name = job.name, host = job.from.host;
    if (!sync.scoped) name = name.substr(name.rfind('/') + 1);
    else if (!host.empty()) name = cat(host, "/", name);
    Reference out = target;
    if (target.transport == Transport::directory) {
        std::string tag = !job.tag.empty() ? cat(":", job.tag) : job.from.digest ? cat("@", job.from.digest->text()) : "";
        out.path = cat(target.path, "/", name, tag);
        std::string above = out.path.substr(0, out.path.rfind('/'));
        TRY(make_dirs_at(AT_FDCWD, above));
        return out;
    }
    out.name = target.name.empty() ? name : cat(target.name, "/", name);
    out.tag = job.tag, out.digest = job.from.digest;
    std::string text = out.text();
    return image::parse_reference(text);
}

Result<> copy_one(const Job& job, const Reference& target, const Sync& sync) {
    Reference to = TRY(target_of(job, target, sync));
    auto from = TRY(open_any_source(job.from, sync.source));
    auto into = TRY(open_any_target(to, sync.target));
    registry::CopyOptions options{.which = sync.all ? registry::Which::all : registry::Which::system,
                                  .platform = sync.source.platform};
    options.interrupted = sync.source.interrupted;
    CopyProgressLine progress(cat("copying ", job.from.text()));
    if (!sync.quiet) options.progress = &progress;
    registry::Copied copied = TRY(registry::copy_image(*from, *into, options));
    progress.end();
    if (!sync.quiet) info(cat(to.text(), " is ", copied.top.digest.text()));
    return {};
}

Result<Reference> target_place(const std::string& word) {
    if (word.starts_with("docker://")) {
        // HOST alone, or HOST/NAMESPACE.
        std::string rest = word.substr(9);
        while (rest.ends_with('/')) rest.pop_back();
        bool alone = rest.find('/') == rest.npos;
        Reference out = TRY(image::parse_docker_name(alone ? rest + "/x" : rest));
        if (alone) out.name.clear();
        return out;
    }
    Reference out = TRY(image::parse_reference(word));
    if (out.transport != Transport::directory)
        return error(
            Errc::usage,
            cat("image sync: TARGET is a registry (docker://HOST/NAMESPACE) or a directory (dir:PATH), not ",
                quoted(word)));
    return out;
}

Result<int> run(const std::vector<Job>& jobs, const Reference& target, const Sync& sync) {
    size_t failed = 0;
    for (const Job& job : jobs) {
        Result<> copied = copy_one(job, target, sync);
        if (int signal = cli::Interrupt::signal(); signal && !copied) cli::die_of(signal);
        if (copied) continue;
        Error reason = std::move(copied).error();
        reason.within(job.from.text());
        if (!sync.keep_going) return reason;
        log(LogLevel::error, reason.text);
        ++failed;
    }
    if (failed) return error(Errc::failed, cat(failed, " of ", jobs.size(), " images could not be copied"));
    return 0;
}
}  // namespace

Result<int> verb_sync(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 2));
    Sync sync{.source = TRY(place_options(args, Side::source)), .target = TRY(place_options(args, Side::target))};
    sync.scoped = args.has("--scoped"), sync.keep_going = args.has("--keep-going"),
    sync.all = args.has("--all"), sync.quiet = args.has("--quiet");
    sync.source.whole_index = sync.all;
    Reference source = TRY(image::parse_reference(args.operands[0])), target = TRY(target_place(args.operands[1]));
    cli::Interrupt interrupt;
    auto jobs = jobs_of(source, sync);
    if (int signal = cli::Interrupt::signal(); signal && !jobs) cli::die_of(signal);
    if (!jobs) return std::move(jobs).error();
    if (target.transport == Transport::directory) TRY(make_dirs_at(AT_FDCWD, target.path));
    return run(*jobs, target, sync);
}

}  // namespace croft::images
