/* Runs several commands in turn, round after round, and prints each one's median wall time, CPU time and peak
 * memory: `rounds N NAME COMMAND… --- NAME COMMAND… --- …`. Interleaved, so that a machine whose speed drifts drifts
 * for all of them alike. Static and small, because a large parent would pay for its page tables in every fork. A word
 * `then` in a COMMAND makes it several, which run one after the other and count as one.
 *
 * `rounds series N REFERENCE COMMAND…` runs one command N times, with a name of its own in place of the word {}, and
 * prints how many microseconds each tenth of them took: the rate, and what the thousandth costs more than the first.
 * After each of them the program REFERENCE runs, whose tenths are printed too: by them a machine that has become slower
 * meanwhile is told from a command that has. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { most = 16 };
struct command {
    char *name, **argv;
    uint64_t *wall, *cpu;
    long peak;
    int failures;
};

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t us(struct timeval t) { return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_usec; }

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int run_command(char **argv, struct rusage *usage) {
    pid_t pid = vfork();
    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    int status;
    while (wait4(pid, &status, 0, usage) < 0 && errno == EINTR) {
    }
    return status;
}

static void run_once(struct command *c, int round) {
    uint64_t start = now(), cpu = 0;
    long peak = 0;
    int failed = 0;
    for (char **argv = c->argv; *argv;) {
        char **end = argv;
        while (*end && strcmp(*end, "then")) ++end;
        char *then = *end;
        *end = NULL;
        struct rusage usage;
        failed |= run_command(argv, &usage);
        *end = then;
        cpu += us(usage.ru_utime) + us(usage.ru_stime);
        if (usage.ru_maxrss > peak) peak = usage.ru_maxrss;
        argv = then ? end + 1 : end;
    }
    if (round < 0) return; /* warm-up */
    c->wall[round] = now() - start;
    c->cpu[round] = cpu;
    if (peak > c->peak) c->peak = peak;
    if (failed) ++c->failures;
}

static int silent(void) {
    int output = fcntl(1, F_DUPFD_CLOEXEC, 3), null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0), dup2(null, 1);
    return output;
}

static void print_tenths(int output, const struct command *c, int count) {
    for (int tenth = 0; tenth < 10; ++tenth) {
        uint64_t sum = 0;
        for (int i = tenth * count / 10; i < (tenth + 1) * count / 10; ++i) sum += c->wall[i];
        dprintf(output, "%lu ", (unsigned long)(sum / 1000));
    }
    dprintf(output, "failed %d\n", c->failures);
}

static struct command make_command(char **argv, int count) {
    size_t size = (size_t)count;
    return (struct command){.argv = argv, .wall = calloc(size, sizeof(uint64_t)), .cpu = calloc(size, sizeof(uint64_t))};
}

static int series(int count, char **argv) {
    int output = silent();
    char number[24], *reference_argv[] = {*argv++, NULL};
    struct command command = make_command(argv, count), reference = make_command(reference_argv, count);
    while (*argv && strcmp(*argv, "{}")) ++argv;
    if (*argv) *argv = number;
    for (int i = 0; i < count; ++i) {
        snprintf(number, sizeof number, "bench-%d", i);
        run_once(&command, i);
        run_once(&reference, i);
    }
    print_tenths(output, &command, count);
    print_tenths(output, &reference, count);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 4 && !strcmp(argv[1], "series") && atoi(argv[2]) >= 10) return series(atoi(argv[2]), argv + 3);
    int rounds = argc > 1 ? atoi(argv[1]) : 0, count = 0;
    struct command commands[most] = {0};
    for (int i = 2; i < argc && count < most; ++i) {
        struct command *c = &commands[count++];
        *c = make_command(argv + i + 1, rounds);
        c->name = argv[i++];
        while (i < argc && strcmp(argv[i], "---")) ++i;
        if (i < argc) argv[i] = NULL;
    }
    if (rounds < 1 || !count) {
        fprintf(stderr, "usage: rounds N NAME COMMAND... [--- NAME COMMAND...]... | rounds series N REFERENCE COMMAND...\n");
        return 2;
    }
    int output = silent();
    for (int round = -2; round < rounds; ++round)
        for (int i = 0; i < count; ++i) run_once(&commands[i], round);
    for (int i = 0; i < count; ++i) {
        struct command *c = &commands[i];
        qsort(c->wall, (size_t)rounds, sizeof *c->wall, compare);
        qsort(c->cpu, (size_t)rounds, sizeof *c->cpu, compare);
        dprintf(output, "%s wall_us %lu min_us %lu cpu_us %lu peak_kib %ld failed %d\n", c->name,
                (unsigned long)(c->wall[rounds / 2] / 1000), (unsigned long)(c->wall[0] / 1000),
                (unsigned long)c->cpu[rounds / 2], c->peak, c->failures);
    }
    return 0;
}
