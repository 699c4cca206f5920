// What went wrong between the last step and the payload: its attributes, and exec itself.
#include <cerrno>

#include "base/text.h"
#include "launch/explain_parts.h"

namespace croft::launch {

Error with_hint(Error e, std::string_view hint) {
    if (!hint.empty()) e.text += cat(" (", hint, ")");
    return e;
}

namespace {

struct StageWords {
    ProcessStage stage;
    const char* phrase;
    const char* hint;
};
constexpr StageWords stage_words[] = {
    {ProcessStage::session, "starting a session", ""},
    {ProcessStage::streams, "setting up the standard streams", ""},
    {ProcessStage::rlimits, "setting resource limits",
     "above the hard limit of croft itself only CAP_SYS_RESOURCE may go: a lower --rlimit, or prlimit(1) "
     "before croft"},
    {ProcessStage::oom_score, "setting the OOM score adjustment",
     "lowering it needs CAP_SYS_RESOURCE on the host"},
    {ProcessStage::affinity, "setting the CPU affinity", "none of these CPUs is there and allowed"},
    {ProcessStage::personality, "setting the personality", "this kernel does not know it"},
    {ProcessStage::scheduler, "setting the scheduler", ""},
    {ProcessStage::io_priority, "setting the I/O priority", ""},
    {ProcessStage::directory, "entering the working directory", ""},
    {ProcessStage::bounding, "limiting capabilities", ""},
    {ProcessStage::groups, "setting supplementary groups", "a group is outside the machine's id range"},
    {ProcessStage::ids, "becoming the user", "the id is outside the machine's id range"},
    {ProcessStage::capabilities, "setting capabilities", "croft itself does not have all that are asked for"},
    {ProcessStage::labels, "setting the security label",
     "the profile is not loaded, or this host has no such security module"},
    {ProcessStage::no_new_privileges, "forbidding new privileges", ""},
    {ProcessStage::seccomp, "loading the system call filter", ""},
    {ProcessStage::fds, "closing descriptors", ""},
    {ProcessStage::hostname, "setting the host name", ""},
    {ProcessStage::parent_death, "tying the machine to croft", ""},
    {ProcessStage::keyring, "making a session keyring", ""},
    {ProcessStage::memory_policy, "setting the memory policy",
     "the kernel does not know this mode or flag, or none of the nodes is there and allowed (numactl --hardware)"},
};

// "(…)" only where the errno is the one that the hint is about.
bool hint_applies(ProcessStage stage, int err) {
    switch (stage) {
        case ProcessStage::affinity:
        case ProcessStage::ids:
        case ProcessStage::groups:
        case ProcessStage::personality:
        case ProcessStage::memory_policy:
            return err == EINVAL;
        case ProcessStage::labels:
            return true;
        default:
            return err == EPERM || err == EACCES;
    }
}

}  // namespace

Error process_error(const LaunchPlan& plan, const StepFailure& failure) {
    auto stage = static_cast<ProcessStage>(failure.detail);
    if (stage == ProcessStage::directory) {
        Error e =
            os_error(failure.error, cat("entering the working directory ", quoted(plan.process.directory)));
        return with_hint(std::move(e), failure.error == ENOENT ? "the tree has no such directory" : "");
    }
    for (const StageWords& words : stage_words) {
        if (words.stage != stage) continue;
        std::string phrase = words.phrase;
        if (stage == ProcessStage::ids)
            phrase = cat("becoming user ", plan.process.uid, ", group ", plan.process.gid);
        return with_hint(os_error(failure.error, phrase),
                         hint_applies(stage, failure.error) ? words.hint : "");
    }
    return os_error(failure.error, "preparing the machine's first process");
}

Error exec_error(const LaunchPlan& plan, const StepFailure& failure) {
    const Process& process = plan.process;
    std::string command = process.argv.empty() ? "''" : quoted(process.argv.front());
    bool has_slash = !process.argv.empty() && process.argv.front().find('/') != std::string::npos;
    auto make = [&](Errc code, const std::string& text) { return Error{code, failure.error, text}; };
    switch (failure.error) {
        case ENOENT:
        case ENOTDIR:
            if (failure.detail == 1)
                return make(Errc::no_command,
                            cat("executing ", command,
                                ": it is there, but the interpreter that it names is not: the dynamic "
                                "linker of a program, or what stands behind '#!' in a script"));
            if (has_slash) return make(Errc::no_command, cat("there is no ", command, " in the tree"));
            return make(Errc::no_command, cat("there is no command ", command, " in the tree (searched ",
                                              process.search_path, ")"));
        case ENOEXEC:
            return make(Errc::not_executable,
                        cat("executing ", command,
                            ": the kernel cannot execute it: a binary of another architecture, "
                            "or a script without a '#!' line (or an empty file)"));
        case EACCES:
            return make(Errc::not_executable,
                        cat("executing ", command,
                            ": Permission denied: it is no regular file, is not marked executable for "
                            "this user, or is on a file system mounted noexec"));
        case ELIBBAD:
            return make(
                Errc::not_executable,
                cat("executing ", command, ": its dynamic linker is damaged or of another architecture"));
        case E2BIG:
            return make(Errc::not_executable,
                        cat("executing ", command, ": arguments and environment are too long"));
        default:
            return make(Errc::not_executable, cat("executing ", command, ": ", errno_text(failure.error)));
    }
}

}  // namespace croft::launch
