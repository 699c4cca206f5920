// The command lines of the tools that make trees.
#include <sys/utsname.h>

#include <algorithm>

#include "base/fd.h"
#include "base/text.h"
#include "images/bootstrap.h"

namespace croft::images {
namespace {

using Words = std::vector<std::string>;
using Has = std::function<bool(const char*)>;

Error no_tool(const Bootstrap& wanted, std::string_view tools) {
    return error(Errc::unsupported, cat("a tree of ", wanted.distribution, " is made by ", tools, ", and that is not installed here"));
}

Result<Words> debian(const Bootstrap& wanted, const std::string& target, const std::string& etc, const Has& has) {
    std::string mirror = wanted.mirror.empty() ? TRY(apt_mirror(etc, wanted.distribution, wanted.release)) : wanted.mirror;
    std::string variant = wanted.variant.empty() ? "minbase" : wanted.variant;
    Words words;
    if (has("mmdebstrap"))
        words = {"mmdebstrap", "--mode=root", "--format=directory", cat("--variant=", variant)};
    else if (has("debootstrap"))
        // Its own word for what has everything of priority standard is no word at all.
        words = variant == "standard" ? Words{"debootstrap"} : Words{"debootstrap", cat("--variant=", variant)};
    else
        return no_tool(wanted, "mmdebstrap or debootstrap");
    if (!wanted.keyring.empty()) words.push_back(cat("--keyring=", wanted.keyring));
    if (!wanted.packages.empty()) words.push_back(cat("--include=", join(wanted.packages, ",")));
    words.insert(words.end(), {wanted.release, target, mirror});
    return words;
}

Result<> no_variant(const Bootstrap& wanted) {
    if (wanted.variant.empty()) return {};
    return error(Errc::invalid, cat("--variant=", wanted.variant, ": ", wanted.distribution, " has no variants; say packages with --include="));
}

Result<Words> fedora(const Bootstrap& wanted, const std::string& target, const Has& has) {
    TRY(no_variant(wanted));
    const char* tool = has("dnf") ? "dnf" : has("dnf5") ? "dnf5" : nullptr;
    if (!tool) return no_tool(wanted, "dnf");
    Words words = {tool, "-y", cat("--installroot=", target), cat("--releasever=", wanted.release), "--setopt=install_weak_deps=False"};
    // Without a mirror dnf's own configuration of this host has one, for whatever release.
    if (!wanted.mirror.empty())
        words.insert(words.end(), {cat("--repofrompath=croft,", wanted.mirror), "--repo=croft"});
    if (!wanted.keyring.empty()) words.push_back(cat("--setopt=croft.gpgkey=file://", wanted.keyring));
    words.insert(words.end(), {"install", cat(wanted.distribution, "-release"), "systemd", "passwd", "dnf"});
    words.insert(words.end(), wanted.packages.begin(), wanted.packages.end());
    return words;
}

Result<Words> arch(const Bootstrap& wanted, const std::string& target, const Has& has) {
    TRY(no_variant(wanted));
    if (!has("pacstrap")) return no_tool(wanted, "pacstrap (arch-install-scripts)");
    if (!wanted.mirror.empty() || !wanted.keyring.empty())
        return error(Errc::unsupported, "pacstrap takes mirrors and keys from this host's /etc/pacman.d alone; leave out --mirror and --keyring");
    Words words = {"pacstrap", "-c", "-K", target, "base"};
    words.insert(words.end(), wanted.packages.begin(), wanted.packages.end());
    return words;
}

// The directory of all releases, from lines like "URL/v3.20/main".
std::string apk_mirror(const std::string& etc) {
    auto text = read_file_at(AT_FDCWD, (etc + "/apk/repositories").c_str());
    if (!text) return "";
    for (const std::string& line : split(*text, '\n')) {
        std::string_view url = trim(line);
        if (url.starts_with('#') || !url.ends_with("/main")) continue;
        url = url.substr(0, url.size() - 5);
        return std::string(url.substr(0, url.rfind('/')));
    }
    return "";
}

Result<Words> alpine(const Bootstrap& wanted, const std::string& target, const std::string& etc, const Has& has) {
    TRY(no_variant(wanted));
    if (!has("apk")) return no_tool(wanted, "apk");
    std::string mirror = wanted.mirror.empty() ? apk_mirror(etc) : wanted.mirror;
    if (mirror.empty())
        return error(Errc::not_found, cat("this host has no mirror of ", wanted.distribution, " in ", etc, "/apk/repositories; say one with --mirror=URL"));
    utsname host = {};
    uname(&host);
    bool number = wanted.release[0] >= '0' && wanted.release[0] <= '9';
    Words words = {"apk", "--arch", host.machine, "--root", target, "--initdb", "--no-cache"};
    words.insert(words.end(), {"--keys-dir", wanted.keyring.empty() ? etc + "/apk/keys" : wanted.keyring});
    words.insert(words.end(), {"--repository", cat(mirror, "/", number ? "v" : "", wanted.release, "/main"), "add", "alpine-base"});
    words.insert(words.end(), wanted.packages.begin(), wanted.packages.end());
    return words;
}

}  // namespace

Result<std::pair<std::string, std::string>> parse_distribution(std::string_view text) {
    auto is_word = [](std::string_view word) {
        return !word.empty() && word[0] != '-' && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") == word.npos;
    };
    size_t colon = text.find(':');
    std::string_view distribution = text.substr(0, colon), release = colon == text.npos ? "" : text.substr(colon + 1);
    if (is_word(distribution) && distribution == "arch" && release.empty()) release = "rolling";
    if (is_word(distribution) && is_word(release)) return std::pair(std::string(distribution), std::string(release));
    return error(Errc::invalid, cat(quoted(text), " is no DISTRIBUTION:RELEASE (debian:trixie, ubuntu:noble, fedora:42, arch, alpine:3.22)"));
}

Result<std::vector<std::string>> bootstrap_command(const Bootstrap& wanted, const std::string& target, const std::string& etc,
                                                   const std::function<bool(const char*)>& has) {
    const std::string& name = wanted.distribution;
    for (const std::string& package : wanted.packages)
        if (package.empty() || package[0] == '-' || package.find(',') != package.npos)
            return error(Errc::invalid, cat("--include: ", quoted(package), " is no name of a package"));
    for (const char* known : {"debian", "ubuntu", "devuan", "kali", "raspbian"})
        if (name == known) return debian(wanted, target, etc, has);
    for (const char* known : {"fedora", "centos", "rocky", "almalinux"})
        if (name == known) return fedora(wanted, target, has);
    if (name == "arch") return arch(wanted, target, has);
    if (name == "alpine") return alpine(wanted, target, etc, has);
    return error(Errc::invalid, cat(quoted(name), " is no distribution that is known here (debian, ubuntu, devuan, kali, fedora, "
                                    "centos, rocky, almalinux, arch, alpine)"));
}

}  // namespace croft::images
