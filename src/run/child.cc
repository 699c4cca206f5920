#include "run/child.h"

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/text.h"
#include "kernel/raw.h"
#include "run/process.h"
#include "run/walk.h"

namespace croft::run {

using kernel::arg;
using kernel::raw;
using launch::Phase;
using launch::ProcessStage;

Prepared::Prepared(const launch::Process& p) : process(p) {
    for (const auto& word : p.argv) argv.push_back(word.c_str());
    for (const auto& word : p.env) envp.push_back(word.c_str());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    for (uint32_t node : p.memory_policy_nodes) {
        if (node / 64 >= nodes.size()) nodes.resize(node / 64 + 1);
        nodes[node / 64] |= 1UL << node % 64;
    }
}

void Prepared::use_init(Fd program, int sync) {
    handed.sync = sync;
    words = {"croft-init", cat("--report=", sync), cat("--path=", process.search_path)};
    if (handed.gate >= 0)
        words.push_back(cat("--gate=", handed.gate)), words.push_back(cat("--answer=", handed.answer));
    if (handed.hooks >= 0)
        words.push_back(cat("--hooks=", handed.hooks)), words.push_back(cat("--state=", handed.state));
    if (!process.init) words.push_back("--exec");
    words.push_back("--");
    for (size_t i = 0; i < words.size(); ++i)
        argv.insert(argv.begin() + static_cast<long>(i), words[i].c_str());
    init = program.get();
    init_file = std::move(program);
}

namespace {

[[noreturn]] void fail(const Context& c, Phase phase, uint8_t detail, size_t index, long error) {
    FailureMessage message;
    message.failure = {.phase = phase,
                       .detail = detail,
                       .index = static_cast<uint16_t>(index),
                       .error = static_cast<int32_t>(-error)};
    __builtin_memcpy(message.reason, c.reason, sizeof message.reason);
    // write, not send: a filter that is loaded by now may not know the latter.
    raw(SYS_write, c.sync, arg(&message), sizeof message);
    // Our end may be the launcher's own (a unit's main process takes all of the unit with it), so it is the launcher that
    // ends us, when it has told what was wrong.
    char byte;
    while (raw(SYS_read, c.sync, arg(&byte), 1) == -EINTR) {
    }
    for (;;) raw(SYS_exit_group, 125);
}

// A handler is of no use to the payload, and what the caller of croft ignores (nohup, a shell's background
// job) is not to be ignored inside.
void reset_signals() {
    struct {
        void* handler = nullptr;
        unsigned long flags = 0;
        void* restorer = nullptr;
        uint64_t mask = 0;
    } standard;
    for (int signal = 1; signal <= 64; ++signal)
        if (signal != SIGKILL && signal != SIGSTOP)
            raw(SYS_rt_sigaction, signal, arg(&standard), 0, sizeof standard.mask);
    raw(SYS_rt_sigprocmask, SIG_SETMASK, arg(&standard.mask), 0, sizeof standard.mask);
}

// The fault walk kills the launcher, whom this process cannot name from its own PID namespace.
void passed(const Prepared& prepared, const Context& c, uint32_t point) {
    if (point != prepared.faults.kill_at) return;
    raw(SYS_write, c.sync, arg("k"), 1);
    // Until its end of the socket closes: a change of ids has taken the parent-death signal away.
    char byte;
    while (raw(SYS_recvfrom, c.sync, arg(&byte), 1, 0, 0, 0) == -EINTR) {
    }
    raw(SYS_exit_group, 125);
}

void apply_process(const Prepared& prepared, Context& c) {
    ProcessStages stages{prepared, c};
    uint32_t point = prepared.first_point + (c.plan ? static_cast<uint32_t>(c.plan->inside.size()) : 0);
    for (uint32_t i = 0; i < process_points; ++i) {
        long error = prepared.faults.before(point);
        if (error >= 0) error = stages.apply(i);
        if (error < 0 && ProcessStages::name(i) == ProcessStage::command)
            fail(c, Phase::exec, stages.command_is_there(), 0, error);
        if (error < 0) fail(c, Phase::process, static_cast<uint8_t>(ProcessStages::name(i)), 0, error);
        passed(prepared, c, point++);
    }
}

long exec_file(const Prepared& p, const char* path) {
    return raw(SYS_execve, arg(path), arg(p.argv.data()), arg(p.envp.data()));
}

[[noreturn]] void execute(const Prepared& prepared, Context& c) {
    const launch::Process& p = prepared.process;
    // croft-init tells over the same socket when it cannot execute the command.
    const Prepared::Handed& h = prepared.handed;
    const int handed[] = {h.sync, h.gate, h.answer, h.hooks, h.state};
    if (prepared.init >= 0)
        for (int fd : handed)
            if (fd >= 0) raw(SYS_fcntl, fd, F_SETFD, 0);
    if (prepared.init >= 0)
        fail(c, Phase::exec, 0, 0,
             raw(SYS_execveat, prepared.init, arg(""), arg(prepared.argv.data()), arg(prepared.envp.data()),
                 AT_EMPTY_PATH));
    const char* command = p.argv[0].c_str();
    if (p.argv[0].find('/') != std::string::npos) {
        long error = exec_file(prepared, command);
        bool there = raw(SYS_faccessat, AT_FDCWD, arg(command), 0) >= 0;
        fail(c, Phase::exec, there, 0, error);
    }
    // As execvp(3): a file that is missing is passed over, one that may not be executed is remembered.
    long worst = -ENOENT;
    bool there = false;
    for (const char* at = p.search_path.c_str(); *at;) {
        Path<4096> file;
        for (; *at && *at != ':'; ++at) file.add(at, 1);
        if (*at == ':') ++at;
        file.add("/").add(command);
        long error = exec_file(prepared, file.text);
        bool found = raw(SYS_faccessat, AT_FDCWD, arg(file.text), 0) >= 0;
        if ((error != -ENOENT && error != -ENOTDIR) || found) {
            worst = error;
            there = found;
            if (error != -EACCES) break;
        }
    }
    fail(c, Phase::exec, there, 0, worst);
}

void wait_for_go(const Context& c) {
    char byte;
    long n;
    do n = raw(SYS_recvfrom, c.sync, arg(&byte), 1, 0, 0, 0);
    while (n == -EINTR);
    // The launcher died or gave up: there is nobody to tell.
    if (n != 1) raw(SYS_exit_group, 125);
}

}  // namespace

void become_payload(const Prepared& prepared, Context& c) {
    c.place = Place::inside;
    reset_signals();
    end_with_launcher(c, SIGKILL);
    if (prepared.wait_for_go) wait_for_go(c);
    if (prepared.user_namespace) {
        long error = raw(SYS_setresgid, 0, 0, 0);
        if (error >= 0) error = raw(SYS_setresuid, 0, 0, 0);
        end_with_launcher(c, SIGKILL);
        if (error < 0) fail(c, Phase::process, static_cast<uint8_t>(ProcessStage::ids), 0, error);
    }
    if (prepared.unshare)
        if (long error = raw(SYS_unshare, static_cast<long>(prepared.unshare)); error < 0)
            fail(c, Phase::clone, 0, 0, error);
    if (c.plan) {
        // Our own copy of the stage's root is where we start; the launcher's descriptor is of its mount
        // namespace.
        if (c.stage >= 0) {
            c.stage = static_cast<int>(raw(SYS_openat, AT_FDCWD, arg("."), O_PATH | O_DIRECTORY | O_CLOEXEC));
            raw(SYS_chdir, arg("/"));
        }
        const auto& steps = c.plan->inside;
        for (size_t i = 0; i < steps.size(); ++i) {
            uint32_t point = prepared.first_point + static_cast<uint32_t>(i);
            long error = prepared.faults.before(point);
            if (error >= 0) error = perform(steps[i], c);
            if (error < 0) fail(c, Phase::inside, 0, i, error);
            passed(prepared, c, point);
        }
    }
    apply_process(prepared, c);
    execute(prepared, c);
}

}  // namespace croft::run
