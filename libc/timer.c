/* SPDX-License-Identifier: MIT
 *
 * timer_create() and its like, over timers of the kernel.  A slot is never freed, only used again:
 * the kernel's timer may fire on another vCPU while it is deleted, and then finds that it isn't
 * due. Timers on CPU-time clocks look at the clock when it could have come so far at the earliest.
 */
#include "libc/pthread_private.h"
#include "mm/kmem.h"

#define CPU_POLL_NS (1 * NS_PER_MS)
#define PERIOD_MIN_NS                                                                              \
    (50 * NS_PER_US) /* shorter intervals are counted, not waited for one by one */

struct posix_timer {
    bool used;
    clockid_t clock;
    struct sigevent event;
    bool absolute;                /* and so moves with the wall clock */
    uint64_t due_ns, interval_ns; /* on its clock; due_ns 0: disarmed */
    uint64_t overruns;            /* since its signal was posted */
    int last_overrun;             /* of the signal accepted last */
    unsigned int to_run;          /* SIGEV_THREAD: calls that are owed */
    struct queued_signal signal;
    struct timer timer;
};

static struct posix_timer *timers[TIMER_MAX]; /* held: libc_threads_lock */
static bool thread_started;
static struct signal thread_wanted = SIGNAL_INIT(thread_wanted);

static int fail(int error)
{
    errno = error;
    return -1;
}

/* held: libc_threads_lock */
static struct posix_timer *find(timer_t id)
{
    struct posix_timer *timer = id >= 1 && id <= TIMER_MAX ? timers[id - 1] : NULL;

    return timer && timer->used ? timer : NULL;
}

static bool is_cpu_clock(clockid_t clock)
{
    return clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC;
}

/* When the kernel is to look, in `least_ns` at the earliest. held: libc_threads_lock */
static void arm(struct posix_timer *timer, uint64_t now_ns, uint64_t least_ns)
{
    uint64_t due_ns = timer->due_ns, wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;

    if (is_cpu_clock(timer->clock)) { /* all vCPUs together may be that much faster */
        wait_ns /= (uint64_t)vcpu_set_count(&vcpus_online);
        least_ns = MAX(least_ns, CPU_POLL_NS);
    }
    if (!due_ns)
        timer_cancel(&timer->timer);
    else if (timer->clock == CLOCK_MONOTONIC && wait_ns >= least_ns)
        timer_arm(&timer->timer, due_ns);
    else
        timer_arm(&timer->timer, time_after_ns(MAX(wait_ns, least_ns)));
}

/* The signal's overrun count is what happened until it was accepted. held: libc_threads_lock */
static void accepted(struct queued_signal *signal)
{
    struct posix_timer *timer = container_of(signal, struct posix_timer, signal);

    timer->last_overrun = (int)MIN(timer->overruns, (uint64_t)DELAYTIMER_MAX);
    timer->overruns = 0;
}

/* It came due `times` times. held: libc_threads_lock */
static void notify(struct posix_timer *timer, uint64_t times)
{
    siginfo_t info = { .si_signo = timer->event.sigev_signo,
                       .si_code = SI_TIMER,
                       .si_value = timer->event.sigev_value };

    if (timer->event.sigev_notify == SIGEV_THREAD) {
        timer->to_run++;
        timer->last_overrun = (int)MIN(times - 1, (uint64_t)DELAYTIMER_MAX);
        signal_raise(&thread_wanted);
    } else if (timer->event.sigev_notify == SIGEV_SIGNAL) {
        timer->overruns += timer->signal.posted ? times : times - 1;
        if (!timer->signal.posted)
            libc_signal_post(NULL, &info, &timer->signal);
    }
}

