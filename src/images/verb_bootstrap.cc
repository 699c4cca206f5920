// bootstrap: a tree of a distribution's own packages.
#include "base/log.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "images/bootstrap.h"
#include "images/functions.h"

namespace croft::images {
namespace {

Result<Bootstrap> wanted_tree(const cli::Arguments& args) {
    auto [distribution, release] = TRY(parse_distribution(args.operands[0]));
    Bootstrap out{.distribution = distribution, .release = release};
    out.name = args.operands.size() > 1 ? args.operands[1] : cat(distribution, "-", release);
    auto value = [&](const char* option) {
        const std::string* text = args.value(option);
        return text ? *text : std::string();
    };
    out.mirror = value("--mirror"), out.variant = value("--variant"), out.keyring = value("--keyring");
    for (const std::string& list : args.values("--include"))
        for (std::string& package : split(list, ',')) out.packages.push_back(std::move(package));
    return out;
}

}  // namespace

Result<int> verb_bootstrap(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(cli::parse_arguments(verb, arguments));
    TRY(cli::expect_operands(verb, args, 1, 2));
    Bootstrap wanted = TRY(wanted_tree(args));
    manager::Paths paths = TRY(manager::find_paths());
    cli::Interrupt interrupt;
    cli::Progress progress;
    wanted.progress = [&](std::string_view line) {
        if (!line.empty()) progress.show(cat("croft: ", wanted.name, ": ", line));
        return cli::Interrupt::signal() == 0;
    };
    auto made = bootstrap(paths, wanted);
    progress.clear();
    if (!made && cli::Interrupt::signal()) {
        log(LogLevel::error, made.error().text);
        cli::die_of(cli::Interrupt::signal());
    }
    if (!made) return std::move(made).error();
    TRY(cli::print(cat(*made, "\n")));
    return 0;
}

}  // namespace croft::images
