/* SPDX-License-Identifier: MIT
 *
 * What the files of kernel/ share: the thread and the run queue.  Nobody else includes this.
 *
 * Locks, outermost first: a thread's interrupt_lock, a thread's or anybody's waitq.lock, the list
 * of all threads, runq.lock, timers.lock.  All are taken with upcalls masked.  Nobody holds the
 * locks of two queues.  The run queue's lock is held across context_switch() and released by the
 * thread that was switched to.  So whoever holds it sees each thread of that queue either as the
 * vCPU's current, on its stack, or completely saved: never half switched out.
 */
#pragma once
#include "arch/context.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"

struct mutex;

enum thread_state {
    THREAD_READY,   /* in a run queue */
    THREAD_RUNNING, /* some vCPU's current */
    THREAD_SLEEPING,
    THREAD_MOVING, /* on its way to a run queue, in none */
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

    /* Where it runs, or ran last. Changes only in no queue, under the old one's lock: see
     * sched_lock_thread(). */
    struct runq *runq;

    /* held: runq->lock, by whoever changes them */
    unsigned int priority; /* it runs at: enum thread_priority; PRIORITIES for an idle thread */
    bool fifo;
    bool attention; /* one of the next two: need_resched follows it when it is switched to */
    bool must_move; /* RUNNING where it may not stay */
    bool async_due; /* interrupted, and asynchronous interrupts are allowed */
    bool async;     /* they are allowed */
    struct vcpu_set affinity;
    uint64_t cpu_ns; /* while accounting: up to its last switch */
    uint64_t cpu_told_ns;

    /* held: inherit.c's lock */
    unsigned int base_priority; /* its own */
    bool base_fifo;
    struct mutex *waits_for; /* a mutex that inherits */
    struct list heir;        /* in that mutex's list */
    struct list holds;       /* such mutexes that others wait for */

    struct list sleeping;  /* held: the lock of the waitq it sleeps in */
    struct waitq *waiting; /* that queue, while the timeout is armed */
    struct timer timeout;
    int sleep_rc;      /* held: waiting->lock; why the sleep ended */
    bool timeout_done; /* the timeout's function will not touch this thread any more */

    spinlock_t interrupt_lock;
    bool interrupted;
    bool interrupted_anew;       /* since async_fn was called */
    struct waitq *interruptible; /* the queue of an interruptible sleep; see interrupt.c */

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

/* The ready threads of one priority. */
struct level {
    struct list threads;
    unsigned int count;
} __attribute__((aligned(32)));

struct runq {
    struct level level[PRIORITIES]; /* held: lock */
    uint64_t ready;                 /* held: lock; bit p: level[p] has threads */
    spinlock_t lock;
    unsigned int running; /* held: lock; the current thread's priority */
    struct percpu *cpu;
    struct thread *idle;  /* NULL until sched_idle() */
    struct thread *left;  /* held: lock; switched away from, dead or MOVING */
    struct runq *left_to; /* held: lock; where the MOVING one goes */

    struct timer slice; /* runs only while a thread waits */
    bool slice_armed;   /* held: lock */
    bool slice_expired; /* held: lock; the current thread goes behind its equals */
    const struct thread
        *slice_owner;         /* held: lock; whose slice it is, until it gives the vCPU away */
    unsigned int slice_level; /* held: lock; the owner's priority when the slice began */
    uint64_t slice_began_ns;  /* held: lock; minus cpu_stolen_ns() then */

