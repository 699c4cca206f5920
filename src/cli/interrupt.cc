#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace croft::cli {

namespace {
volatile sig_atomic_t came = 0;
constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};

void note(int number) {
    if (!came) came = number;
}

// Only what is now `from`.
void replace(void (*from)(int), void (*to)(int)) {
    for (int number : signals) {
        struct sigaction now = {};
        if (sigaction(number, nullptr, &now) < 0 || now.sa_handler != from) continue;
        now = {};
        now.sa_handler = to;
        now.sa_flags = SA_RESTART;
        sigaction(number, &now, nullptr);
    }
}
}  // namespace

Interrupt::Interrupt() {
    came = 0;
    replace(SIG_DFL, note);
}

Interrupt::~Interrupt() {
    replace(note, SIG_DFL);
}

int Interrupt::signal() {
    return came;
}

void die_of(int number) {
    ::signal(number, SIG_DFL);
    raise(number);
    _exit(128 + number);
}

}  // namespace croft::cli
