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

int clock_gettime(clockid_t clock, struct timespec *out)
{
    uint64_t now_ns;

    if (clock == CLOCK_REALTIME) {
        now_ns = time_wall_ns();
    } else if (clock == CLOCK_MONOTONIC) {
        now_ns = time_now_ns();
    } else {
        errno = EINVAL;
        return -1;
    }
    out->tv_sec = (time_t)(now_ns / NS_PER_S);
    out->tv_nsec = (long)(now_ns % NS_PER_S);
    return 0;
}

int clock_getres(clockid_t clock, struct timespec *out)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        errno = EINVAL;
        return -1;
    }
    if (out)
        *out = (struct timespec){ .tv_nsec = 1 };
    return 0;
}

/* The wall clock is Xen's. */
int clock_settime(clockid_t clock, const struct timespec *value)
{
    (void)clock, (void)value;
    errno = EPERM;
    return -1;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    uint64_t now_ns = time_wall_ns();

    (void)zone;
    out->tv_sec = (time_t)(now_ns / NS_PER_S);
    out->tv_usec = (suseconds_t)(now_ns % NS_PER_S / NS_PER_US);
    return 0;
}

/* What all vCPUs together did so far apart from idling. */
static uint64_t busy_now_ns(void)
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
    uint64_t busy_ns = busy_now_ns();

    if (load_once(&first_ns) == 0)
        store_once(&first_ns, busy_ns);
    *out = (struct tms){ .tms_utime = (clock_t)((busy_ns - load_once(&first_ns)) / tick_ns) };
    return (clock_t)(time_now_ns() / tick_ns);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    uint64_t ns;

    if (wanted->tv_sec < 0 || wanted->tv_nsec < 0 || wanted->tv_nsec >= (long)NS_PER_S) {
        errno = EINVAL;
        return -1;
    }
    if (__builtin_mul_overflow((uint64_t)wanted->tv_sec, NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)wanted->tv_nsec, &ns))
        ns = TIME_NEVER;
    thread_sleep_until(time_after_ns(ns));
    if (left)
        *left = (struct timespec){ 0 }; /* nothing interrupts a sleep */
    return 0;
}

int usleep(useconds_t us)
{
    thread_sleep_until(time_after_ns(us * NS_PER_US));
    return 0;
}

unsigned int sleep(unsigned int seconds)
{
    thread_sleep_until(time_after_ns(seconds * NS_PER_S));
    return 0;
}
