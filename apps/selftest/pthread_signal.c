/* SPDX-License-Identifier: MIT
 *
 * Signals within the program, and timers and clocks of POSIX.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lib/atomic.h"
#include "selftest.h"

static unsigned int handled;
static int last_signal, last_value, last_code;
static pthread_t handled_by;

static void note(int signal)
{
    last_signal = signal;
    handled_by = pthread_self();
    errno = 77; /* must not be seen by whom we interrupted */
    atomic_fetch_add(&handled, 1);
}

static void note_info(int signal, siginfo_t *info, void *context)
{
    (void)context;
    last_value = info->si_value.sival_int;
    last_code = info->si_code;
    note(signal);
}

static void handle(int signal, int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_flags = flags;
    if (flags & SA_SIGINFO)
        action.sa_sigaction = note_info;
    else
        action.sa_handler = note;
    CHECK_EQ(sigaction(signal, &action, NULL), 0);
    store_once(&handled, 0);
}

TEST(pthread_signal_raised_and_blocked)
{
    sigset_t set, pending;

    handle(SIGUSR1, 0);
    errno = 5;
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(handled, 1);
    CHECK_EQ(errno, 5);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(raise(SIGUSR1), 0); /* is pending once */
    CHECK_EQ(handled, 1);
    CHECK_EQ(sigpending(&pending), 0);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 1);
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    CHECK_EQ(handled, 2);
    CHECK_EQ(sigpending(&pending), 0);
    CHECK_EQ(sigismember(&pending, SIGUSR1), 0);
    CHECK(sigaddset(&set, NSIG) == -1 && errno == EINVAL);
    CHECK_EQ(kill(getpid(), 0), 0);
    CHECK(kill(4711, SIGUSR1) == -1 && errno == ESRCH);
    CHECK(signal(SIGUSR1, SIG_IGN) == note);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(handled, 2);
    signal(SIGUSR1, SIG_DFL);
}

static sem_t ready, never;

static void *wait_and_count(void *arg)
{
    int *interrupted = arg;

    sem_post(&ready);
    errno = 0;
    if (sem_wait(&never) == -1 && errno == EINTR)
        ++*interrupted;
    sem_post(&ready);
    if (usleep(1000 * 1000 * 1000) == -1 && errno == EINTR)
        ++*interrupted;
    return NULL;
}

TEST(pthread_signal_interrupts_waiting)
{
    int interrupted = 0;
    pthread_t thread;

    sem_init(&ready, 0, 0);
    sem_init(&never, 0, 0);
    handle(SIGUSR1, 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, wait_and_count, &interrupted), 0);
    for (unsigned int i = 1; i <= 2; i++) {
        sem_wait(&ready);
        test_sleep_ms(2);
        CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
        CHECK_EQ(test_await(&handled, i), i);
        CHECK(pthread_equal(handled_by, thread));
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(interrupted, 2);
    signal(SIGUSR1, SIG_DFL);
}

static volatile unsigned long counter;
static volatile double number;

static void *compute_until_signalled(void *unused)
{
    double expected = 1.0;

    (void)unused;
    sem_post(&ready);
    while (!load_once(&handled)) {
        counter++;
        expected = expected * 1.0000001 + 0.5;
        number = expected;
    }
    CHECK(number == expected);
    return NULL;
}

TEST(pthread_signal_interrupts_computing)
{
    pthread_t thread;

    handle(SIGUSR2, 0);
    REQUIRE_EQ(pthread_create(&thread, NULL, compute_until_signalled, NULL), 0);
    sem_wait(&ready);
    test_sleep_ms(2);
    CHECK_EQ(pthread_kill(thread, SIGUSR2), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(handled, 1);
    CHECK(pthread_equal(handled_by, thread));
    signal(SIGUSR2, SIG_DFL);
}

static jmp_buf escape;

static void jump(int signal)
{
    (void)signal;
    longjmp(escape, 1);
}

TEST(pthread_alarm_may_jump_out)
{
    struct timespec time;
    sigset_t set;

    CHECK(signal(SIGALRM, jump) != SIG_ERR);
    if (setjmp(escape) == 0) {
        CHECK_EQ(ualarm(2000, 0), 0);
        for (;;)
            clock_gettime(CLOCK_MONOTONIC, &time); /* half of the time in the kernel */
    }
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK_EQ(alarm(100), 0);
    CHECK_EQ(alarm(0), 100);
    signal(SIGALRM, SIG_DFL);
}

static void *send_three(void *unused)
{
    (void)unused;
    for (int i = 1; i <= 3; i++)
        CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 4 - i, (union sigval){ .sival_int = i }), 0);
    CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 4 }), 0);
    return NULL;
}

