/* SPDX-License-Identifier: MIT
 *
 * Spinlocks.  Held for a few dozen instructions, never while sleeping.  spin_lock_save() also masks
 * upcalls on this vCPU: the form for data that handlers touch, and the usual one here, because it
 * also keeps the holder from being preempted.  A waiter that spins in vain gives its physical CPU
 * away: the holder may be a vCPU that is not running.
 */
#pragma once
#include "arch/cpu.h"
#include "lib/irq.h"
#include "hypercall/sched.h"
#include "lib/atomic.h"

typedef struct spinlock {
    uint32_t held;
} spinlock_t;

#define SPINLOCK_INIT                                                                              \
    {                                                                                              \
        0                                                                                          \
    }
#define SPIN_BEFORE_YIELD 1000

/* Out of line, so that taking a free lock costs its callers no registers. */
static __attribute__((noinline, cold, unused)) void spin_lock_wait(spinlock_t *lock)
{
    do {
        for (unsigned int turn = 0; load_once(&lock->held); turn++) {
            if (turn < SPIN_BEFORE_YIELD)
                cpu_relax();
            else
                hypercall_sched_yield();
        }
    } while (atomic_exchange(&lock->held, 1));
}

/* Upcalls must be masked already. */
static inline void spin_lock(spinlock_t *lock)
{
    if (atomic_exchange(&lock->held, 1))
        spin_lock_wait(lock);
}

static inline void spin_unlock(spinlock_t *lock)
{
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
