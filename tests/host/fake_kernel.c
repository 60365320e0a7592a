/* SPDX-License-Identifier: MIT
 *
 * The kernel's threads, waiting and timers, played by pthreads: what console/, xenbus/ and other
 * drivers stand on.  Threads run truly at the same time, which the real scheduler on one vCPU never
 * does: code that is right here has named its locks.  Not for tests of kernel/ itself.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "arch/clock.h"
#include "kernel/mutex.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/panic.h"
#include "tests/host/fake_xen.h"

struct thread {
    pthread_t pthread;
    char name[THREAD_NAME_MAX];
    void (*fn)(void *arg);
    void *arg, *private;
    struct percpu *cpu;
    bool ended, detached; /* held: host_lock */
};

static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t host_changed = PTHREAD_COND_INITIALIZER;
static struct thread boot_thread = { .name = "boot" };
static _Thread_local unsigned int preempt_off;

/* Wait for host_changed, a little: deadlines are looked at again then. held: host_lock */
static void host_wait_a_little(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&host_changed, &host_lock, &until);
}

/* --- threads -------------------------------------------------------------------------------------
 */

static struct thread *self(void)
{
    struct thread *thread = current_thread();

    return thread ? thread : &boot_thread;
}

static void *thread_main(void *arg)
{
    struct thread *thread = arg;

    fake_percpu = thread->cpu;
    fake_current = thread;
    thread->fn(thread->arg);
    thread_exit();
}

FAKE int thread_create(struct thread **out, const char *name, unsigned int stack_order,
                       enum thread_priority priority, void (*fn)(void *arg), void *arg)
{
    struct thread *thread = calloc(1, sizeof(*thread));

    (void)stack_order;
    (void)priority;
    fake_upcalls_to_thread();
    thread->fn = fn;
    thread->arg = arg;
    thread->cpu = this_percpu();
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    *out = thread;
    if (pthread_create(&thread->pthread, NULL, thread_main, thread)) {
        free(thread);
        return -XEN_ENOMEM;
    }
    pthread_detach(thread->pthread);
    return 0;
}

/* On whatever vCPU: the creator's. */
FAKE int thread_create_with(struct thread **out, const struct thread_options *options,
                            void (*fn)(void *arg), void *arg)
{
    return thread_create(out, options->name, options->stack_order, options->priority, fn, arg);
}

FAKE int thread_set_affinity(struct thread *thread, const struct vcpu_set *vcpus)
{
    (void)thread;
    (void)vcpus;
    return 0;
}

FAKE void thread_set_priority(struct thread *thread, unsigned int priority, bool fifo)
{
    (void)thread;
    (void)priority;
    (void)fifo;
}

FAKE void thread_start_service(const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread *thread;

    if (thread_create(&thread, name, 0, PRIORITY_HIGH, fn, arg))
        panic("no thread for %s", name);
    thread_detach(thread);
}

FAKE _Noreturn void thread_exit(void)
{
    struct thread *thread = self();
    bool detached;

    pthread_mutex_lock(&host_lock);
    thread->ended = true;
    detached = thread->detached;
    pthread_cond_broadcast(&host_changed);
    pthread_mutex_unlock(&host_lock);
    if (detached)
        free(thread);
    pthread_exit(NULL);
}

FAKE int thread_join(struct thread *thread, uint64_t deadline_ns)
{
    bool ended;

    pthread_mutex_lock(&host_lock);
    while (!thread->ended && arch_clock_ns() < deadline_ns)
        host_wait_a_little();
    ended = thread->ended;
    pthread_mutex_unlock(&host_lock);
    if (!ended)
        return -XEN_ETIMEDOUT;
    free(thread);
    return 0;
}

FAKE void thread_detach(struct thread *thread)
{
    bool ended;

    pthread_mutex_lock(&host_lock);
    thread->detached = true;
    ended = thread->ended;
    pthread_mutex_unlock(&host_lock);
    if (ended)
        free(thread);
}

FAKE void thread_yield(void)
{
    sched_yield();
}

FAKE const char *thread_name(const struct thread *thread)
{
    return thread->name;
}

FAKE void thread_set_private(struct thread *thread, void *value)
{
    thread->private = value;
}

FAKE void *thread_private(const struct thread *thread)
{
    return thread->private;
}

FAKE void preempt_disable(void)
{
    preempt_off++;
}

FAKE void preempt_enable(void)
{
    preempt_off--;
}

FAKE bool may_sleep(void)
{
    return upcalls_enabled() && preempt_off == 0;
}

/* --- waiting -------------------------------------------------------------------------------------
 */

struct sleeper {
    struct list link; /* held: the queue's lock */
    bool woken;       /* held: host_lock */
};

