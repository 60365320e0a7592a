/* SPDX-License-Identifier: MIT
 *
 * What the files of pthreads and signals share: a thread as POSIX sees it.  A program that uses
 * none of this has none of it in its image: always-linked files refer here weakly only.
 *
 * One lock, libc_threads_lock, guards the table of threads, and everything about signals.  It comes
 * before every lock of the kernel.
 *
 * A thread is told of a signal or of its cancellation by thread_interrupt(), which is sticky: its
 * blocking call ends with -XEN_EINTR, or libc_async() finds it in the program's own code.
 */
#pragma once
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "arch/context.h"
#include "kernel/mutex.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "libc/time.h"

struct queued_signal;

#define LIBC_VALID 0x56414c44u /* in what was initialised and not destroyed */

struct pthread {
    pthread_t handle;
    struct thread *thread;
    struct list all; /* held: libc_threads_lock */
    void *(*fn)(void *arg);
    void *arg;
    void *result;

    bool born_detached; /* by its attributes: it detaches itself from the kernel's side */

    /* held: libc_threads_lock */
    bool adopted; /* not made by pthread_create(): nobody's to join but by libc_threads_ended */
    bool detached;
    bool joining; /* somebody is in pthread_join() for it */
    bool ended;   /* its program part is over */

    /* Cancellation: the thread's own, except `cancelled`. */
    bool cancelled;       /* atomic; pthread_cancel() was called */
    bool cancel_disabled; /* read by others: sequentially consistent with `cancelled` */
    bool cancel_async;
    bool exiting;
    struct _pthread_cleanup_context *cleanup;

    struct value *values; /* of keys, libc/pthread_key.c; NULL before the first */

    /* Signals; held: libc_threads_lock */
    sigset_t mask;
    sigset_t pending;
    sigset_t awaited;            /* by sigwait() and its like: blocked, but to be told of */
    struct queued_signal *queue; /* of `pending`, in the order they came */

    unsigned int read_locks;    /* that it holds, of all pthread_rwlock_t */
    int policy, priority;       /* as set; what a ceiling makes of it is the kernel's */
    struct timer retry;         /* libc_async() found it in other code */
    unsigned int retries;       /* of these, one after the other */
    unsigned char ceilings[33]; /* held mutexes by ceiling */
    bool has_ceilings;
    bool has_stack; /* the attributes named one */
    void *stackaddr;
    size_t stacksize, guardsize;
    uint64_t cpu_offset_ns; /* clock_settime() of its CPU-time clock */
};

extern spinlock_t libc_threads_lock;
extern struct list libc_threads; /* all of them; held: libc_threads_lock */

/* Give the lock back, and the vCPU to a better thread that was told something under it. */
static inline void libc_threads_unlock(bool enabled)
{
    spin_unlock_restore(&libc_threads_lock, enabled);
    if (this_percpu()->need_resched) {
        preempt_disable();
        preempt_enable();
    }
}

/* The calling thread's; made on the first call in a thread that pthread_create() did not make.
 * Panics when there is no memory for that. Thread context. */
struct pthread *libc_self(void);
/* The same, or NULL: this thread never called a function of pthreads. */
static inline struct pthread *libc_self_if_any(void)
{
    return thread_private(current_thread());
}
/* NULL: no such thread. held: libc_threads_lock */
struct pthread *libc_thread_find(pthread_t handle);
/* A new one, in the table, all zeroes but its handle. NULL: no memory. */
struct pthread *libc_thread_new(void);
/* Out of the table and freed. held: libc_threads_lock, let go. */
void libc_thread_forget(struct pthread *self, bool enabled);
/* Make main one of libc_threads, so that signals find it. */
void libc_adopt_main(void);
/* [*low, *high], NULL allowed, of a policy; EINVAL for one that does not exist. */
int libc_priority_range(int policy, int *low, int *high);
/* The other way round: policy and priority of a thread that is there already. */
void libc_read_scheduling(struct pthread *self);
void libc_vcpu_set(struct vcpu_set *out, const cpu_set_t *set, size_t size);
/* Kernel priority for a policy and a priority that are valid. */
unsigned int libc_kernel_priority(int policy, int priority);
/* 0 or EINVAL. */
int libc_check_scheduling(int policy, int priority);
/* Give the kernel what policy, priority and ceilings come to. */
void libc_apply_scheduling(struct pthread *self);

/* The end of the calling thread from wherever it is: handlers, keys, exit. */
_Noreturn void libc_thread_finish(void *result);
void libc_run_destructors(struct pthread *self);

/* -- Interruption ---------------------------------------------------------------------------- */

