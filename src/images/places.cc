#include "images/places.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/fd.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "images/copy_progress.h"
#include "images/open_store.h"
#include "images/store_place.h"

namespace croft::images {

namespace {
using cli::Arguments;

// The option of that side, else the one for both.
const std::string* sided(const Arguments& arguments, Side side, std::string_view name) {
    const std::string* own = nullptr;
    if (side != Side::only) own = arguments.value(cat(side == Side::source ? "--src-" : "--dest-", name));
    return own ? own : arguments.value(cat("--", name));
}

bool interrupted() {
    return cli::Interrupt::signal() != 0;
}

Result<registry::Credentials> credentials_of(const std::string& word) {
    size_t colon = word.find(':');
    registry::Credentials out{.user = word.substr(0, colon), .password = "", .identity_token = ""};
    if (out.user.empty())
        return error(Errc::invalid,
                     "--creds: there is no name in it; it is USER:PASSWORD, or USER alone to be asked");
    out.password = colon == std::string::npos ? TRY(ask_password(cat("Password of ", out.user, ": "))) : word.substr(colon + 1);
    return out;
}

// Signals that would end or stop this process wait as long as it lives: a terminal is not left without its echo.
class SignalsWait {
  public:
    SignalsWait() {
        sigset_t held;
        sigemptyset(&held);
        for (int number : numbers) sigaddset(&held, number);
        sigprocmask(SIG_BLOCK, &held, &before_);
    }
    ~SignalsWait() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
    SignalsWait(const SignalsWait&) = delete;
    SignalsWait& operator=(const SignalsWait&) = delete;

    static bool one_waits() {
        sigset_t waiting;
        sigemptyset(&waiting);
        sigpending(&waiting);
        return std::ranges::any_of(numbers, [&](int number) { return sigismember(&waiting, number) == 1; });
    }

  private:
    static constexpr int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    sigset_t before_;
};

Result<> read_numbers(const Arguments& arguments, registry::PlaceOptions& out) {
    if (auto times = TRY(cli::number_option(arguments, "--retry-times"))) {
        if (*times > 100) return error(Errc::invalid, "--retry-times: more than 100 tries help nobody");
        out.retry_times = static_cast<unsigned>(*times);
    }
    if (auto delay = TRY(cli::duration_option(arguments, "--retry-delay"))) out.retry_delay = *delay;
    if (auto timeout = TRY(cli::duration_option(arguments, "--timeout"))) {
        if (!*timeout) return error(Errc::invalid, "--timeout: without any time nothing can come (1min is the default)");
        out.timeout = *timeout;
    }
    return {};
}
}  // namespace

Result<registry::PlaceOptions> place_options(const Arguments& arguments, Side side) {
    registry::PlaceOptions out{.interrupted = interrupted};
    if (auto* verify = sided(arguments, side, "tls-verify")) {
        out.tls_verify = parse_bool(*verify);
        if (!out.tls_verify) return error(Errc::invalid, cat("--tls-verify: ", quoted(*verify), " is neither yes nor no"));
    }
    if (auto* creds = sided(arguments, side, "creds")) out.credentials = TRY(credentials_of(*creds));
    if (auto* dir = sided(arguments, side, "cert-dir")) out.cert_dir = *dir;
    if (auto* file = sided(arguments, side, "authfile")) out.authfile = *file;
    if (auto* token = arguments.value("--registry-token")) out.registry_token = *token;
    if (auto* conf = arguments.value("--registries-conf")) out.registries_conf = *conf;
    if (auto* directory = arguments.value("--registries.d")) out.registries_d = *directory;
    if (auto* policy = arguments.value("--policy")) out.policy = *policy;
    if (auto* platform = arguments.value("--platform")) out.platform = TRY(image::parse_platform(*platform).within("--platform"));
    out.anonymous = arguments.has("--no-creds");
    out.additional_tags = arguments.values("--additional-tag");
    TRY(read_numbers(arguments, out));
    return out;
}

Result<std::unique_ptr<registry::ImageSource>> open_any_source(const image::Reference& reference,
                                                               const registry::PlaceOptions& options) {
    if (reference.transport == image::Transport::store) {
        StorePtr store = TRY(open_store());
        return store_source(std::move(store), reference.text());
    }
    return registry::open_source(reference, options);
}

Result<std::unique_ptr<registry::ImageTarget>> open_any_target(const image::Reference& reference,
                                                               const registry::PlaceOptions& options) {
    if (reference.transport == image::Transport::store) {
        manager::Paths paths = TRY(manager::find_paths());
        StorePtr store = TRY(open_store(paths));
        return store_target(std::move(store), {.name = reference.text(),
                                               .source = "",
                                               .helper = unpack_helper(paths),
                                               .platform = options.platform});
    }
    return registry::open_target(reference, options);
}

Result<> copy_with_progress(const Arguments& arguments, registry::ImageSource& from, registry::ImageTarget& to,
                            const registry::PlaceOptions& options, const std::string& what) {
    registry::CopyOptions copy{.platform = options.platform, .interrupted = options.interrupted};
    CopyProgressLine progress(what);
    if (!arguments.has("--quiet")) copy.progress = &progress;
    auto done = registry::copy_image(from, to, copy);
    progress.end();
    return done ? Result<>() : std::move(done).error();
}

Result<> copy_there(const Arguments& arguments, registry::ImageSource& from, const image::Reference& target) {
    registry::PlaceOptions options = TRY(place_options(arguments, Side::only));
    auto to = TRY(open_any_target(target, options));
    return copy_with_progress(arguments, from, *to, options, cat("writing ", target.text()));
}

Result<std::string> ask_password(const std::string& prompt) {
    auto terminal = open_at(AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY);
    if (!terminal)
        return error(Errc::usage,
                     "there is no terminal to ask for the password; give it as USER:PASSWORD, or by "
                     "--password-stdin to `croft image login`");
    termios old;
    if (tcgetattr(terminal->get(), &old)) return os_error(errno, "asking for the password");
    termios quiet = old;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    TRY(write_all(terminal->get(), prompt));
    SignalsWait signals;
    if (tcsetattr(terminal->get(), TCSAFLUSH, &quiet)) return os_error(errno, "asking for the password");
    OnExit restore([&] { tcsetattr(terminal->get(), TCSAFLUSH, &old); });
    std::string out;
    char room[1024];
    pollfd line{terminal->get(), POLLIN, 0};
    while (poll(&line, 1, 100) == 0)
        if (SignalsWait::one_waits()) return error(Errc::failed, "interrupted");
    ssize_t count = read(terminal->get(), room, sizeof room);
    if (count < 0) return os_error(errno, "reading the password");
    out.assign(room, static_cast<size_t>(count));
    while (out.ends_with('\n') || out.ends_with('\r')) out.pop_back();
    return out;
}

}  // namespace croft::images