FAKE void waitq_init(struct waitq *q)
{
    *q = (struct waitq)WAITQ_INIT(*q);
}

FAKE bool waitq_lock(struct waitq *q)
{
    return spin_lock_save(&q->lock);
}

FAKE void waitq_unlock(struct waitq *q, bool enabled)
{
    spin_unlock_restore(&q->lock, enabled);
}

FAKE int waitq_sleep(struct waitq *q, uint64_t deadline_ns)
{
    struct sleeper me = { .woken = false };

    if (preempt_off)
        panic("waitq_sleep() with preemption off");
    list_add_last(&q->sleepers, &me.link);
    spin_unlock(&q->lock);
    upcalls_enable();
    pthread_mutex_lock(&host_lock);
    while (!me.woken && arch_clock_ns() < deadline_ns) {
        host_wait_a_little();
        pthread_mutex_unlock(&host_lock);
        fake_deliver(); /* without an upcall thread they come to us */
        pthread_mutex_lock(&host_lock);
    }
    pthread_mutex_unlock(&host_lock);
    upcalls_disable();
    spin_lock(&q->lock);
    if (me.woken)
        return 0;
    list_remove(&me.link);
    return -XEN_ETIMEDOUT;
}

/* Nobody is interrupted here. */
FAKE int waitq_sleep_interruptible(struct waitq *q, uint64_t deadline_ns)
{
    return waitq_sleep(q, deadline_ns);
}

FAKE unsigned int waitq_wake_one_locked(struct waitq *q)
{
    struct list *first = list_take_first(&q->sleepers);

    if (!first)
        return 0;
    pthread_mutex_lock(&host_lock);
    list_entry(first, struct sleeper, link)->woken = true;
    pthread_cond_broadcast(&host_changed);
    pthread_mutex_unlock(&host_lock);
    return 1;
}

FAKE unsigned int waitq_wake_one(struct waitq *q)
{
    bool enabled = waitq_lock(q);
    unsigned int woken = waitq_wake_one_locked(q);

    waitq_unlock(q, enabled);
    return woken;
}

FAKE unsigned int waitq_wake_all(struct waitq *q)
{
    bool enabled = waitq_lock(q);
    unsigned int woken = 0;

    while (waitq_wake_one_locked(q))
        woken++;
    waitq_unlock(q, enabled);
    return woken;
}

FAKE void signal_init(struct signal *signal)
{
    waitq_init(&signal->q);
    signal->raised = false;
}

FAKE void signal_raise(struct signal *signal)
{
    bool enabled = waitq_lock(&signal->q);

    signal->raised = true;
    waitq_wake_one_locked(&signal->q);
    waitq_unlock(&signal->q, enabled);
}

FAKE int signal_wait(struct signal *signal, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&signal->q);
    int rc = 0;

    while (!signal->raised && rc == 0)
        rc = waitq_sleep(&signal->q, deadline_ns);
    if (signal->raised)
        rc = 0;
    if (rc == 0)
        signal->raised = false;
    waitq_unlock(&signal->q, enabled);
    return rc;
}

/* --- mutexes and their kin
 * ------------------------------------------------------------------------ */

static uintptr_t self_word(void)
{
    return (uintptr_t)self();
}

FAKE void mutex_init(struct mutex *mutex, bool recursive)
{
    *mutex = (struct mutex)MUTEX_INIT(*mutex);
    mutex->recursive = recursive;
}

FAKE bool mutex_is_mine(const struct mutex *mutex)
{
    return load_once(&mutex->word) == self_word();
}

FAKE int mutex_lock_until(struct mutex *mutex, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&mutex->q);
    int rc = 0;

    if (mutex_is_mine(mutex)) {
        if (!mutex->recursive)
            panic("mutex locked twice by %s", thread_name(self()));
        mutex->depth++;
        goto out;
    }
    while (mutex->word && rc == 0)
        rc = waitq_sleep(&mutex->q, deadline_ns);
    if (mutex->word == 0) {
        store_once(&mutex->word, self_word());
        rc = 0;
    }
out:
    waitq_unlock(&mutex->q, enabled);
    return rc;
}

FAKE void mutex_lock(struct mutex *mutex)
{
    mutex_lock_until(mutex, TIME_NEVER);
}

FAKE int mutex_trylock(struct mutex *mutex)
{
    return mutex_lock_until(mutex, 0) ? -XEN_EBUSY : 0;
}

