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
#include "hypercall/vcpu.h"
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
        int rc = hypercall_vcpu_is_up(vcpu);

        if (rc < 0)
            break;
        count += !up || rc == 1;
    }
    return count;
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
    case _SC_THREADS:
    case _SC_THREAD_ATTR_STACKADDR:
    case _SC_THREAD_ATTR_STACKSIZE:
    case _SC_THREAD_PRIORITY_SCHEDULING:
    case _SC_THREAD_PRIO_INHERIT:
    case _SC_THREAD_PRIO_PROTECT:
    case _SC_THREAD_PROCESS_SHARED:
    case _SC_THREAD_SAFE_FUNCTIONS:
    case _SC_THREAD_CPUTIME:
    case _SC_CPUTIME:
    case _SC_BARRIERS:
    case _SC_CLOCK_SELECTION:
    case _SC_MONOTONIC_CLOCK:
    case _SC_PRIORITY_SCHEDULING:
    case _SC_READER_WRITER_LOCKS:
    case _SC_REALTIME_SIGNALS:
    case _SC_SEMAPHORES:
    case _SC_SPIN_LOCKS:
    case _SC_TIMEOUTS:
    case _SC_TIMERS:
        return _POSIX_THREADS; /* all follow the same issue of POSIX */
    case _SC_THREAD_KEYS_MAX:
        return PTHREAD_KEYS_MAX;
    case _SC_THREAD_STACK_MIN:
        return PTHREAD_STACK_MIN;
    case _SC_THREAD_THREADS_MAX:
        return PTHREAD_THREADS_MAX;
    case _SC_THREAD_DESTRUCTOR_ITERATIONS:
        return PTHREAD_DESTRUCTOR_ITERATIONS;
    case _SC_SEM_NSEMS_MAX:
    case _SC_SEM_VALUE_MAX:
        return SEM_VALUE_MAX;
    case _SC_TIMER_MAX:
        return TIMER_MAX;
    case _SC_DELAYTIMER_MAX:
        return DELAYTIMER_MAX;
    case _SC_SIGQUEUE_MAX:
        return SIGQUEUE_MAX;
    case _SC_RTSIG_MAX:
        return RTSIG_MAX;
    case _SC_PHYS_PAGES:
        page_get_stats(&pages);
        return (long)pages.total;
    case _SC_AVPHYS_PAGES:
        page_get_stats(&pages);
        return (long)pages.free;
    default:
        errno = EINVAL;
        return -1;
    }
}