/* The kernel's timer fired: perhaps a deleted or changed one's. Upcall. */
static void expire(void *arg)
{
    struct posix_timer *timer = arg;
    bool enabled = spin_lock_save(&libc_threads_lock);
    uint64_t now_ns, times = 1;

    if (timer->used && timer->due_ns && libc_clock_ns_locked(timer->clock, &now_ns) == 0) {
        if (timer->due_ns <= now_ns) {
            if (timer->interval_ns) {
                times += (now_ns - timer->due_ns) / timer->interval_ns;
                timer->due_ns += times * timer->interval_ns;
            } else {
                timer->due_ns = 0;
            }
            notify(timer, times);
        }
        arm(timer, now_ns, PERIOD_MIN_NS);
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
}

/* -- SIGEV_THREAD ---------------------------------------------------------------------------- */

struct call {
    void (*fn)(union sigval value);
    union sigval value;
};

static void *run_call(void *arg)
{
    struct call call = *(struct call *)arg;

    kmem_free(arg);
    call.fn(call.value);
    return NULL;
}

/* In a thread with the attributes that the event names, detached. */
static void start_call(const struct sigevent *event)
{
    struct call *call = kmem_alloc(sizeof(*call));
    pthread_t handle;

    if (!call)
        return;
    *call = (struct call){ event->sigev_notify_function, event->sigev_value };
    if (pthread_create(&handle, event->sigev_notify_attributes, run_call, call))
        kmem_free(call);
    else
        pthread_detach(handle);
}

/* One call that is owed. False: none is. */
static bool take_call(struct sigevent *event)
{
    bool enabled = spin_lock_save(&libc_threads_lock), found = false;

    for (unsigned int i = 0; i < TIMER_MAX && !found; i++) {
        found = timers[i] && timers[i]->used && timers[i]->to_run > 0;
        if (found) {
            timers[i]->to_run--;
            *event = timers[i]->event;
        }
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
    return found;
}

static void start_calls(void *unused)
{
    struct sigevent event;

    (void)unused;
    libc_self()->mask = LIBC_SIGNALS_ALL; /* no handler of the program's runs here */
    for (;;) {
        signal_wait(&thread_wanted, TIME_NEVER);
        while (take_call(&event))
            start_call(&event);
    }
}

static int start_thread(void)
{
    struct thread *thread;

    if (atomic_exchange(&thread_started, true))
        return 0;
    if (thread_create(&thread, "timers", THREAD_STACK_ORDER, PRIORITY_HIGH, start_calls, NULL)) {
        store_release(&thread_started, false);
        return EAGAIN;
    }
    thread_detach(thread);
    return 0;
}

/* -- The calls ------------------------------------------------------------------------------- */

/* A slot that is free, or a new one. held: libc_threads_lock */
static struct posix_timer *take_slot(struct posix_timer **fresh, timer_t *id)
{
    for (unsigned int i = 0; i < TIMER_MAX; i++) {
        if (timers[i] && timers[i]->used)
            continue;
        if (!timers[i]) {
            timers[i] = *fresh;
            *fresh = NULL;
            timer_init(&timers[i]->timer, expire, timers[i]);
        }
        *id = i + 1;
        return timers[i];
    }
    return NULL;
}

int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict id)
{
    struct posix_timer *fresh, *timer;
    struct sigevent by_default = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
    uint64_t now_ns;
    bool enabled;

    if (clock == CLOCK_THREAD_CPUTIME_ID)
        pthread_getcpuclockid(pthread_self(), &clock);
    if (libc_clock_ns(clock, &now_ns))
        return fail(EINVAL);
    if (event && event->sigev_notify == SIGEV_SIGNAL &&
        (event->sigev_signo <= 0 || event->sigev_signo >= NSIG))
        return fail(EINVAL);
    if (event && (event->sigev_notify < SIGEV_NONE || event->sigev_notify > SIGEV_THREAD))
        return fail(EINVAL);
    if (event && event->sigev_notify == SIGEV_THREAD && start_thread())
        return fail(EAGAIN);
    libc_adopt_main();
    fresh = kmem_alloc(sizeof(*fresh));
    if (!fresh)
        return fail(EAGAIN);
    enabled = spin_lock_save(&libc_threads_lock);
    timer = take_slot(&fresh, id);
    if (timer) {
        by_default.sigev_value.sival_int = (int)*id;
        timer->used = true;
        timer->clock = clock;
        timer->event = event ? *event : by_default;
        timer->signal.accepted = accepted;
        timer->due_ns = timer->interval_ns = timer->overruns = 0;
        timer->last_overrun = 0;
        timer->to_run = 0;
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
    kmem_free(fresh);
    return timer ? 0 : fail(EAGAIN);
}

int timer_delete(timer_t id)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct posix_timer *timer = find(id);

    if (timer) {
        timer_cancel(&timer->timer);
        libc_signal_withdraw(&timer->signal);
        timer->used = false;
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
    return timer ? 0 : fail(EINVAL);
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){ (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };
}

/* held: libc_threads_lock */
static void get(const struct posix_timer *timer, uint64_t now_ns, struct itimerspec *out)
{
    uint64_t left_ns = !timer->due_ns ? 0 : timer->due_ns > now_ns ? timer->due_ns - now_ns : 1;

    out->it_value = timespec_of(left_ns);
    out->it_interval = timespec_of(timer->interval_ns);
}

static bool valid(const struct timespec *time)
{
    return libc_timespec_valid(time) && time->tv_sec >= 0;
}

int timer_settime(timer_t id, int flags, const struct itimerspec *restrict value,
                  struct itimerspec *restrict before)
{
    uint64_t now_ns = 0, ns;
    struct posix_timer *timer;
    bool enabled;

    if (!valid(&value->it_value) || !valid(&value->it_interval))
        return fail(EINVAL);
    ns = libc_timespec_ns(&value->it_value);
    enabled = spin_lock_save(&libc_threads_lock);
    timer = find(id);
    if (timer && libc_clock_ns_locked(timer->clock, &now_ns) == 0) {
        if (before)
            get(timer, now_ns, before);
        timer->absolute = flags & TIMER_ABSTIME;
        timer->interval_ns = libc_timespec_ns(&value->it_interval);
        timer->due_ns = !ns                ? 0
                        : timer->absolute  ? ns
                        : now_ns + ns < ns ? TIME_NEVER
                                           : now_ns + ns;
        libc_signal_withdraw(&timer->signal);
        timer->overruns = 0;
        timer->to_run = 0;
        arm(timer, now_ns, 0);
    } else {
        timer = NULL;
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
    return timer ? 0 : fail(EINVAL);
}

int timer_gettime(timer_t id, struct itimerspec *value)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct posix_timer *timer = find(id);
    uint64_t now_ns = 0;

    if (timer && libc_clock_ns_locked(timer->clock, &now_ns) == 0)
        get(timer, now_ns, value);
    spin_unlock_restore(&libc_threads_lock, enabled);
    return timer ? 0 : fail(EINVAL);
}

int timer_getoverrun(timer_t id)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    struct posix_timer *timer = find(id);
    int overrun = timer ? timer->last_overrun : 0;

    spin_unlock_restore(&libc_threads_lock, enabled);
    return timer ? overrun : fail(EINVAL);
}

/* The wall clock was set by `jump_ns`: absolute timers stay where they are on it, all others keep
 * the time that is left. */
void libc_timers_wall_set(uint64_t jump_ns)
{
    bool enabled = spin_lock_save(&libc_threads_lock);
    uint64_t now_ns = libc_wall_ns();

    for (unsigned int i = 0; i < TIMER_MAX; i++) {
        struct posix_timer *timer = timers[i];

        if (!timer || !timer->used || timer->clock != CLOCK_REALTIME || !timer->due_ns)
            continue;
        if (!timer->absolute)
            timer->due_ns += jump_ns;
        arm(timer, now_ns, 0);
    }
    spin_unlock_restore(&libc_threads_lock, enabled);
}
