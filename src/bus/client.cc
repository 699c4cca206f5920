#include "bus/client.h"

#include <limits.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/scope.h"
#include "base/text.h"
#include "bus/agent.h"
#include "bus/command.h"
#include "bus/handles.h"
#include "cli/arguments.h"

namespace croft::bus {

namespace {
constexpr uint64_t patience = 300'000'000;  // µs: a person types a password
constexpr int restarts = 5;                 // of croftd, in a row, that a wait survives

// One command over the bus, from the call to the status.
class Client {
  public:
    Client(const cli::Verb& verb, std::vector<std::string> words) : verb_(verb), words_(std::move(words)) {}

    Result<int> run() {
        int r = sd_event_default(event_.put());
        if (r >= 0) r = sd_bus_open_system(bus_.put());
        if (r >= 0) r = sd_bus_attach_event(bus_.get(), event_.get(), SD_EVENT_PRIORITY_NORMAL);
        if (r < 0) return bus_error(r, "connecting to the system bus");
        TRY(ask());
        forward_signals();
        wait();
        r = sd_event_loop(event_.get());
        if (failure_) return std::move(*failure_);
        if (r < 0) return bus_error(r, "waiting for the job");
        return status_;
    }

  private:
    Result<> ask() {
        Message call, reply;
        int r = sd_bus_message_new_method_call(bus_.get(), call.put(), bus_name, root_path, manager_interface,
                                               "Command");
        if (r >= 0) r = sd_bus_message_append(call.get(), "s", verb_.name);
        if (r >= 0) r = append_value(call.get(), words_);
        if (r >= 0) r = append_options(call.get());
        if (r >= 0)
            r = sd_bus_message_append(call.get(), "ah", 3, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
        if (r >= 0) r = sd_bus_message_set_allow_interactive_authorization(call.get(), 1);
        if (r < 0) return bus_error(r, "asking croftd");
        Agent agent;
        sd_bus_error why = SD_BUS_ERROR_NULL;
        OnExit free_error([&] { sd_bus_error_free(&why); });
        r = sd_bus_call(bus_.get(), call.get(), patience, &why, reply.put());
        const char* path = nullptr;
        if (r >= 0) r = sd_bus_message_read(reply.get(), "o", &path);
        if (r >= 0) job_ = path;
        if (r >= 0) return {};
        return sd_bus_error_is_set(&why) ? error_from(why, "") : bus_error(r, "asking croftd");
    }

    static int append_options(sd_bus_message* call) {
        const char* term = getenv("TERM");
        char here[PATH_MAX];
        int r = sd_bus_message_open_container(call, 'a', "{sv}");
        if (r >= 0) r = append_member(call, "attached", true);
        if (r >= 0 && term && is_terminal_kind(term)) r = append_member(call, "term", std::string(term));
        if (r >= 0 && getcwd(here, sizeof here)) r = append_member(call, "directory", std::string(here));
        return r < 0 ? r : sd_bus_message_close_container(call);
    }

    // Whatever would reach croft as a signal reaches the job's croft as one; what a terminal's size is, it
    // asks itself.
    void forward_signals() {
        sigset_t set;
        sigemptyset(&set);
        for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH})
            sigaddset(&set, signal);
        sigprocmask(SIG_BLOCK, &set, nullptr);
        auto forward = [](sd_event_source*, const signalfd_siginfo* info, void* data) {
            auto* self = static_cast<Client*>(data);
            sd_bus_call_method_async(self->bus_.get(), nullptr, bus_name, self->job_.c_str(), job_interface,
                                     "Signal", nullptr, nullptr, "i", static_cast<int>(info->ssi_signo));
            return 0;
        };
        for (int signal = 1; signal < SIGRTMIN; ++signal)
            if (sigismember(&set, signal) == 1)
                sd_event_add_signal(event_.get(), nullptr, signal, forward, this);
    }

    void wait() {
        Message call;
        int r = sd_bus_message_new_method_call(bus_.get(), call.put(), bus_name, job_.c_str(), job_interface,
                                               "Wait");
        if (r >= 0) r = sd_bus_call_async(bus_.get(), nullptr, call.get(), ended, this, UINT64_MAX);
        if (r < 0) give_up(bus_error(r, "waiting for the job"));
    }

    static int ended(sd_bus_message* reply, void* data, sd_bus_error*) {
        auto* self = static_cast<Client*>(data);
        const sd_bus_error* why = sd_bus_message_get_error(reply);
        std::string_view name = why ? why->name : "";
        if (name.empty() || name.starts_with("org.croft.Croft1.Error."))
            self->read_status();
        else if (name == SD_BUS_ERROR_NO_REPLY && self->restarts_left_-- > 0)
            self->wait();  // croftd was killed; the job was not
        else
            self->give_up(error_from(*why, "waiting for the job"));
        return 0;
    }

    // The job has said itself, on our standard error, what went wrong: its status is all that is left to
    // tell.
    void read_status() {
        sd_bus_error why = SD_BUS_ERROR_NULL;
        int r = sd_bus_get_property_trivial(bus_.get(), bus_name, job_.c_str(), job_interface, "Status", &why,
                                            'i', &status_);
        if (r < 0) give_up(error_from(why, "reading the job's status"));
        sd_bus_error_free(&why);
        sd_event_exit(event_.get(), 0);
    }

    void give_up(Error why) {
        failure_ = std::move(why);
        sd_event_exit(event_.get(), 0);
    }

    const cli::Verb& verb_;
    std::vector<std::string> words_;
    Event event_;
    Bus bus_;
    std::string job_;
    int status_ = 255;
    int restarts_left_ = restarts;
    std::optional<Error> failure_;
};
}  // namespace

std::vector<std::string> with_own_variables(std::vector<std::string> words) {
    std::vector<std::string> out;
    bool options = true;
    for (std::string& word : words) {
        options = options && word != "--";
        size_t name = word.find('=') + 1;
        std::string_view option = std::string_view(word).substr(0, name);
        bool variable =
            options && (option == "--env=" || option == "-e=" || option == "--setenv=" || option == "-E=");
        if (!variable || word.find('=', name) != word.npos || word.size() == name) {
            out.push_back(std::move(word));
        } else if (const char* value = getenv(word.c_str() + name)) {
            out.push_back(cat(word, "=", value));
        }
    }
    return out;
}

Result<int> run_over_bus(const cli::Verb& verb, std::span<char* const> arguments) {
    cli::Arguments args = TRY(cli::parse_arguments(verb, arguments));
    // A job that was killed leaves a terminal as it was last.
    termios before = {};
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    OnExit restore([&] {
        if (terminal) tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    });
    return Client(verb, with_own_variables(args.words())).run();
}

}  // namespace croft::bus
