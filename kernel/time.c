/* SPDX-License-Identifier: MIT
 *
 * Clocks, and the timer interrupt.  Follows Xen public/xen.h (wall clock in struct shared_info).
 */
#include "arch/clock.h"
#include "events/events.h"
#include "kernel/sched_private.h"

static struct shared_info *(*wall_clock)(void); /* NULL before time_init() */
static uint64_t latest_ns;                      /* that anybody was told */

uint64_t time_now_ns(void)
{
    uint64_t now_ns = arch_clock_ns();
    uint64_t seen_ns = load_once(&latest_ns);

    while (now_ns > seen_ns) {
        if (atomic_compare_exchange(&latest_ns, &seen_ns, now_ns))
            return now_ns;
    }
    return seen_ns; /* another vCPU's clock is ahead of this one's */
}

uint64_t time_after_ns(uint64_t ns)
{
    uint64_t deadline_ns;

    return __builtin_add_overflow(time_now_ns(), ns, &deadline_ns) ? TIME_NEVER : deadline_ns;
}

/* When system time was 0. Xen's version is odd while it writes. */
static uint64_t wall_start_ns(const struct shared_info *shared)
{
    uint32_t version;
    uint64_t sec, nsec;

    do {
        version = load_acquire(&shared->wc_version);
        sec = (uint64_t)load_once(&shared->xen_wc_sec_hi) << 32 | load_once(&shared->wc_sec);
        nsec = load_once(&shared->wc_nsec);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1 || version != load_once(&shared->wc_version));
    return sec * NS_PER_S + nsec;
}

uint64_t time_wall_ns(void)
{
    return time_now_ns() + (wall_clock ? wall_start_ns(wall_clock()) : 0);
}

void thread_sleep_until(uint64_t deadline_ns)
{
    struct waitq nobody = WAITQ_INIT(nobody);
    bool enabled = waitq_lock(&nobody);

    while (waitq_sleep(&nobody, deadline_ns) == 0)
        ;
    waitq_unlock(&nobody, enabled);
}

int thread_sleep_interruptible(uint64_t deadline_ns)
{
    struct waitq nobody = WAITQ_INIT(nobody);
    bool enabled = waitq_lock(&nobody);
    int rc;

    do {
        rc = waitq_sleep_interruptible(&nobody, deadline_ns);
    } while (rc == 0);
    waitq_unlock(&nobody, enabled);
    return rc == -XEN_EINTR ? rc : 0;
}

static void timer_event(evtchn_port_t port, void *arg)
{
    (void)port;
    (void)arg;
    timers_run(this_percpu()->timers);
}

/* A port that storms is masked by events/ and opened again from here. */
__attribute__((cold)) static void throttle_end(void *arg)
{
    (void)arg;
    events_unthrottle();
}

__attribute__((cold)) static void throttle_begin(uint64_t delay_ns)
{
    static struct timer timer; /* armed once at a time: events/ sees to that */

    timer_init(&timer, throttle_end, NULL);
    timer_arm(&timer, time_after_ns(delay_ns));
}

__attribute__((cold)) int time_init(struct shared_info *(*shared)(void))
{
    bool enabled;
    int rc = arch_timer_start(timer_event);

    if (rc || !shared) /* a vCPU that begins has armed none */
        return rc;
    wall_clock = shared;
    events_set_throttle(throttle_begin);
    enabled = upcalls_save();
    timers_run(this_percpu()->timers); /* interrupts for those armed already had nowhere to go */
    upcalls_restore(enabled);
    return 0;
}
