// Where a bundle's mounts go, and what their options mean.
#include <algorithm>

#include "plan/bundle.h"

namespace croft::plan {

using launch::Create;

std::string clean_path(std::string_view path) {
    std::string out;
    for (size_t at = 0; at < path.size();) {
        size_t end = std::min(path.find('/', at), path.size());
        std::string_view part = path.substr(at, end - at);
        at = end + 1;
        if (part == "..")
            out.resize(out.empty() ? 0 : out.rfind('/'));
        else if (!part.empty() && part != ".")
            out.append("/").append(part);
    }
    return out.empty() ? "/" : out;
}

bool is_at_or_below(std::string_view path, std::string_view top) {
    if (top == "/") return true;
    return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

BundleOptions bundle_options(const std::vector<std::string>& words) {
    // What mount(2) has flags for and a mount of today has no use for: said of a remount, or the kernel's own default.
    static constexpr std::string_view without_effect[] = {"defaults",   "remount", "loud",  "silent", "iversion",
                                                          "noiversion", "acl",     "noacl"};
    static constexpr std::string_view of_superblock[] = {"sync", "async",  "dirsync",  "mand",
                                                         "nomand", "lazytime", "nolazytime"};
    BundleOptions out;
    std::vector<std::string> top, all;
    for (const std::string& word : words) {
        if (word == "tmpcopyup") {
            out.copy_up = true;
        } else if (std::ranges::find(without_effect, word) != std::end(without_effect)) {
            continue;
        } else if (std::ranges::find(of_superblock, word) != std::end(of_superblock)) {
            out.data.emplace_back(word, "");
        } else if (word.starts_with('r') && mount_flags({word.substr(1)}).rest.empty()) {
            all.push_back(word.substr(1));
        } else {
            top.push_back(word);
        }
    }
    out.top = mount_flags(top), out.all = mount_flags(all);
    for (const std::string& word : out.top.rest) {
        size_t equals = word.find('=');
        out.data.emplace_back(word.substr(0, equals), equals == word.npos ? "" : word.substr(equals + 1));
    }
    return out;
}

bool Places::is_inside(std::string_view target) const {
    return std::ranges::any_of(inside_, [&](const std::string& other) {
        return is_at_or_below(target, other) || is_at_or_below(other, target);
    });
}

bool Places::make_in_dev(const std::string& target) {
    if (dev_ == launch::no_slot || !target.starts_with("/dev/") || target.find('/', 5) != target.npos) return false;
    d_.host(d_.directory(dev_, target.substr(5)));
    return true;
}

bool Places::is_below_api(std::string_view target) const {
    return std::ranges::any_of(api_, [&](const std::string& api) { return is_at_or_below(target, api); });
}

void Places::attach_bind(launch::Attach attach) {
    // Where there is a user namespace the payload must find it locked, so its place in the list of mounts is another one.
    attach.fresh = !d_.private_users && !api_.empty();
    if (is_inside(attach.target)) return d_.inside(std::move(attach));
    if (attach.fresh) {
        d_.stage(launch::MakePoint{.path = attach.target, .like = attach.slot});
        attach.create = Create::no;
        inside_.push_back(attach.target);
        return d_.inside(std::move(attach));
    }
    attach.uid = d_.root_uid, attach.gid = d_.root_gid;
    d_.stage(std::move(attach));
}

void Places::attach_made(launch::Attach attach) {
    attach.create = Create::directory;
    if (api_.empty() && !is_inside(attach.target)) {
        attach.uid = d_.root_uid, attach.gid = d_.root_gid;
        make_in_dev(attach.target);
        d_.stage(std::move(attach));
        return;
    }
    prepare_place(attach);
    attach.fresh = true;
    inside_.push_back(attach.target);
    d_.inside(std::move(attach));
}

void Places::prepare_place(launch::Attach& attach) {
    attach.create = Create::no;
    if (make_in_dev(attach.target)) return;
    const bool below = std::ranges::any_of(
        inside_, [&](const std::string& other) { return is_at_or_below(attach.target, other); });
    if (below)
        attach.create = Create::directory;
    else
        d_.stage(launch::MakePoint{.path = attach.target,
                                   .no_symlinks = attach.no_symlinks,
                                   .uid = d_.root_uid,
                                   .gid = d_.root_gid});
}

void Places::attach_api(launch::MakeFs fs, launch::Attach attach) {
    prepare_place(attach);
    inside_.push_back(attach.target), api_.push_back(attach.target);
    d_.inside(std::move(fs));
    d_.inside(std::move(attach));
}

void Places::later(const launch::SetAttr& change, bool inside) {
    (inside ? later_inside_ : later_stage_).push_back(change);
}

void Places::finish() {
    for (launch::SetAttr& change : later_stage_) d_.stage(std::move(change));
    for (launch::SetAttr& change : later_inside_) d_.inside(std::move(change));
}

}  // namespace croft::plan
