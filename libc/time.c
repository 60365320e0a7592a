/* SPDX-License-Identifier: MIT
 *
 * Clocks and sleeping for programs.  There are no time zone files: local time is UTC unless TZ says
 * otherwise.
 */
#include <errno.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "libc/time.h"

static int64_t wall_offset_ns; /* what clock_settime() added; clock_settime() alone writes it */

uint64_t libc_wall_ns(void)
{
    return time_wall_ns() + (uint64_t)load_once(&wall_offset_ns);
}

void libc_wall_set(uint64_t ns)
{
    store_once(&wall_offset_ns, (int64_t)(ns - time_wall_ns()));
}

uint64_t libc_wall_to_monotonic(uint64_t wall_ns)
{
    uint64_t now_ns = libc_wall_ns();

    return wall_ns <= now_ns ? 0 : time_after_ns(wall_ns - now_ns);
}

uint64_t libc_timespec_ns(const struct timespec *time)
{
    uint64_t ns;

    if (__builtin_mul_overflow((uint64_t)time->tv_sec, NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)time->tv_nsec, &ns))
        return TIME_NEVER;
    return ns;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    uint64_t now_ns = libc_wall_ns();

    (void)zone;
    out->tv_sec = (time_t)(now_ns / NS_PER_S);
    out->tv_usec = (suseconds_t)(now_ns % NS_PER_S / NS_PER_US);
    if (libc_look)
        libc_look();
    return 0;
}

uint64_t libc_busy_ns(void)
{
    uint64_t vcpus = 0, all_ns;
    struct sched_stats stats;

    for (unsigned int i = 0; i < MAX_VCPUS; i++)
        vcpus += load_acquire(&percpus[i]) != NULL; /* pairs with the vCPU's preparation */
    sched_get_stats(&stats);
    all_ns = time_now_ns() * vcpus;
    return all_ns > stats.idle_ns ? all_ns - stats.idle_ns : 0;
}

/* For clock(): processor time since the first call, in ticks; the result is real time. */
clock_t times(struct tms *out)
{
    const uint64_t tick_ns = NS_PER_S / CLOCKS_PER_SEC;
    static uint64_t first_ns; /* two first calls at once only differ by little */
    uint64_t busy_ns = libc_busy_ns();

    if (load_once(&first_ns) == 0)
        store_once(&first_ns, busy_ns);
    *out = (struct tms){ .tms_utime = (clock_t)((busy_ns - load_once(&first_ns)) / tick_ns) };
    return (clock_t)(time_now_ns() / tick_ns);
}

/* A thread is only interrupted in programs that have signals or cancellation. */
__attribute__((weak)) void pthread_testcancel(void);

int libc_sleep(uint64_t ns, struct timespec *left)
{
    uint64_t deadline_ns = time_after_ns(ns), now_ns;

    if (pthread_testcancel)
        pthread_testcancel();
    while (thread_sleep_interruptible(deadline_ns) == -XEN_EINTR) {
        if (!libc_interrupted_cancel_any || libc_interrupted_cancel_any() != EINTR)
            continue;
        now_ns = time_now_ns();
        ns = now_ns < deadline_ns ? deadline_ns - now_ns : 0;
        if (left)
            *left = (struct timespec){ (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };
        return EINTR;
    }
    if (libc_look) /* a signal that came together with the time shall not end the next sleep */
        libc_look();
    if (left)
        *left = (struct timespec){ 0 };
    return 0;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    int rc = EINVAL;

    if (wanted->tv_sec >= 0 && wanted->tv_nsec >= 0 && wanted->tv_nsec < (long)NS_PER_S)
        rc = libc_sleep(libc_timespec_ns(wanted), left);
    if (rc == 0)
        return 0;
    errno = rc;
    return -1;
}

int usleep(useconds_t us)
{
    int rc = libc_sleep(us * NS_PER_US, NULL);

    if (rc == 0)
        return 0;
    errno = rc;
    return -1;
}

unsigned int sleep(unsigned int seconds)
{
    struct timespec left = { 0 };

    libc_sleep(seconds * NS_PER_S, &left);
    return (unsigned int)left.tv_sec + (left.tv_nsec >= (long)NS_PER_S / 2);
}
