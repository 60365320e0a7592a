/* SPDX-License-Identifier: MIT
 *
 * The one process there is: its number, signals it sends itself, its bad ends.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "console/console.h"
#include "arch/cpu.h"
#include "arch/smp.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "libc/fd.h"
#include "libc/internal.h"
#include "mm/page.h"

#define PROCESS_ID  1
#define ENTROPY_MAX 256 /* what getentropy() gives at once, says POSIX */

static char abort_reason[128] = "abort() called";

pid_t getpid(void)
{
    return PROCESS_ID;
}

/* Nobody above the program says what it may do. */
uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

gid_t getgid(void)
{
    return 0;
}

gid_t getegid(void)
{
    return 0;
}

void libc_default_action(int signal)
{
    if (signal == SIGCHLD || signal == SIGURG || signal == SIGCONT || signal == SIGWINCH)
        return;
    if (signal == SIGABRT)
        panic("%s", abort_reason);
    panic("killed by signal %d", signal);
}

static int invalid(int error)
{
    errno = error;
    return -1;
}

/* Without libc/signal.c, which comes with any call about signals but these two, no signal has a
 * handler and none is blocked. */
int kill(pid_t pid, int signal)
{
    int rc;

    if (pid != PROCESS_ID && pid != 0 && pid != -1)
        return invalid(ESRCH);
    if (signal < 0 || signal >= NSIG)
        return invalid(EINVAL);
    if (signal == 0)
        return 0;
    rc = libc_kill ? libc_kill(signal) : (libc_default_action(signal), 0);
    return rc ? invalid(rc) : 0;
}

/* abort() comes here. */
int raise(int signal)
{
    int rc = signal <= 0 || signal >= NSIG ? EINVAL
             : libc_raise                  ? libc_raise(signal)
                                           : (libc_default_action(signal), 0);

    return rc ? invalid(rc) : 0;
}

int killpg(pid_t group, int signal)
{
    return kill(group, signal);
}

/* newlib's own would bring a second printf along. */
void __assert_func(const char *file, int line, const char *function, const char *condition)
{
    char text[256];
    int len = format_text(text, sizeof(text), "%s:%d: %s%sassertion failed: %s\n", file, line,
                          function ? function : "", function ? "(): " : "", condition);

    console_write(text, MIN((size_t)len, sizeof(text) - 1));
    format_text(abort_reason, sizeof(abort_reason), "%s:%d: assertion failed: %s", file, line,
                condition);
    abort();
}

int getentropy(void *out, size_t len)
{
    char *at = out;

    if (len > ENTROPY_MAX || !cpu_random_is_strong()) {
        errno = len > ENTROPY_MAX ? EIO : ENOSYS;
        return -1;
    }
    while (len > 0) {
        uint64_t word = cpu_random();
        size_t part = MIN(len, sizeof(word));

        memcpy(at, &word, part);
        at += part;
        len -= part;
    }
    return 0;
}

static long count_vcpus(bool up)
{
    long count = 0;

    for (unsigned int vcpu = 0; vcpu < MAX_VCPUS; vcpu++) {
        int rc = cpu_is_up(vcpu);

        if (rc < 0)
            break;
        count += !up || rc == 1;
    }
    return count;
}

/* A table, where the compiler would make a long jump table of a switch. */
static const struct {
    uint8_t name;
    int value;
} constants[] = {
    { _SC_THREADS, _POSIX_THREADS },
    { _SC_THREAD_ATTR_STACKADDR, _POSIX_THREAD_ATTR_STACKADDR },
    { _SC_THREAD_ATTR_STACKSIZE, _POSIX_THREAD_ATTR_STACKSIZE },
    { _SC_THREAD_PRIORITY_SCHEDULING, _POSIX_THREAD_PRIORITY_SCHEDULING },
    { _SC_THREAD_PRIO_INHERIT, _POSIX_THREAD_PRIO_INHERIT },
    { _SC_THREAD_PRIO_PROTECT, _POSIX_THREAD_PRIO_PROTECT },
    { _SC_THREAD_PROCESS_SHARED, _POSIX_THREAD_PROCESS_SHARED },
    { _SC_THREAD_SAFE_FUNCTIONS, _POSIX_THREAD_SAFE_FUNCTIONS },
    { _SC_THREAD_CPUTIME, _POSIX_THREAD_CPUTIME },
    { _SC_CPUTIME, _POSIX_CPUTIME },
    { _SC_BARRIERS, _POSIX_BARRIERS },
    { _SC_CLOCK_SELECTION, _POSIX_CLOCK_SELECTION },
    { _SC_MONOTONIC_CLOCK, _POSIX_MONOTONIC_CLOCK },
    { _SC_PRIORITY_SCHEDULING, _POSIX_PRIORITY_SCHEDULING },
    { _SC_READER_WRITER_LOCKS, _POSIX_READER_WRITER_LOCKS },
    { _SC_REALTIME_SIGNALS, _POSIX_REALTIME_SIGNALS },
    { _SC_SEMAPHORES, _POSIX_SEMAPHORES },
    { _SC_SPIN_LOCKS, _POSIX_SPIN_LOCKS },
    { _SC_TIMEOUTS, _POSIX_TIMEOUTS },
    { _SC_TIMERS, _POSIX_TIMERS },
    { _SC_THREAD_KEYS_MAX, PTHREAD_KEYS_MAX },
    { _SC_THREAD_STACK_MIN, PTHREAD_STACK_MIN },
    { _SC_THREAD_THREADS_MAX, PTHREAD_THREADS_MAX },
    { _SC_THREAD_DESTRUCTOR_ITERATIONS, PTHREAD_DESTRUCTOR_ITERATIONS },
    { _SC_SEM_NSEMS_MAX, SEM_NSEMS_MAX },
    { _SC_SEM_VALUE_MAX, SEM_VALUE_MAX },
    { _SC_TIMER_MAX, TIMER_MAX },
    { _SC_DELAYTIMER_MAX, DELAYTIMER_MAX },
    { _SC_SIGQUEUE_MAX, SIGQUEUE_MAX },
    { _SC_RTSIG_MAX, RTSIG_MAX },
};

static long sysconf_constant(int name)
{
    for (size_t i = 0; i < ARRAY_SIZE(constants); i++) {
        if (constants[i].name == name)
            return constants[i].value;
    }
    errno = EINVAL;
    return -1;
}

long sysconf(int name)
{
    struct page_stats pages;

    switch (name) {
    case _SC_PAGESIZE:
        return PAGE_SIZE;
    case _SC_OPEN_MAX:
        return FD_LIMIT;
    case _SC_CLK_TCK:
        return CLOCKS_PER_SEC;
    case _SC_NPROCESSORS_CONF:
        return count_vcpus(false);
    case _SC_NPROCESSORS_ONLN:
        return count_vcpus(true);
    case _SC_PHYS_PAGES:
        page_get_stats(&pages);
        return (long)pages.total;
    case _SC_AVPHYS_PAGES:
        page_get_stats(&pages);
        return (long)pages.free;
    default:
        return sysconf_constant(name);
    }
}
