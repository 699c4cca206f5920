#include "cli/started.h"

#include <unistd.h>

#include <ctime>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/machine_text.h"
#include "cli/output.h"
#include "cli/sanitize.h"

namespace croft::cli {

uint64_t monotonic() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1000000 + static_cast<uint64_t>(time.tv_nsec) / 1000;
}

std::string started_json(const manager::Started& started) {
    format::JsonWriter json(format::JsonStyle::compact);
    json.begin_object().member("name", started.name).key("leader");
    if (started.leader)
        json.value(started.leader);
    else
        json.null();
    json.key("outcome");
    outcome_json(json, started.outcome);
    json.end_object();
    return json.take();
}

// The console is raw while the machine has it, so lines begin with a carriage return of our own.
void say_up(std::string_view name, uint64_t since, bool has_terminal) {
    std::string text = cat("machine ", quoted(name), " is up after ", took(monotonic() - since));
    if (has_terminal && is_terminal(STDERR_FILENO)) {
        [[maybe_unused]] Result<> ignored = write_all(STDERR_FILENO, cat("\r\ncroft: ", text, "\r\n"));
    } else {
        info(text);
    }
}

Error ended_early(const manager::Started& started) {
    std::string text =
        cat("machine ", quoted(started.name), " ended before it was up: ", launch::describe(started.outcome));
    if (started.last_output.empty()) return error(Errc::failed, text + ", without a word");
    return error(Errc::failed, cat(text, "; its last output:\n", Sanitizer().feed(started.last_output)));
}

}  // namespace croft::cli
