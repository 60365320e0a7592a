/* SPDX-License-Identifier: MIT
 *
 * Spinlocks, wait queues, mutexes with and without inheritance, interrupts, under ThreadSanitizer:
 * each pthread is a vCPU with the one thread that runs on it, truly at the same time.  It finds the
 * missing barriers and plain accesses that the simulated machine, which is sequentially consistent,
 * cannot.  The run queues are not in it: sleeping here is waiting for a flag.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include "arch/cpu.h"
#include "arch/hypercall.h"
#include "lib/atomic.h"

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "halt_on_error=1"; /* no last line: failed */
}

/* --- the machine */
#define upcalls_disable               host_upcalls_disable
#define upcalls_enable                host_upcalls_enable
#define upcalls_enabled               host_upcalls_enabled
#define arch_clock_ns                 host_clock_ns
#define hypercall5(nr, a, b, c, d, e) ((void)(a), (void)(b), (long)sched_yield())
#include "kernel/inherit.c"
#include "kernel/interrupt.c"
#include "kernel/mutex.c"
#include "kernel/wait.c"
#include "lib/spinlock.c"

#define VCPUS 4
#define TURNS 4000

_Thread_local struct percpu *fake_percpu;
_Thread_local struct thread *fake_current;
struct percpu percpu_boot;
static struct percpu cpus[VCPUS + 1];
static struct thread threads[VCPUS + 1];
static struct runq queues[VCPUS + 1];
static unsigned int failed;

void host_upcalls_disable(void)
{
    this_percpu()->vcpu_info.evtchn_upcall_mask = 1;
}

void host_upcalls_enable(void)
{
    this_percpu()->vcpu_info.evtchn_upcall_mask = 0;
}

bool host_upcalls_enabled(void)
{
    return !this_percpu()->vcpu_info.evtchn_upcall_mask;
}

uint64_t host_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t time_now_ns(void)
{
    return host_clock_ns();
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    abort();
}

/* --- the scheduler: one thread per vCPU */
bool sched_sleep_allowed(void)
{
    return true;
}

struct runq *sched_lock_thread(struct thread *thread)
{
    spin_lock(&thread->runq->lock);
    return thread->runq;
}

void sched_wake(struct thread *thread)
{
    struct runq *rq = sched_lock_thread(thread);

    thread->state = THREAD_RUNNING;
    spin_unlock(&rq->lock);
}

void sched_switch(void)
{
    struct thread *self = current_thread();
    enum thread_state state;

    do {
        struct runq *rq = sched_lock_thread(self);

        state = self->state;
        spin_unlock(&rq->lock);
        if (state == THREAD_SLEEPING)
            sched_yield();
    } while (state == THREAD_SLEEPING);
}

void sched_set_priority(struct thread *thread, unsigned int priority, bool fifo)
{
    struct runq *rq = sched_lock_thread(thread);

    store_once(&thread->priority, priority);
    thread->fifo = fifo;
    spin_unlock(&rq->lock);
}

void sched_kick(struct runq *rq)
{
    store_once(&rq->cpu->need_resched, true);
}

void sched_preempt(void)
{
    store_once(&this_percpu()->need_resched, false);
    if (current_thread()->async_due)
        interrupt_deliver(current_thread());
}

void timer_init(struct timer *timer, void (*fn)(void *arg), void *arg)
{
    (void)timer, (void)fn, (void)arg;
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    (void)timer, (void)deadline_ns;
}

bool timer_cancel(struct timer *timer)
{
    (void)timer;
    return true;
}

/* --- the tests */
static unsigned int plain, interrupts;
static spinlock_t lock = SPINLOCK_INIT;
static struct mutex mutex = MUTEX_INIT(mutex), inherits, inner;
static struct semaphore ping = SEMAPHORE_INIT(ping, 1), pong = SEMAPHORE_INIT(pong, 0);

static void spin(unsigned int me)
{
    (void)me;
    for (unsigned int i = 0; i < TURNS; i++) {
        bool enabled = spin_lock_save(&lock);

        plain++;
        spin_unlock_restore(&lock, enabled);
    }
}