/* Have `target` look at its signals and its cancellation. held: libc_threads_lock */
void libc_notify(struct pthread *target);
/* After -XEN_EINTR, no lock held: run the handlers that are due. EINTR, or 0 when none ran but such
 * with SA_RESTART: then go on waiting. Not a cancellation point. */
int libc_interrupted(void);
/* The same, and PTHREAD_CANCEL_ASYNCHRONOUS acts: where the caller holds nothing. */
int libc_interrupted_async(void);
/* The same in a cancellation point: does not return when the thread is cancelled. */
int libc_interrupted_cancel(void);
/* The same where handlers with SA_RESTART count too. */
int libc_interrupted_cancel_any(void);
/* Is the calling thread to act on a cancellation at the next point? */
bool libc_cancel_due(const struct pthread *self);
/* The calling thread was interrupted and is in no critical section: act at once. */
void libc_async_here(void);

/* -- Signals --------------------------------------------------------------------------------- */

/* A signal on its way. One that belongs to a timer is not freed but may be posted again. */
struct queued_signal {
    struct queued_signal *next;
    siginfo_t info;
    void (*accepted)(struct queued_signal *signal); /* NULL: from the pool. Upcalls masked. */
    bool posted;                                    /* held: libc_threads_lock */
};

static inline sigset_t libc_signal_bit(int signal)
{
    return (sigset_t)1 << signal;
}
#define LIBC_SIGNALS_ALL (~(sigset_t)1) /* bit 0 is no signal */

/* Run handlers of all signals that are pending and not blocked. True: one ran that was installed
 * without SA_RESTART; *any, unless NULL: one ran. No lock held. */
bool libc_signals_deliver(struct pthread *self, bool *any);
/* To one thread, or with NULL to whichever thread does not block it. Panics when it is to end the
 * program. 0 or EAGAIN. `entry` NULL: from the pool. held: libc_threads_lock. Any context. */
int libc_signal_post(struct pthread *target, const siginfo_t *info, struct queued_signal *entry);
/* Take back an entry, whether it is posted or not. held: libc_threads_lock */
void libc_signal_withdraw(struct queued_signal *entry);
/* The lowest pending one of `wanted`, taken off. held: libc_threads_lock */
bool libc_signal_take(struct pthread *self, sigset_t wanted, siginfo_t *info);
/* Pending for the thread or the program. held: libc_threads_lock */
sigset_t libc_signals_pending(const struct pthread *self);
/* It ends: its signals go away, those of the program to another. held: libc_threads_lock */
void libc_signals_forget(struct pthread *self);
/* Drop a signal that is ignored from now on. held: libc_threads_lock */
void libc_signal_discard(int signal);
/* What is set for each; held: libc_threads_lock */
extern struct sigaction libc_actions[NSIG];
/* Does nothing: ignored, or by default without effect. held: libc_threads_lock */
bool libc_signal_ignored(int signal);

/* -- Time ------------------------------------------------------------------------------------ */

static inline bool libc_timespec_valid(const struct timespec *time)
{
    return time->tv_nsec >= 0 && time->tv_nsec < (long)NS_PER_S;
}
/* The kernel's deadline for an absolute time on `clock`; *deadline_ns out. 0 or EINVAL. */
int libc_deadline(clockid_t clock, const struct timespec *time, uint64_t *deadline_ns);

/* -- Locks ----------------------------------------------------------------------------------- */

/* A wait queue in a pthread type: all zeroes until its first use. */
static inline struct waitq *libc_queue(__pthread_queue_t *q)
{
    _Static_assert(sizeof(struct waitq) <= sizeof(__pthread_queue_t), "room for a wait queue");
    return (struct waitq *)(void *)q;
}
/* waitq_lock() for such a queue. */
static inline bool libc_queue_lock(__pthread_queue_t *queue)
{
    struct waitq *q = libc_queue(queue);
    bool enabled = waitq_lock(q);

    if (!q->sleepers.next)
        list_init(&q->sleepers);
    return enabled;
}
/* The same, if another one is locked inside of it. */
static inline bool libc_queue_lock_outer(__pthread_queue_t *queue)
{
    spin_lock_rank(&libc_queue(queue)->lock, LOCK_CONDITION);
    return libc_queue_lock(queue);
}
static inline void libc_queue_unlock(__pthread_queue_t *queue, bool enabled)
{
    waitq_unlock(libc_queue(queue), enabled);
}

/* Lock however often the owner had it; for condition variables. */
unsigned int libc_mutex_release(pthread_mutex_t *mutex);
void libc_mutex_retake(pthread_mutex_t *mutex, unsigned int depth);
bool libc_mutex_is_mine(pthread_mutex_t *mutex);
