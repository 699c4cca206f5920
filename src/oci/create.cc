#include "oci/create.h"

#include <sys/file.h>
#include <unistd.h>

#include <optional>

#include "base/text.h"
#include "manager/prepare.h"
#include "manager/scope.h"
#include "oci/destroy.h"
#include "oci/engine_files.h"
#include "oci/faults.h"
#include "oci/host_mounts.h"
#include "oci/state.h"
#include "run/gate.h"

namespace croft::oci {

namespace {
// One creation: what exists of it so far.
class Creation {
  public:
    Creation(const Call& call, const Places& places, const CreateOptions& options)
        : call_(call), places_(places), options_(options) {}
    Creation(const Creation&) = delete;
    ~Creation();
    Result<Created> run();

  private:
    Result<> claim();
    Result<> make_scope();
    Result<> launch();
    Result<> write_record(pid_t pid);
    Result<> keep_record();
    std::string state(pid_t pid, std::string_view status) const;
    std::string seccomp_state(pid_t pid) const;

    const Call& call_;
    const Places& places_;
    const CreateOptions& options_;
    std::optional<PlannedBundle> bundle_;
    std::optional<Container> container_;
    EngineFiles engine_{call_.flags};
    Fd plan_file_;
    manager::ScopeKeeper scope_;
    run::Launched launched_;
};

Creation::~Creation() {
    if (!container_) return;
    if (launched_.pidfd) run::undo(launched_);
    remove_container_files(places_, *container_);
    if (container_->record.init.pid) run_poststop(container_->record, bundle_->plan);
}

// The plan is written before anything is made: what a killed croft-oci leaves is found from it. Its lock says that this
// creation goes on.
Result<> Creation::claim() {
    container_ = TRY(claim_container(places_, bundle_->record.id));
    int directory = container_->directory.get();
    plan_file_ = TRY(open_at(directory, manager::oci_plan_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    if (flock(plan_file_.get(), LOCK_EX | LOCK_NB) < 0) return os_error(errno, "locking the plan");
    TRY(write_all(plan_file_.get(), launch::encode(bundle_->plan)).within("keeping the plan"));
    if (places_.paths.system) manager::note_oci_root(places_.paths, places_.root);
    return {};
}

// systemd's group may be elsewhere than expected: a user's manager is below a group of its own.
Result<> Creation::make_scope() {
    if (!bundle_->scope) return {};
    launch::UnitPlan unit = TRY(scope_plan(*bundle_->scope, bundle_->plan, bundle_->record));
    scope_ = TRY(manager::start_scope(std::move(unit)).within("--systemd-cgroup"));
    bundle_->record.unit = bundle_->scope->unit;
    bundle_->record.user_unit = !places_.paths.system;
    const std::string expected = bundle_->plan.cgroup.path;
    TRY(use_scope(*bundle_, scope_.group()));
    if (expected == bundle_->plan.cgroup.path) return {};
    if (ftruncate(plan_file_.get(), 0) < 0 || lseek(plan_file_.get(), 0, SEEK_SET) < 0)
        return os_error(errno, "keeping the plan");
    return write_all(plan_file_.get(), launch::encode(bundle_->plan)).within("keeping the plan");
}

Result<> Creation::write_record(pid_t pid) {
    container_->record = bundle_->record;
    container_->record.init = {pid, manager::process_start(pid).value_or(0)};
    container_->record.has_end = !bundle_->plan.hooks.poststop.empty() || !bundle_->plan.rdt.group.empty() ||
                                  shares_mounts(bundle_->plan);
    return keep_record();
}

Result<> Creation::keep_record() {
    return replace_file_at(container_->directory.get(), manager::oci_record_name,
                           manager::oci_record(container_->record), 0600)
        .within("keeping the container's record");
}

std::string Creation::state(pid_t pid, std::string_view status) const {
    manager::OciContainer now = bundle_->record;
    now.init.pid = pid;
    return hook_state(now, status);
}

std::string Creation::seccomp_state(pid_t pid) const {
    return listener_state(pid, bundle_->plan.process.seccomp_metadata, state(pid, "creating"));
}

Result<> Creation::launch() {
    run::LaunchEnvironment environment;
    Fd run_directory;
    if (auto opened = open_at(AT_FDCWD, places_.paths.run.c_str(), O_RDONLY | O_DIRECTORY))
        run_directory = std::move(*opened);
    environment.run_directory = run_directory.get();
    environment.helper_directory = places_.paths.helpers;
    environment.cgroup_root = bundle_->facts.cgroup_root;
    environment.cloned = [this](pid_t pid) { return write_record(pid); };
    environment.preserve_fds = TRY(preserved_descriptors(call_.flags)) + passed_sockets();
    environment.root_path = bundle_->record.rootfs;
    environment.state = [this](pid_t pid, std::string_view status) { return state(pid, status); };
    environment.seccomp_state = [this](pid_t pid) { return seccomp_state(pid); };
    TRY(set_faults(call_.flags, environment));
    run::Gate gate;
    if (bundle_->plan.process.wait_start) {
        gate = TRY(run::make_gate(container_->directory.get()));
        environment.gate = gate.gate.get(), environment.gate_answer = gate.answer.get();
    }
    std::optional<run::SeccompProgram> filter;
    if (!bundle_->plan.process.seccomp.empty()) {
        filter = TRY(manager::load_filter(places_.paths, bundle_->plan.process.seccomp));
        manager::set_filter(environment, *filter);
    }
    launched_ = TRY(run::launch(bundle_->plan, environment));
    if (!launched_.made_rdt) return {};
    container_->record.made_rdt = true;
    return keep_record();
}

Result<Created> Creation::run() {
    const Flags& flags = call_.flags;
    BundleRequest request = {.id = call_.operands[0],
                             .directory = flags.text("--bundle", "."),
                             .config = flags.text("--config", "config.json"),
                             .new_keyring = !flags.has("--no-new-keyring"),
                             .wait_start = options_.wait_start};
    bundle_ = TRY(plan_bundle(call_.global, places_, request));
    TRY(engine_.check(bundle_->plan.process.terminal, options_.detached, "$.process.terminal"));
    TRY(engine_.connect());
    TRY(claim());
    TRY(make_scope());
    TRY(launch());
    scope_.let_go();
    TRY(engine_.hand_over(launched_));
    flock(plan_file_.get(), LOCK_UN);
    Created out{std::move(*container_), std::move(bundle_->plan), std::move(launched_)};
    container_.reset();
    return out;
}
}  // namespace

Result<Created> create_container(const Call& call, const Places& places, const CreateOptions& options) {
    return Creation(call, places, options).run();
}

}  // namespace croft::oci