static void lock_plain(unsigned int me)
{
    (void)me;
    for (unsigned int i = 0; i < TURNS; i++) {
        mutex_lock(&mutex);
        plain++;
        mutex_unlock(&mutex);
    }
}

static void lock_inheriting(unsigned int me)
{
    for (unsigned int i = 0; i < TURNS; i++) {
        mutex_lock(&inherits);
        if (i % 4 == 0)
            mutex_lock(&inner);
        plain++;
        if (i % 4 == 0)
            mutex_unlock(&inner);
        mutex_unlock(&inherits);
        if (i % 16 == me)
            thread_set_priority(&threads[i % VCPUS], i % PRIORITIES, false);
    }
}

/* One ball for all of them. */
static void pass_on(unsigned int me)
{
    for (unsigned int i = 0; i < TURNS; i++) {
        semaphore_wait(me % 2 ? &ping : &pong, TIME_NEVER);
        plain++;
        semaphore_post(me % 2 ? &pong : &ping);
    }
}

/* vCPU 0 interrupts the others until each has seen enough. */
static void interrupt(unsigned int me)
{
    static unsigned int seen[VCPUS];

    if (me == 0) {
        for (unsigned int i = 1; load_once(&interrupts) < (VCPUS - 1) * 200; i++)
            thread_interrupt(&threads[1 + i % (VCPUS - 1)]);
        return;
    }
    while (seen[me] < 200) {
        struct waitq own = WAITQ_INIT(own);
        bool enabled = waitq_lock(&own);

        if (waitq_sleep_interruptible(&own, TIME_NEVER) != -XEN_EINTR)
            abort();
        waitq_unlock(&own, enabled);
        thread_interrupt_clear();
        seen[me]++;
        (void)atomic_fetch_add(&interrupts, 1);
    }
}

static void (*body)(unsigned int me);

static void *vcpu_main(void *arg)
{
    unsigned int me = (unsigned int)(unsigned long)arg;

    fake_percpu = &cpus[me];
    body(me);
    return NULL;
}

static void run(const char *name, void (*fn)(unsigned int me), unsigned int expected)
{
    pthread_t vcpus[VCPUS];

    body = fn;
    plain = 0;
    for (unsigned long i = 0; i < VCPUS; i++) {
        cpus[i] = (struct percpu){ .self = &cpus[i], .current = &threads[i], .runq = &queues[i] };
        queues[i].cpu = &cpus[i];
        threads[i] = (struct thread){ .state = THREAD_RUNNING, .runq = &queues[i] };
        threads[i].priority = threads[i].base_priority = PRIORITY_NORMAL;
        list_init(&threads[i].sleeping);
        list_init(&threads[i].holds);
    }
    for (unsigned long i = 0; i < VCPUS; i++)
        pthread_create(&vcpus[i], NULL, vcpu_main, (void *)i);
    for (unsigned int i = 0; i < VCPUS; i++)
        pthread_join(vcpus[i], NULL);
    if (plain != expected) {
        printf("  # %u, not %u\n", plain, expected);
        failed++;
    }
    printf("%s - %s\n", plain == expected ? "ok" : "not ok", name);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(unsigned int me);
        unsigned int expected;
    } tests[] = {
        { "tsan_sync.c/spinlock", spin, VCPUS * TURNS },
        { "tsan_sync.c/mutex", lock_plain, VCPUS * TURNS },
        { "tsan_sync.c/mutex_inherits", lock_inheriting, VCPUS * TURNS },
        { "tsan_sync.c/semaphores", pass_on, VCPUS * TURNS },
        { "tsan_sync.c/interrupts", interrupt, 0 },
    };
    unsigned int count = 0;

    mutex_init_inherit(&inherits, false);
    mutex_init_inherit(&inner, false);
    for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
        if (argc > 1 && !strstr(tests[i].name, argv[1]))
            continue;
        run(tests[i].name, tests[i].fn, tests[i].expected);
        count++;
    }
    printf("%u passed, %u failed\n", count - failed, failed);
    return failed != 0;
}
