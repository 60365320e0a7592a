/* SPDX-License-Identifier: MIT
 *
 * What the files of kernel/ share: the thread and the run queue.  Nobody else includes this.
 *
 * Locks, outermost first: a thread's or anybody's waitq.lock, runq.lock, timers.lock.  All are
 * taken with upcalls masked.  The run queue's lock is held across context_switch() and released by
 * the thread that was switched to.  So whoever holds it sees each thread of that queue either as
 * the vCPU's current, on its stack, or completely saved: never half switched out.
 */
#pragma once
#include "arch/context.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"

enum thread_state {
    THREAD_READY,   /* in a run queue */
    THREAD_RUNNING, /* some vCPU's current */
    THREAD_SLEEPING,
    THREAD_DEAD,
};

struct thread {
    struct context context;
    void (*fn)(void *arg);
    void *arg;
    void *private;

    /* held: runq->lock */
    enum thread_state state;
    struct list run; /* in the queue of its priority while READY */

    /* Where it runs, or ran last. Changes only while READY and in no queue. */
    struct runq *runq;
    unsigned int priority; /* enum thread_priority; PRIORITIES for an idle thread */

    struct list sleeping;  /* held: the lock of the waitq it sleeps in */
    struct waitq *waiting; /* that queue, while the timeout is armed */
    struct timer timeout;
    bool timed_out;    /* held: waiting->lock */
    bool timeout_done; /* the timeout's function will not touch this thread any more */

    struct waitq exit;
    bool ended;     /* held: exit.lock */
    bool detached;  /* held: exit.lock; settled once `ended` is set */
    bool off_stack; /* the dead thread's stack is not in use any more */

    struct thread *next,
        *prev; /* all threads; held: the list's lock, read without it by fault reports */
    unsigned long stack_bottom; /* the page below is the guard */
    unsigned long stack_top;
    unsigned int stack_order; /* of the allocation, guard included */
    char name[THREAD_NAME_MAX];
};

struct runq {
    spinlock_t lock;
    unsigned int ready;            /* held: lock; bit p: queue[p] has threads */
    struct list queue[PRIORITIES]; /* held: lock */
    struct percpu *cpu;
    struct thread *idle;     /* NULL until sched_idle() */
    struct thread *dead;     /* held: lock; switched away from for the last time */
    evtchn_port_t kick_port; /* makes this vCPU look at its queue; with one vCPU there is none */

    struct timer slice;     /* runs only while a thread of the current one's priority waits */
    bool slice_armed;       /* held: lock */
    bool slice_expired;     /* held: lock; the current thread goes behind its equals */
    uint64_t slice_started; /* held: lock; `switches` when the slice began */

    uint64_t switches; /* held: lock */
    uint64_t idle_ns;  /* this vCPU's idle thread only */
};

/* Since the first sched_cpu_init(): there may be others to tell, and to take work from. */
extern bool sched_several_vcpus;

/* A sleeper, already taken off its waitq, may run. Upcalls masked. */
void sched_wake(struct thread *thread);
/* A thread that is in no queue, new or taken from another vCPU's queue, may run in `rq`. Upcalls
 * masked. */
void sched_start(struct thread *thread, struct runq *rq);
/* The best ready thread, taken off; the idle thread when there is none. held: rq->lock */
struct thread *sched_dequeue(struct runq *rq);
void sched_queue_init(struct runq *rq, struct percpu *cpu);
/* A thread waits in the queue of `busy`: have an idle vCPU come and take it. held: the queue's lock
 */
void idle_invite(const struct percpu *busy);
/* Give the vCPU away: the current thread's state says what becomes of it. Upcalls masked, no lock
 * but those of this thread's own making is held. Returns when the thread runs again. */
void sched_switch(void);
/* The current thread's end. Upcalls masked. */
_Noreturn void sched_die(void);
/* May the current thread sleep, apart from upcalls being masked? Upcalls masked. */
bool sched_sleep_allowed(void);

/* waitq_sleep(), but before all others if `first`: for who was woken already and finds nothing. */
int waitq_sleep_at(struct waitq *q, uint64_t deadline_ns, bool first);
/* Who would be woken next; NULL. held: q->lock */
struct thread *waitq_first(const struct waitq *q);
/* The timeout of a sleeper: takes the thread off the queue it waits in, if it is there still. In
 * the timer's upcall. */
void waitq_timeout(void *thread);

/* Unmask upcalls if `enabled`, first giving way to a better thread that was woken meanwhile. */
static inline void sched_unmask(bool enabled)
{
    if (!enabled)
        return;
    if (this_percpu()->need_resched)
        sched_preempt();
    upcalls_enable();
}

/* The boot context and the idle threads: threads that begin on a stack that is theirs already. The
 * context lacks thread-local storage. */
void thread_init(struct thread *thread, const char *name, unsigned int priority);
void thread_set_name(struct thread *thread, const char *name);
/* A thread with a stack and a context that starts at sched_thread_entry(); not ready yet. NULL: no
 * memory. */
struct thread *thread_alloc(const char *name, unsigned int stack_order, unsigned int priority);
/* Off the list of all threads, memory back. The thread is off its stack. */
void thread_free(struct thread *thread);
unsigned int thread_count(void);

/* Timers of a vCPU that has none yet. NULL: no memory. */
struct timers *timers_create(void);
/* From the timer interrupt, upcalls masked: run what is due, ask for the next interrupt. */
void timers_run(struct timers *timers);
