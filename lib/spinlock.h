/* SPDX-License-Identifier: MIT
 *
 * Spinlocks.  Held for a few dozen instructions, never while sleeping.  spin_lock_save() also masks
 * upcalls on this vCPU: the form for data that handlers touch, and the usual one here, because it
 * also keeps the holder from being preempted.  A waiter that spins in vain gives its physical CPU
 * away: the holder may be a vCPU that is not running.
 *
 * Who takes one lock inside of another follows the order of enum lock_rank.  `make DEBUG=1` checks
 * that at each lock and panics with the names of both (lock_order.c); otherwise ranks are nothing.
 */
#pragma once
#include "arch/cpu.h"
#include "lib/irq.h"
#include "hypercall/sched.h"
#include "lib/atomic.h"

/* Outermost first. Of one rank only one lock is held at a time. */
enum lock_rank {
    LOCK_LEAF,      /* the innermost: nothing is locked inside of it; what SPINLOCK_INIT is */
    LOCK_POSIX,     /* the libc's threads: they are interrupted inside */
    LOCK_THREADS,   /* the list of all threads */
    LOCK_INTERRUPT, /* a thread's interrupt_lock */
    LOCK_STORE,     /* the xenstore client: signals are raised inside */
    LOCK_WATCH,     /* who watches a descriptor: they are woken inside */
    LOCK_CONDITION, /* a condition's wait queue: its mutex is released inside; a rwlock's readers */
    LOCK_WAITQ,     /* any other wait queue */
    LOCK_INHERIT,   /* who inherits whose priority */
    LOCK_LOG,       /* a line goes to the sinks: not to be logged inside of what follows */
    LOCK_CONSOLE,   /* the console's ring and backlog, a wait queue */
    LOCK_EVENTS,    /* binding and masking ports */
    LOCK_RUNQ,      /* a vCPU's run queue; also held across a switch */
    LOCK_TIMERS,    /* a vCPU's timers; vCPU 0's inside of another's when that one leaves */
    LOCK_NET,       /* a network queue: packets are let go inside of it */
    LOCK_GRANT,     /* the grant table */
    LOCK_VSPACE,    /* the map of address space */
    LOCK_HEAP,      /* the kernel heap */
    LOCK_PAGES,     /* the page allocator */
    LOCK_RANKS
};

typedef struct spinlock {
    uint32_t held;
#ifdef DEBUG
    uint32_t rank;
#endif
} spinlock_t;

#ifdef DEBUG
#define SPINLOCK_INIT_RANK(rank)                                                                   \
    {                                                                                              \
        0, rank                                                                                    \
    }
/* About to take `lock`: may this vCPU? `second`: it may hold one of the same rank. */
void lock_order_take(const spinlock_t *lock, bool second);
void lock_order_drop(const spinlock_t *lock);
/* No lock may be held here but `except` (NULL: none): somebody sleeps, or might. */
void lock_order_none_but(const spinlock_t *except, const char *what);
#else
#define SPINLOCK_INIT_RANK(rank)                                                                   \
    {                                                                                              \
        0                                                                                          \
    }
#define lock_order_take(lock, second)     ((void)0)
#define lock_order_drop(lock)             ((void)0)
#define lock_order_none_but(except, what) ((void)0)
#endif
#define SPINLOCK_INIT SPINLOCK_INIT_RANK(LOCK_LEAF)

/* What was only zeroed, and is no leaf. */
static inline void spin_lock_rank(spinlock_t *lock, enum lock_rank rank)
{
    (void)lock;
    (void)rank;
#ifdef DEBUG
    if (lock->rank == LOCK_LEAF)
        lock->rank = rank;
#endif
}

static inline void spin_lock_init(spinlock_t *lock, enum lock_rank rank)
{
    (void)rank;
    *lock = (spinlock_t)SPINLOCK_INIT_RANK(rank);
}

#define SPIN_BEFORE_YIELD 300

/* Wait until *busy is 0: spin a little, then give the physical CPU away for longer and longer. Any
 * context. */
void spin_while(const uint32_t *busy);
/* Until the lock is taken. */
void spin_lock_wait(spinlock_t *lock);

static inline void spin_lock_any(spinlock_t *lock, bool second)
{
    (void)second;
    lock_order_take(lock, second);
    if (__builtin_expect(atomic_exchange(&lock->held, 1), 0))
        spin_lock_wait(lock);
}

/* Upcalls must be masked already. */
static inline void spin_lock(spinlock_t *lock)
{
    spin_lock_any(lock, false);
}

/* While one of the same rank is held; the caller says why that cannot deadlock. */
static inline void spin_lock_second(spinlock_t *lock)
{
    spin_lock_any(lock, true);
}

static inline void spin_unlock(spinlock_t *lock)
{
    lock_order_drop(lock);
    store_release(&lock->held, 0); /* pairs with the exchange in spin_lock() */
}

/* Mask upcalls and lock; returns what spin_unlock_restore() wants. */
static inline bool spin_lock_save(spinlock_t *lock)
{
    bool enabled = upcalls_save();

    spin_lock(lock);
    return enabled;
}

static inline void spin_unlock_restore(spinlock_t *lock, bool enabled)
{
    spin_unlock(lock);
    upcalls_restore(enabled);
}