    uint64_t switches;    /* held: lock */
    uint64_t switched_ns; /* held: lock; while accounting: since when the current thread runs ... */
    uint64_t stolen_ns;   /* ... and cpu_stolen_ns() then */
    int64_t idle_ns; /* written by this vCPU's idle thread; below 0: it is idle now, add the time */
};

/* Since the first sched_cpu_init(): there may be others to tell, and to take work from. */
extern bool sched_several_vcpus;
/* thread_cpu_ns() was asked for. */
extern bool sched_accounting;
/* vCPUs that take threads. */
extern struct vcpu_set sched_vcpus;

/* --- sched.c: the queues; upcalls masked in all of these */

/* A sleeper, already taken off its waitq, may run. */
void sched_wake(struct thread *thread);
/* A new thread may run, here rather than elsewhere. */
void sched_start(struct thread *thread);
/* Lock the queue that the thread is in, or belongs to while it sleeps or moves. */
struct runq *sched_lock_thread(struct thread *thread);
/* held: rq->lock (these five) */
void sched_enqueue(struct runq *rq, struct thread *thread, bool first);
/* A READY thread, which becomes MOVING. */
void sched_remove(struct runq *rq, struct thread *thread);
/* The best ready thread's priority; PRIORITIES when there is none. */
unsigned int sched_best(const struct runq *rq);
/* `thread` was put into `rq`: whoever must take notice is told. */
void sched_check(struct runq *rq, const struct thread *thread);
/* Make the vCPU of `rq` look at its queue again: when its upcall ends, or sooner. */
void sched_kick(struct runq *rq);
void sched_queue_init(struct runq *rq, struct percpu *cpu);
/* Give the vCPU away: the current thread's state says what becomes of it. No lock but those of this
 * thread's own making is held. Returns when the thread runs again. */
void sched_switch(void);
/* The current thread's end. */
_Noreturn void sched_die(void);
/* May the current thread sleep, apart from upcalls being masked? */
bool sched_sleep_allowed(void);

/* --- slice.c; held: rq->lock */
void slice_init(struct runq *rq);
void slice_consider(struct runq *rq, const struct thread *current);
/* This vCPU's queue: start the slice timer if `current` has company that it may not outlast. */
static inline void slice_check(struct runq *rq, const struct thread *current)
{
    if (rq->ready && !rq->slice_armed)
        slice_consider(rq, current);
}

#ifdef DEBUG
/* The calling thread may sleep in a moment: panics if it must not. */
void sched_might_sleep(const char *what);
#else
#define sched_might_sleep(what) ((void)0)
#endif

/* --- balance.c: which vCPU; upcalls masked */

/* Put a thread that is in no queue, its own `rq` or better another; rq->lock is held on entry, not
 * on return. */
void sched_place(struct thread *thread, struct runq *rq);
/* The same for a thread whose `runq` was set to `rq` already, not locked. */
void sched_place_moving(struct thread *thread);
/* The current thread of `rq` ends its slice: where it would wait less; NULL: nowhere. held:
 * rq->lock */
struct runq *sched_lighter(struct runq *rq, const struct thread *thread);
/* A thread waits in `rq` that cannot run as long as the current one does: perhaps elsewhere. Not
 * locked. */
void sched_push(struct runq *rq);
/* One of the threads `waiting` waits in the queue of `busy`: have an idle vCPU come and take it.
 * held: the queue's lock */
void sched_invite(const struct percpu *busy, const struct thread *waiting);
/* Look for work elsewhere, and put it into `rq`, this vCPU's. It is among the idle ones already: a
 * thread that this look misses finds it there. */
bool sched_take(struct runq *rq);
/* This vCPU is about to block, or did. */
void sched_idle_begin(unsigned int vcpu);
void sched_idle_end(unsigned int vcpu);
/* May the thread be in this queue? held: rq->lock */
bool sched_accepts(const struct runq *rq, const struct thread *thread);

/* --- priority.c; upcalls masked */
/* What the thread runs at from now on. */
void sched_set_priority(struct thread *thread, unsigned int priority, bool fifo);
/* Has `vcpus` one that takes threads? */
bool sched_some_online(const struct vcpu_set *vcpus);

/* --- inherit.c: what a mutex with `inherit` says; its q.lock is held */
/* The calling thread is about to sleep until `owner` releases it. */
void inherit_wait(struct mutex *mutex, struct thread *owner);
/* It waited, and has taken it or given up. True: it has, and others want it. */
bool inherit_waited(struct mutex *mutex, bool taken);
/* The calling thread releases it, and gives it to `next` unless that is NULL. */
void inherit_release(struct mutex *mutex, struct thread *next);

/* --- hotplug.c: from the idle loop of a vCPU that leaves, nothing ready, upcalls masked */
void sched_park(struct runq *rq);

/* --- interrupt.c */
/* The current thread has async_due: what thread_set_async() named is called, upcalls on
 * meanwhile. Upcalls masked. */
void interrupt_deliver(struct thread *self);

/* --- account.c: a switch away from `prev` while accounting. held: rq->lock */
void sched_account(struct runq *rq, struct thread *prev);

/* --- wait.c */
/* waitq_sleep(), but before its equals if `first`: for who was woken already and finds nothing. */
int waitq_sleep_at(struct waitq *q, uint64_t deadline_ns, bool first);
int waitq_sleep_interruptible_at(struct waitq *q, uint64_t deadline_ns, bool first);
/* waitq_sleep_at(), but the lock isn't held on return, and the deadline not looked at before. */
int waitq_sleep_unlocked(struct waitq *q, uint64_t deadline_ns, bool first);
/* Who would be woken next; NULL. held: q->lock */
struct thread *waitq_first(const struct waitq *q);
/* Wake this sleeper of `q` if it sleeps there still; its sleep returns `rc`. held: q->lock */
void waitq_end_sleep(struct thread *thread, int rc);
/* The timeout of a sleeper: takes the thread off the queue it waits in, if it is there still. In
 * the timer's upcall. */
void waitq_timeout(void *thread);

/* Send the vCPU of `rq` an event, but not before upcalls are unmasked. Upcalls masked (both). */
void sched_kick_soon(const struct runq *rq);
void sched_send_kicks(struct percpu *self);

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
/* A thread with a stack and a context that starts at sched_thread_entry(); not ready yet. NULL: no
 * memory. */
struct thread *thread_alloc(const char *name, unsigned int stack_order, unsigned int priority);
/* Off the list of all threads, memory back. The thread is off its stack. */
void thread_free(struct thread *thread);
unsigned int thread_count(void);
/* Let one thread whose affinity has no vCPU left run everywhere; its name out. False: there is
 * none. Thread context. */
bool thread_widen_affinity(char name[THREAD_NAME_MAX]);

/* Timers of a vCPU that has none yet. NULL: no memory. */
struct timers *timers_create(void);
/* All of `from`, this vCPU's, go to `to`; the caller makes that vCPU call timers_kicked().
 * Upcalls masked. */
void timers_move(struct timers *from, struct timers *to);
/* From an IPI: have timers come here? Then their interrupt is asked for. */
void timers_kicked(struct timers *timers);
/* From the timer interrupt, upcalls masked: run what is due, ask for the next interrupt. */
void timers_run(struct timers *timers);
