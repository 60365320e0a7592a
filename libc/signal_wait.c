/* SPDX-License-Identifier: MIT
 *
 * Waiting for signals, the alarm clock, and the older calls of System V.
 */
#include <sys/time.h>
#include <unistd.h>
#include "libc/pthread_private.h"

static int fail(int error)
{
    errno = error;
    return -1;
}

/* Take one of `set`, waiting for it. `handlers_end_it`: EINTR after a handler ran. 0, EINTR, EAGAIN
 * at the deadline. */
static int await(sigset_t set, siginfo_t *info, uint64_t deadline_ns, bool handlers_end_it)
{
    struct pthread *self = libc_self();
    bool enabled;
    int rc = 0;

    pthread_testcancel();
    enabled = spin_lock_save(&libc_threads_lock);
    self->awaited = set;
    while (!libc_signal_take(self, set, info) && rc == 0) {
        spin_unlock_restore(&libc_threads_lock, enabled);
        if (thread_sleep_interruptible(deadline_ns) == 0) {
            rc = EAGAIN;
        } else {
            thread_interrupt_clear();
            enabled = spin_lock_save(&libc_threads_lock);
            if (libc_signals_pending(self) & set)
                continue;
            self->awaited = 0; /* a handler may wait for signals itself */
            spin_unlock_restore(&libc_threads_lock, enabled);
            if (libc_interrupted_cancel_any() == EINTR && handlers_end_it)
                rc = EINTR;
        }
        enabled = spin_lock_save(&libc_threads_lock);
        self->awaited = set;
    }
    self->awaited = 0;
    spin_unlock_restore(&libc_threads_lock, enabled);
    return rc;
}

int sigwait(const sigset_t *restrict set, int *restrict signal)
{
    siginfo_t info;
    int rc = await(*set & LIBC_SIGNALS_ALL, &info, TIME_NEVER, false);

    if (rc == 0)
        *signal = info.si_signo;
    return rc;
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict out,
                 const struct timespec *restrict timeout)
{
    uint64_t deadline_ns = TIME_NEVER;
    siginfo_t info;
    int rc;

    if (timeout && (!libc_timespec_valid(timeout) || timeout->tv_sec < 0))
        return fail(EINVAL);
    if (timeout)
        deadline_ns = time_after_ns(libc_timespec_ns(timeout));
    rc = await(*set & LIBC_SIGNALS_ALL, &info, deadline_ns, true);
    if (rc)
        return fail(rc);
    if (out)
        *out = info;
    return info.si_signo;
}

int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict out)
{
    return sigtimedwait(set, out, NULL);
}

/* Sleep until a handler ran. */
static int wait_for_handler(void)
{
    do {
        thread_sleep_interruptible(TIME_NEVER);
    } while (libc_interrupted_cancel_any() != EINTR);
    return EINTR;
}

int sigsuspend(const sigset_t *mask)
{
    struct pthread *self = libc_self();
    bool enabled, any = false;
    sigset_t before;

    pthread_testcancel();
    enabled = spin_lock_save(&libc_threads_lock);
    before = self->mask;
    self->mask = *mask & ~(libc_signal_bit(SIGKILL) | libc_signal_bit(SIGSTOP));
    spin_unlock_restore(&libc_threads_lock, enabled);
    libc_signals_deliver(self, &any);
    if (!any)
        wait_for_handler();
    enabled = spin_lock_save(&libc_threads_lock);
    self->mask = before;
    spin_unlock_restore(&libc_threads_lock, enabled);
    libc_signals_deliver(self, NULL);
    return fail(EINTR);
}

int pause(void)
{
    libc_self();
    libc_adopt_main();
    pthread_testcancel();
    return fail(wait_for_handler());
}

/* -- The alarm clock ------------------------------------------------------------------------- */

static spinlock_t alarm_lock = SPINLOCK_INIT_RANK(LOCK_POSIX);
static struct timer alarm_timer;
static uint64_t alarm_deadline_ns, alarm_interval_ns; /* held: alarm_lock; 0: off */

