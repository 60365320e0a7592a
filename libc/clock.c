/* SPDX-License-Identifier: MIT
 *
 * Clocks of POSIX.  The wall clock is Xen's; clock_settime() sets it for this program alone, by an
 * offset.  CPU-time clocks begin when the first of them is read.
 */
#define _GNU_SOURCE
#include <unistd.h>
#include "libc/internal.h"
#include "libc/pthread_private.h"
#include "libc/time.h"

/* A clock id with this bit is the CPU-time clock of the thread whose handle is below it. */
#define CLOCK_OF_THREAD (1UL << (8 * sizeof(clockid_t) - 1))

static uint64_t process_offset_ns; /* clock_settime() of the process's CPU-time clock */

/* Who sleeps until an absolute time of the wall clock: woken when that is set. */
static struct waitq wall_sleepers = WAITQ_INIT(wall_sleepers);

static int fail(int error)
{
    errno = error;
    return -1;
}

static void store(struct timespec *out, uint64_t ns)
{
    out->tv_sec = (time_t)(ns / NS_PER_S);
    out->tv_nsec = (long)(ns % NS_PER_S);
}

/* A thread's CPU-time clock, set to *set_ns unless NULL. 0 or EINVAL: there is no such thread.
 * held: libc_threads_lock */
static int thread_cpu_clock(pthread_t handle, uint64_t *ns, const uint64_t *set_ns)
{
    struct pthread *target = libc_thread_find(handle);

    if (!target || !target->thread || target->ended)
        return EINVAL;
    *ns = thread_cpu_ns(target->thread);
    if (set_ns)
        target->cpu_offset_ns = *set_ns - *ns;
    *ns += target->cpu_offset_ns;
    return 0;
}

static bool is_thread_clock(clockid_t clock)
{
    return clock == CLOCK_THREAD_CPUTIME_ID || clock & CLOCK_OF_THREAD;
}

static int any_thread_cpu_clock(clockid_t clock, uint64_t *ns, const uint64_t *set_ns)
{
    bool own = clock == CLOCK_THREAD_CPUTIME_ID;
    pthread_t handle = own ? pthread_self() : clock & ~CLOCK_OF_THREAD;
    bool enabled = spin_lock_save(&libc_threads_lock);
    int rc = thread_cpu_clock(handle, ns, set_ns);

    spin_unlock_restore(&libc_threads_lock, enabled);
    return rc;
}

int libc_clock_ns_locked(clockid_t clock, uint64_t *ns)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        *ns = libc_wall_ns();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *ns = time_now_ns();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        *ns = libc_busy_ns() + load_once(&process_offset_ns);
        return 0;
    default:
        return clock & CLOCK_OF_THREAD ? thread_cpu_clock(clock & ~CLOCK_OF_THREAD, ns, NULL)
                                       : EINVAL;
    }
}

int libc_clock_ns(clockid_t clock, uint64_t *ns)
{
    return is_thread_clock(clock) ? any_thread_cpu_clock(clock, ns, NULL)
                                  : libc_clock_ns_locked(clock, ns);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    uint64_t now_ns;
    int rc = libc_clock_ns(clock, &now_ns);

    if (rc)
        return fail(rc);
    store(out, now_ns);
    if (libc_look)
        libc_look();
    return 0;
}

int clock_getres(clockid_t clock, struct timespec *out)
{
    uint64_t now_ns;
    int rc = libc_clock_ns(clock, &now_ns);

    if (rc)
        return fail(rc);
    if (out)
        *out = (struct timespec){ .tv_nsec = 1 };
    return 0;
}

static void set_wall(uint64_t ns)
{
    uint64_t before_ns = libc_wall_ns();

    libc_wall_set(ns);
    waitq_wake_all(&wall_sleepers);
    if (libc_timers_wall_set) /* the program has timers */
        libc_timers_wall_set(ns - before_ns);
}

int clock_settime(clockid_t clock, const struct timespec *value)
{
    uint64_t ns, now_ns;
    int rc = 0;

    if (!libc_timespec_valid(value) || value->tv_sec < 0)
        return fail(EINVAL);
    ns = libc_timespec_ns(value);
    if (clock == CLOCK_REALTIME)
        set_wall(ns);
    else if (clock == CLOCK_PROCESS_CPUTIME_ID)
        store_once(&process_offset_ns, ns - libc_busy_ns());
    else
        rc = is_thread_clock(clock) ? any_thread_cpu_clock(clock, &now_ns, &ns) : EINVAL;
    return rc ? fail(rc) : 0;
}

int clock_getcpuclockid(pid_t pid, clockid_t *clock)
{
    if (pid != 0 && pid != getpid())
        return ESRCH;
    *clock = CLOCK_PROCESS_CPUTIME_ID;
    return 0;
}

int pthread_getcpuclockid(pthread_t handle, clockid_t *clock)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct pthread *target = libc_thread_find(handle);
    bool lives = target && !target->ended;

    spin_unlock_restore(&libc_threads_lock, enabled);
    *clock = CLOCK_OF_THREAD | handle;
    return lives ? 0 : ESRCH;
}

/* These clocks always run. */
int clock_setenable_attr(clockid_t clock, int attr)
{
    uint64_t now_ns;
    int rc = libc_clock_ns(clock, &now_ns);

    return rc ? fail(rc) : attr == CLOCK_ENABLED ? 0 : fail(ENOTSUP);
}

int clock_getenable_attr(clockid_t clock, int *attr)
{
    uint64_t now_ns;
    int rc = libc_clock_ns(clock, &now_ns);

    *attr = CLOCK_ENABLED;
    return rc ? fail(rc) : 0;
}

int libc_deadline(clockid_t clock, const struct timespec *time, uint64_t *deadline_ns)
{
    uint64_t ns;

    if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) || !libc_timespec_valid(time))
        return EINVAL;
    if (time->tv_sec < 0) {
        *deadline_ns = 0;
        return 0;
    }
    ns = libc_timespec_ns(time);
    *deadline_ns = clock == CLOCK_REALTIME ? libc_wall_to_monotonic(ns) : ns;
    return 0;
}

/* Sleeps once, until `ns` of the wall clock as it stands. */
static int sleep_by_wall(uint64_t ns)
{
    bool enabled = waitq_lock(&wall_sleepers);
    int rc = waitq_sleep_interruptible(&wall_sleepers, libc_wall_to_monotonic(ns));

    waitq_unlock(&wall_sleepers, enabled);
    return rc;
}

static int sleep_absolute(clockid_t clock, uint64_t ns)
{
    uint64_t now_ns;

    while (libc_clock_ns(clock, &now_ns) == 0 && now_ns < ns) {
        int rc = clock == CLOCK_REALTIME ? sleep_by_wall(ns) : thread_sleep_interruptible(ns);

        if (rc == -XEN_EINTR && libc_interrupted_cancel_any() == EINTR)
            return EINTR;
    }
    libc_look();
    return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
                    struct timespec *left)
{
    if (!libc_timespec_valid(wanted))
        return EINVAL;
    if (clock == CLOCK_PROCESS_CPUTIME_ID)
        return ENOTSUP;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    pthread_testcancel();
    if (flags & TIMER_ABSTIME)
        return wanted->tv_sec < 0 ? 0 : sleep_absolute(clock, libc_timespec_ns(wanted));
    if (wanted->tv_sec < 0)
        return EINVAL;
    return libc_sleep(libc_timespec_ns(wanted), left);
}