FAKE void mutex_unlock(struct mutex *mutex)
{
    bool enabled = waitq_lock(&mutex->q);

    if (!mutex_is_mine(mutex))
        panic("mutex unlocked by %s, who does not hold it", thread_name(self()));
    if (mutex->depth > 0) {
        mutex->depth--;
    } else {
        store_once(&mutex->word, 0);
        waitq_wake_one_locked(&mutex->q);
    }
    waitq_unlock(&mutex->q, enabled);
}

FAKE void semaphore_init(struct semaphore *sem, unsigned int count)
{
    waitq_init(&sem->q);
    sem->count = count;
}

FAKE int semaphore_wait(struct semaphore *sem, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&sem->q);
    int rc = 0;

    while (sem->count == 0 && rc == 0)
        rc = waitq_sleep(&sem->q, deadline_ns);
    if (sem->count > 0) {
        sem->count--;
        rc = 0;
    }
    waitq_unlock(&sem->q, enabled);
    return rc;
}

FAKE void semaphore_post(struct semaphore *sem)
{
    bool enabled = waitq_lock(&sem->q);

    sem->count++;
    waitq_wake_one_locked(&sem->q);
    waitq_unlock(&sem->q, enabled);
}

FAKE void condition_init(struct condition *condition)
{
    waitq_init(&condition->q);
}

FAKE int condition_wait(struct condition *condition, struct mutex *mutex, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&condition->q);
    unsigned int depth = mutex->depth;
    int rc;

    mutex->depth = 0;
    mutex_unlock(mutex); /* a signal from here on waits for the queue's lock */
    rc = waitq_sleep(&condition->q, deadline_ns);
    waitq_unlock(&condition->q, enabled);
    mutex_lock(mutex);
    mutex->depth = depth;
    return rc;
}

FAKE void condition_signal(struct condition *condition)
{
    waitq_wake_one(&condition->q);
}

FAKE void condition_broadcast(struct condition *condition)
{
    waitq_wake_all(&condition->q);
}

/* --- time ----------------------------------------------------------------------------------------
 */

FAKE uint64_t time_now_ns(void)
{
    return arch_clock_ns();
}

FAKE uint64_t time_wall_ns(void)
{
    return arch_clock_ns() + 1700000000 * NS_PER_S;
}

FAKE uint64_t time_after_ns(uint64_t ns)
{
    uint64_t now = time_now_ns();

    return ns > TIME_NEVER - now ? TIME_NEVER : now + ns;
}

FAKE void thread_sleep_until(uint64_t deadline_ns)
{
    while (arch_clock_ns() < deadline_ns) {
        fake_pause_ms(1);
        fake_deliver();
    }
}

/* Armed timers: a list through `sibling`. held: host_lock */
static struct timer *timers;
static struct timers *const armed = (struct timers *)&timers;

/* held: host_lock */
static struct timer *take_due_timer(void)
{
    for (struct timer **link = &timers; *link; link = &(*link)->sibling) {
        struct timer *timer = *link;

        if (timer->deadline_ns <= arch_clock_ns()) {
            *link = timer->sibling;
            timer->heap = NULL;
            return timer;
        }
    }
    return NULL;
}

static void *timer_thread(void *arg)
{
    (void)arg;
    for (;;) {
        struct timer *due;

        upcalls_disable(); /* first: a canceller that has upcalls masked finds fn not running */
        pthread_mutex_lock(&host_lock);
        due = take_due_timer();
        pthread_mutex_unlock(&host_lock);
        if (due)
            due->fn(due->arg);
        upcalls_enable();
        if (!due)
            fake_pause_ms(1);
    }
    return NULL;
}

FAKE void timer_init(struct timer *timer, void (*fn)(void *arg), void *arg)
{
    *timer = (struct timer){ .fn = fn, .arg = arg };
}

FAKE bool timer_cancel(struct timer *timer)
{
    bool was_armed;

    pthread_mutex_lock(&host_lock);
    was_armed = timer->heap != NULL;
    for (struct timer **link = &timers; was_armed && *link; link = &(*link)->sibling) {
        if (*link == timer) {
            *link = timer->sibling;
            break;
        }
    }
    timer->heap = NULL;
    pthread_mutex_unlock(&host_lock);
    return was_armed;
}

/* The first use makes the timer pthread, so it must come with upcalls open, from a thread. */
FAKE void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    static bool started;
    pthread_t thread;

    timer_cancel(timer);
    if (!__atomic_exchange_n(&started, true, __ATOMIC_SEQ_CST)) {
        fake_upcalls_to_thread();
        pthread_create(&thread, NULL, timer_thread, NULL);
        pthread_detach(thread);
    }
    pthread_mutex_lock(&host_lock);
    timer->deadline_ns = deadline_ns;
    timer->heap = armed;
    timer->sibling = timers;
    timers = timer;
    pthread_mutex_unlock(&host_lock);
}