static void alarm_ring(void *unused)
{
    siginfo_t info = { .si_signo = SIGALRM, .si_code = SI_TIMER };
    bool enabled = spin_lock_save(&alarm_lock);
    bool due =
        alarm_deadline_ns && alarm_deadline_ns <= time_now_ns(); /* or it was just set anew */

    (void)unused;
    if (due)
        alarm_deadline_ns = alarm_interval_ns ? alarm_deadline_ns + alarm_interval_ns : 0;
    if (due && alarm_deadline_ns)
        timer_arm(&alarm_timer, alarm_deadline_ns);
    spin_unlock_restore(&alarm_lock, enabled);
    if (!due)
        return;
    enabled = spin_lock_save(&libc_threads_lock);
    libc_signal_post(NULL, &info, NULL);
    spin_unlock_restore(&libc_threads_lock, enabled);
}

/* What was left of it, and of its interval. */
static void alarm_get(uint64_t *left_ns, uint64_t *interval_ns)
{
    uint64_t now_ns = time_now_ns();

    *left_ns = !alarm_deadline_ns            ? 0
               : alarm_deadline_ns <= now_ns ? 1
                                             : alarm_deadline_ns - now_ns;
    *interval_ns = alarm_interval_ns;
}

static void alarm_set(uint64_t after_ns, uint64_t interval_ns, uint64_t *left_ns,
                      uint64_t *left_interval_ns)
{
    bool enabled;

    libc_adopt_main();
    enabled = spin_lock_save(&alarm_lock);
    alarm_get(left_ns, left_interval_ns);
    if (!alarm_timer.fn)
        timer_init(&alarm_timer, alarm_ring, NULL);
    timer_cancel(&alarm_timer);
    alarm_deadline_ns = after_ns ? time_after_ns(after_ns) : 0;
    alarm_interval_ns = interval_ns;
    if (after_ns)
        timer_arm(&alarm_timer, alarm_deadline_ns);
    spin_unlock_restore(&alarm_lock, enabled);
}

unsigned int alarm(unsigned int seconds)
{
    uint64_t left_ns, interval_ns;

    alarm_set(seconds * NS_PER_S, 0, &left_ns, &interval_ns);
    return (unsigned int)((left_ns + NS_PER_S - 1) / NS_PER_S);
}

useconds_t ualarm(useconds_t us, useconds_t interval)
{
    uint64_t left_ns, interval_ns;

    alarm_set(us * NS_PER_US, interval * NS_PER_US, &left_ns, &interval_ns);
    return (useconds_t)(left_ns / NS_PER_US);
}

static struct timeval timeval_of(uint64_t ns)
{
    return (struct timeval){ (time_t)(ns / NS_PER_S), (suseconds_t)(ns % NS_PER_S / NS_PER_US) };
}

static uint64_t timeval_ns(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_usec * NS_PER_US;
}

int setitimer(int which, const struct itimerval *restrict value, struct itimerval *restrict before)
{
    uint64_t left_ns, interval_ns;

    if (which != ITIMER_REAL) /* there are no timers of CPU time here; timer_create() has them */
        return fail(EINVAL);
    alarm_set(timeval_ns(&value->it_value), timeval_ns(&value->it_interval), &left_ns,
              &interval_ns);
    if (before)
        *before = (struct itimerval){ timeval_of(interval_ns), timeval_of(left_ns) };
    return 0;
}

int getitimer(int which, struct itimerval *value)
{
    uint64_t left_ns, interval_ns;
    bool enabled;

    if (which != ITIMER_REAL)
        return fail(EINVAL);
    enabled = spin_lock_save(&alarm_lock);
    alarm_get(&left_ns, &interval_ns);
    spin_unlock_restore(&alarm_lock, enabled);
    *value = (struct itimerval){ timeval_of(interval_ns), timeval_of(left_ns) };
    return 0;
}
