// create, rename, clone-config: what makes machine files.
#include <ctime>
#include <memory>
#include <optional>

#include "base/log.h"
#include "base/names.h"
#include "base/text.h"
#include "cli/bring_image.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "dialect/options.h"
#include "manager/create.h"
#include "manager/find_tree.h"
#include "spec/fields.h"

namespace croft::cli {

namespace {
// A command makes it an app, as `croft run` has one; else it is a system.
Result<spec::Mode> mode_of(const Arguments& args) {
    bool app = args.has("--app"), boot = args.has("--boot");
    if (app && boot) return error(Errc::usage, "create takes --app or --boot, not both");
    if (app || (args.operands.size() > 1 && !boot)) return spec::Mode::app;
    return spec::Mode::boot;
}

// Options of the other kind of machine would be kept and never be in effect.
Result<> check_offered(const spec::SpecPatch& patch, spec::Mode mode) {
    using spec::Offered;
    for (const spec::Assignment& assignment : patch.assignments) {
        Offered offered = assignment.field->offered;
        if (offered == (mode == spec::Mode::boot ? Offered::run : Offered::boot))
            return error(Errc::usage, cat(assignment.origin.text, " is for machines that ",
                                          mode == spec::Mode::boot ? "run a program" : "boot", " (--",
                                          mode == spec::Mode::boot ? "app" : "boot", ")"));
    }
    return {};
}

Result<manager::NewMachine> wanted_machine(const Arguments& args) {
    manager::NewMachine out;
    TRY(check_machine_name(args.operands[0]));
    spec::Mode mode = TRY(mode_of(args));
    TRY(check_offered(args.patch, mode));
    spec::SpecPatch options = args.patch;
    options.append(dialect::command_patch(std::span(args.operands).subspan(1)));
    std::vector<spec::Warning> none;
    TRY(spec::apply(options, out.spec, none));
    const std::string& name = args.operands[0];
    if (!out.spec.name.empty() && out.spec.name != name)
        return error(Errc::usage, cat("--name: the machine's name is the first word, ", quoted(name)));
    out.spec.name = name;
    out.spec.mode = mode;
    out.spec.autostart = args.has("--autostart");
    const std::string* directory = args.value("--directory");
    bool image = !out.spec.root.image.empty();
    if (image && (directory || args.has("--from")))
        return error(Errc::usage, "--image: a root is made from an image, or it is the tree of --directory or --from");
    if (directory) out.spec.root.directory = TRY(manager::absolute_path(*directory));
    if (!image && out.spec.root.directory.empty()) out.spec.root.directory = manager::default_tree(name);
    if (const std::string* from = args.value("--from"))
        out.from = TRY(manager::find_tree(*from).within("--from")).directory;
    return out;
}
}  // namespace

namespace {
// Shows how far the copy is, a few times a second, and ends it when a signal asks for that. Until it begins, a signal ends
// the command at once: there is nothing to clear.
class CopyProgress {
  public:
    explicit CopyProgress(std::string from) : from_(std::move(from)) {}
    Result<> operator()(const manager::Copied& so_far) {
        if (!interrupt_) interrupt_.emplace();
        if (Interrupt::signal()) return error(Errc::failed, "interrupted, and nothing is left of it");
        timespec now = {};
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        int64_t moment = now.tv_sec * 5 + now.tv_nsec / 200'000'000;
        if (moment == shown_) return {};
        shown_ = moment;
        progress_.show(cat("croft: copying ", from_, ": ", so_far.entries, " files, ", human_size(so_far.bytes)));
        return {};
    }

  private:
    const std::string from_;
    Progress progress_;
    std::optional<Interrupt> interrupt_;
    int64_t shown_ = -1;
};
}  // namespace

Result<int> verb_create(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 1, SIZE_MAX));
    manager::NewMachine machine = TRY(wanted_machine(args));
    if (args.has("--dry-run")) {
        std::string text = TRY(manager::machine_file_text(machine.spec));
        TRY(print(text));
        return 0;
    }
    manager::Paths paths = TRY(manager::find_paths());
    if (std::string& image = machine.spec.root.image; !image.empty())
        image = TRY(bring_image(paths, image, args.has("--quiet")));
    auto progress = std::make_shared<CopyProgress>(machine.from);
    machine.watch = [progress](const manager::Copied& so_far) { return (*progress)(so_far); };
    auto created = manager::create(paths, machine);
    machine.watch = nullptr;
    progress.reset();
    if (!created && Interrupt::signal()) {
        log(LogLevel::error, created.error().text);
        die_of(Interrupt::signal());
    }
    if (!created) return std::move(created).error();
    TRY(print(cat(*created, "\n")));
    const std::string& tree = machine.spec.root.directory;
    if (!args.has("--quiet") && !tree.empty() && !exists_at(AT_FDCWD, tree.c_str()))
        warn(cat("the tree ", tree, " is not there yet; machine ", quoted(machine.spec.name),
                 " can be started when it is"));
    return 0;
}

Result<int> verb_rename(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 2));
    manager::Paths paths = TRY(manager::find_paths());
    TRY(manager::rename(paths, args.operands[0], args.operands[1]));
    if (!args.has("--quiet"))
        info(cat("machine ", quoted(args.operands[0]), " is now called ", quoted(args.operands[1])));
    return 0;
}

Result<int> verb_clone_config(const Verb& verb, std::span<char* const> arguments) {
    Arguments args = TRY(parse_arguments(verb, arguments));
    TRY(expect_operands(verb, args, 2, 2));
    const std::string* directory = args.value("--directory");
    std::string tree = directory ? TRY(manager::absolute_path(*directory)) : "";
    manager::Paths paths = TRY(manager::find_paths());
    manager::Cloned cloned = TRY(manager::clone_declared(paths, args.operands[0], args.operands[1], tree));
    for (const std::string& warning : cloned.warnings) warn(warning);
    TRY(print(cat(cloned.file, "\n")));
    return 0;
}

}  // namespace croft::cli
