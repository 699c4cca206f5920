// ps: the processes of a container.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "format/json_writer.h"
#include "kernel/cgroup.h"
#include "oci/container.h"
#include "oci/output.h"

namespace croft::oci {

namespace {
// The lines of ps(1) that are about these processes; which column has the pid, its heading tells.
std::string lines_of(const std::string& text, const std::vector<int>& pids) {
    std::string out;
    size_t column = 0;
    bool heading = true;
    for (const std::string& line : split(text, '\n')) {
        std::vector<std::string> words;
        for (std::string& word : split(line, ' '))
            if (!word.empty()) words.push_back(std::move(word));
        if (heading) {
            column = static_cast<size_t>(std::ranges::find(words, "PID") - words.begin());
            out += line + "\n";
            heading = false;
            continue;
        }
        auto pid = column < words.size() ? parse_int(words[column]) : std::nullopt;
        if (pid && std::ranges::find(pids, *pid) != pids.end()) out += line + "\n";
    }
    return out;
}

Result<std::string> run_ps(const std::vector<std::string>& options) {
    Pipe pipe = TRY(make_pipe());
    std::vector<const char*> argv = {"ps"};
    if (options.empty()) argv.push_back("-ef");
    for (const std::string& option : options) argv.push_back(option.c_str());
    argv.push_back(nullptr);
    pid_t pid = fork();
    if (pid < 0) return os_error(errno, "running ps");
    if (pid == 0) {
        dup2(pipe.write.get(), 1);
        execvp("ps", const_cast<char**>(argv.data()));
        _exit(127);
    }
    pipe.write.reset();
    auto text = read_all(pipe.read.get(), 64 << 20);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return error(Errc::not_found, "the program ps is not there (Debian: procps); --format json needs none");
    if (status) return error(Errc::failed, cat("ps ", join(options, " "), " failed: try other options for it"));
    return text;
}
}  // namespace

Result<int> verb_ps(const Call& call) {
    Places places = TRY(find_places(call.global));
    std::string format = TRY(format_of(call));
    Container c = TRY(open_container(places, call.operands[0], Lock::no));
    if (!c.alive()) return error(Errc::wrong_state, cat("container not running: ", quoted(c.id)));
    std::vector<int> pids = {c.record.init.pid};
    if (!c.record.cgroup.empty()) {
        Fd group = TRY(open_at(AT_FDCWD, c.record.cgroup.c_str(), O_RDONLY | O_DIRECTORY)
                           .within(cat("the control group of container ", quoted(c.id))));
        pids = TRY(kernel::cgroup_pids(group.get()));
    }
    if (format == "json") {
        format::JsonWriter json(format::JsonStyle::compact);
        json.begin_array();
        for (int pid : pids) json.value(pid);
        json.end_array();
        TRY(print(json.take() + "\n"));
        return 0;
    }
    std::string text = TRY(run_ps({call.operands.begin() + 1, call.operands.end()}));
    TRY(print(lines_of(text, pids)));
    return 0;
}

}  // namespace croft::oci