TEST(pthread_sigwait_takes_the_lowest_first)
{
    static const int values[] = { 3, 4, 2, 1 };
    struct timespec none = { 0 };
    pthread_t thread;
    siginfo_t info;
    sigset_t set;

    sigemptyset(&set);
    for (int i = 1; i <= 3; i++)
        sigaddset(&set, SIGRTMIN + i);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK(sigtimedwait(&set, &info, &none) == -1 && errno == EAGAIN);
    REQUIRE_EQ(pthread_create(&thread, NULL, send_three, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        CHECK(sigwaitinfo(&set, &info) > 0);
        CHECK_EQ(info.si_value.sival_int, values[i]);
        CHECK_EQ(info.si_code, SI_QUEUE);
    }
    CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
}

TEST(pthread_timer_signals_and_counts_overruns)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
    struct itimerspec each_ms = { { 0, 1000000 }, { 0, 1000000 } }, got;
    sigset_t set;
    timer_t timer;

    handle(SIGRTMIN, SA_SIGINFO);
    event.sigev_value.sival_int = 1234;
    REQUIRE_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &each_ms, NULL), 0);
    while (load_once(&handled) < 5)
        pause();
    CHECK_EQ(last_value, 1234);
    CHECK_EQ(last_code, SI_TIMER);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    test_sleep_ms(30);
    store_once(&handled, 0);
    CHECK_EQ(timer_gettime(timer, &got), 0);
    CHECK(got.it_value.tv_nsec > 0 && got.it_value.tv_nsec <= 1000000);
    CHECK_EQ(got.it_interval.tv_nsec, 1000000);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(load_once(&handled) >= 1);
    CHECK(timer_getoverrun(timer) >= 0);
    CHECK_EQ(timer_delete(timer), 0);
    CHECK(timer_delete(timer) == -1 && errno == EINVAL);
    signal(SIGRTMIN, SIG_DFL);
}

TEST(pthread_timer_of_a_nanosecond_leaves_time_for_others)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
    struct itimerspec each_ns = { { 0, 1 }, { 0, 1 } };
    siginfo_t info;
    sigset_t set;
    timer_t timer;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    REQUIRE_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &each_ns, NULL), 0);
    test_sleep_ms(20);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK(timer_getoverrun(timer) > 15 * 1000 * 1000);
    CHECK_EQ(timer_delete(timer), 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static unsigned int called;

static void call(union sigval value)
{
    atomic_fetch_add(&called, (unsigned int)value.sival_int);
}

TEST(pthread_timer_runs_a_thread)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = call };
    struct itimerspec soon = { .it_value = { 0, 2000000 } };
    timer_t timer;

    event.sigev_value.sival_int = 3;
    store_once(&called, 0);
    REQUIRE_EQ(timer_create(CLOCK_REALTIME, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &soon, NULL), 0);
    CHECK_EQ(test_await(&called, 3), 3);
    test_sleep_ms(5);
    CHECK_EQ(load_once(&called), 3);
    CHECK_EQ(timer_delete(timer), 0);
}

TEST(pthread_clock_set_moves_absolute_timers)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct itimerspec in_an_hour = { .it_value = { 3600, 0 } };
    struct timespec start, wanted, after;
    timer_t absolute, relative;

    handle(SIGUSR1, 0);
    REQUIRE_EQ(clock_gettime(CLOCK_REALTIME, &start), 0);
    REQUIRE_EQ(timer_create(CLOCK_REALTIME, &event, &absolute), 0);
    REQUIRE_EQ(timer_create(CLOCK_REALTIME, &event, &relative), 0);
    CHECK_EQ(timer_settime(relative, 0, &in_an_hour, NULL), 0);
    in_an_hour.it_value.tv_sec += start.tv_sec;
    CHECK_EQ(timer_settime(absolute, TIMER_ABSTIME, &in_an_hour, NULL), 0);
    wanted = (struct timespec){ start.tv_sec + 3601, start.tv_nsec };
    CHECK_EQ(clock_settime(CLOCK_REALTIME, &wanted), 0);
    for (int i = 0; i < 1000 && !load_once(&handled); i++)
        usleep(1000); /* not test_sleep_ms(), which nothing interrupts */
    clock_gettime(CLOCK_REALTIME, &after);
    CHECK(after.tv_sec >= wanted.tv_sec && after.tv_sec < wanted.tv_sec + 60);
    usleep(2000);
    CHECK_EQ(load_once(&handled), 1); /* not the relative one */
    after.tv_sec -= 3601;
    CHECK_EQ(clock_settime(CLOCK_REALTIME, &after), 0);
    timer_delete(absolute);
    timer_delete(relative);
    signal(SIGUSR1, SIG_DFL);
}

