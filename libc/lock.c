/* SPDX-License-Identifier: MIT
 *
 * newlib's locks (its sys/lock.h with retargetable locking): every malloc and every stdio call
 * takes one, so taking a free one is a single compare-and-exchange and the wait queue is only seen
 * by those who meet.  Not for upcalls.
 *
 * The recursive and the plain kind are the same here: a plain lock that its owner takes again would
 * only be a deadlock.
 */
#include <sys/lock.h>
#include "arch/cpu.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "libc/libc.h"
#include "mm/kmem.h"

struct __lock {
    struct thread *owner; /* NULL: free */
    unsigned int depth;   /* the owner's */
    unsigned int waiting; /* threads in lock_wait(); changed under q.lock */
    struct waitq q;
};

#define LOCK(name) struct __lock name = { .q = WAITQ_INIT(name.q) }

LOCK(__lock___sfp_recursive_mutex);
LOCK(__lock___atexit_recursive_mutex);
LOCK(__lock___at_quick_exit_mutex);
LOCK(__lock___malloc_recursive_mutex);
LOCK(__lock___env_recursive_mutex);
LOCK(__lock___tz_mutex);
LOCK(__lock___dd_hash_mutex);
LOCK(__lock___arc4random_mutex);

/* Stands in for a lock that there was no memory for: coarser, still correct. */
static LOCK(shared_lock);

/* How long exit() waits for a lock whose owner may never give it back: a thread that sleeps in
 * getchar() owns stdin, and flushing must go on without it. */
#define EXIT_LOCK_WAIT_NS (100 * NS_PER_MS)

static bool take(struct __lock *lock, struct thread *self)
{
    struct thread *nobody = NULL;

    return atomic_compare_exchange(&lock->owner, &nobody, self);
}

/* Longer than most of newlib holds a lock, shorter than it takes to sleep and be woken. */
#define SPIN_TURNS 500

/* The percpu on which `thread`, perhaps long gone, runs now, as Xen tells; NULL. */
static const struct percpu *where_running(const struct thread *thread)
{
    unsigned int vcpu;

    vcpu_set_for_each(vcpu, &vcpus_online)
    {
        const struct percpu *cpu = percpus[vcpu];

        if (load_once(&cpu->current) == thread)
            return load_once(&cpu->runstate.state) == RUNSTATE_running ? cpu : NULL;
    }
    return NULL;
}

/* Whoever has the lock on another vCPU lets it go soon, unless it stops running. */
static bool take_soon(struct __lock *lock, struct thread *self)
{
    const struct thread *owner = load_once(&lock->owner);
    const struct percpu *cpu = owner ? where_running(owner) : NULL;

    for (unsigned int turn = 0; turn < SPIN_TURNS; turn++) {
        const struct thread *now = load_once(&lock->owner);

        if (!now) {
            if (take(lock, self))
                return true;
        } else if (now != owner) { /* another has been quicker */
            owner = now;
            cpu = where_running(owner);
        } else if (!cpu || load_once(&cpu->current) != owner ||
                   load_once(&cpu->runstate.state) != RUNSTATE_running) {
            return false;
        }
        cpu_relax();
    }
    return false;
}

static void lock_wait(struct __lock *lock, struct thread *self)
{
    bool leaving = libc_exiting_thread() == self;
    uint64_t deadline_ns = leaving ? time_after_ns(EXIT_LOCK_WAIT_NS) : TIME_NEVER;
    bool enabled = waitq_lock(&lock->q);

    /* Counted before the attempt: the owner frees first and looks at the count then, so one of the
     * two sees the other. Both are sequentially consistent. */
    (void)atomic_fetch_add(&lock->waiting, 1);
    while (!take(lock, self)) {
        if (waitq_sleep(&lock->q, deadline_ns) && leaving) {
            store_once(&lock->owner, self);
            break;
        }
    }
    (void)atomic_fetch_sub(&lock->waiting, 1);
    waitq_unlock(&lock->q, enabled);
}

void __retarget_lock_acquire(struct __lock *lock)
{
    struct thread *self = current_thread();

    if (load_once(&lock->owner) != self || !self) {
        if (!self) /* before threads: alone */
            return;
        if (!take(lock, self) && !take_soon(lock, self))
            lock_wait(lock, self);
        lock->depth = 0;
    }
    lock->depth++;
}

int __retarget_lock_try_acquire(struct __lock *lock)
{
    struct thread *self = current_thread();

    if (self && load_once(&lock->owner) != self) {
        if (!take(lock, self))
            return 0;
        lock->depth = 0;
    }
    lock->depth++;
    return 1;
}

void __retarget_lock_release(struct __lock *lock)
{
    struct thread *self = current_thread();

    /* Not the owner: before threads, or exit() took it away from us. */
    if (!self || load_once(&lock->owner) != self || --lock->depth)
        return;
    (void)atomic_exchange(&lock->owner, NULL); /* pairs with lock_wait() */
    if (load_once(&lock->waiting))
        waitq_wake_one(&lock->q);
}

void __retarget_lock_init(struct __lock **lock)
{
    *lock = kmem_alloc(sizeof(**lock));
    if (*lock)
        waitq_init(&(*lock)->q);
    else
        *lock = &shared_lock;
}

void __retarget_lock_close(struct __lock *lock)
{
    if (lock != &shared_lock)
        kmem_free(lock);
}

void __retarget_lock_init_recursive(struct __lock **lock)
    __attribute__((alias("__retarget_lock_init")));
void __retarget_lock_close_recursive(struct __lock *lock)
    __attribute__((alias("__retarget_lock_close")));
void __retarget_lock_acquire_recursive(struct __lock *lock)
    __attribute__((alias("__retarget_lock_acquire")));
int __retarget_lock_try_acquire_recursive(struct __lock *lock)
    __attribute__((alias("__retarget_lock_try_acquire")));
void __retarget_lock_release_recursive(struct __lock *lock)
    __attribute__((alias("__retarget_lock_release")));