TEST(pthread_cpu_clocks_can_be_set)
{
    const clockid_t clocks[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
    const struct timespec wanted = { .tv_sec = 10000 };

    for (unsigned int n = 0; n < ARRAY_SIZE(clocks); n++) {
        struct timespec before, after;

        REQUIRE_EQ(clock_gettime(clocks[n], &before), 0);
        CHECK_EQ(clock_settime(clocks[n], &wanted), 0);
        REQUIRE_EQ(clock_gettime(clocks[n], &after), 0);
        CHECK(after.tv_sec >= wanted.tv_sec && after.tv_sec < wanted.tv_sec + 10);
        CHECK_EQ(clock_settime(clocks[n], &before), 0);
    }
}

TEST(pthread_cpu_clocks_count_work_alone)
{
    struct timespec before, after;
    clockid_t clock;
    long busy_ns, idle_ns;

    REQUIRE_EQ(pthread_getcpuclockid(pthread_self(), &clock), 0);
    REQUIRE_EQ(clock_gettime(clock, &before), 0);
    test_sleep_ms(50);
    clock_gettime(clock, &after);
    idle_ns = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    before = after;
    for (int i = 0; i < 2000000; i++)
        counter++;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    busy_ns = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
    CHECK(idle_ns >= 0 && idle_ns < 25000000);
    CHECK(busy_ns > 100000);
}

#define STORM 20000

static pthread_t victim;
static unsigned int stormed[2];

static void count_storm(int signal)
{
    atomic_fetch_add(&stormed[signal == SIGUSR2], 1);
}

static void *send_all(void *arg)
{
    for (int i = 0; i < STORM; i++)
        CHECK_EQ(pthread_kill(victim, (int)(intptr_t)arg), 0);
    return NULL;
}

static void *compute_until_told(void *flag)
{
    while (!load_once((unsigned int *)flag))
        counter++;
    return NULL;
}

TEST(pthread_signal_storm_keeps_the_stack)
{
    struct sigaction action = { .sa_flags = 0 };
    unsigned int over = 0;
    pthread_t senders[2];

    REQUIRE_THREADS(3);
    action.sa_handler = count_storm;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    stormed[0] = stormed[1] = 0;
    REQUIRE_EQ(pthread_create(&victim, NULL, compute_until_told, &over), 0);
    REQUIRE_EQ(pthread_create(&senders[0], NULL, send_all, (void *)SIGUSR1), 0);
    REQUIRE_EQ(pthread_create(&senders[1], NULL, send_all, (void *)SIGUSR2), 0);
    for (size_t i = 0; i < 2; i++)
        CHECK_EQ(pthread_join(senders[i], NULL), 0);
    store_once(&over, 1);
    CHECK_EQ(pthread_join(victim, NULL), 0);
    for (size_t i = 0; i < 2; i++)
        CHECK(stormed[i] >= 1 && stormed[i] <= STORM);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

static void *sleep_twice(void *unused)
{
    struct timespec ten_ms = { 0, 10 * NS_PER_MS };
    uint64_t began_ns;

    (void)unused;
    sem_post(&ready);
    CHECK_EQ(nanosleep(&ten_ms, NULL), 0);
    began_ns = time_now_ns();
    CHECK_EQ(nanosleep(&ten_ms, NULL), 0);
    CHECK(time_now_ns() - began_ns >= 10 * NS_PER_MS);
    return NULL;
}

/* It is sent when the first sleep is over and the thread, on the sender's vCPU, has not run yet. */
TEST(pthread_signal_after_a_sleep_leaves_the_next_one_alone)
{
    struct sched_param best = { .sched_priority = 30 }, normal = { .sched_priority = 0 };
    cpu_set_t before, only;
    pthread_attr_t attr;
    pthread_t thread;
    uint64_t until_ns;

    handle(SIGUSR2, 0);
    pthread_getaffinity_np(pthread_self(), sizeof(before), &before);
    CPU_ZERO(&only);
    CPU_SET(0, &only);
    REQUIRE_EQ(pthread_setaffinity_np(pthread_self(), sizeof(only), &only), 0);
    pthread_attr_init(&attr);
    pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
    REQUIRE_EQ(pthread_setschedparam(pthread_self(), SCHED_FIFO, &best), 0);
    REQUIRE_EQ(pthread_create(&thread, &attr, sleep_twice, NULL), 0);
    sem_wait(&ready);
    test_sleep_ms(2);
    for (until_ns = time_after_ns(20 * NS_PER_MS); time_now_ns() < until_ns;)
        ;
    CHECK_EQ(pthread_kill(thread, SIGUSR2), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(handled, 1);
    signal(SIGUSR2, SIG_DFL);
    CHECK_EQ(pthread_setschedparam(pthread_self(), SCHED_OTHER, &normal), 0);
    CHECK_EQ(pthread_setaffinity_np(pthread_self(), sizeof(before), &before), 0);
}
