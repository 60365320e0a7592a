/* SPDX-License-Identifier: MIT
 *
 * Barriers, and POSIX spinlocks.
 */
#include "libc/pthread_private.h"

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr,
                         unsigned int count)
{
    if (count == 0 || (attr && attr->__valid != LIBC_VALID))
        return EINVAL;
    *barrier = (pthread_barrier_t){ .__valid = LIBC_VALID, .__count = count };
    return 0;
}

/* May follow pthread_barrier_wait() at once: waits for the others to leave it. */
int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    bool enabled;
    int rc;

    if (barrier->__valid != LIBC_VALID)
        return EINVAL;
    enabled = libc_queue_lock(&barrier->__q);
    rc = barrier->__arrived ? EBUSY : 0;
    while (rc == 0 && barrier->__leaving) {
        libc_queue_unlock(&barrier->__q, enabled);
        thread_sleep_until(time_after_ns(100 * NS_PER_US));
        enabled = libc_queue_lock(&barrier->__q);
    }
    if (rc == 0)
        barrier->__valid = 0;
    libc_queue_unlock(&barrier->__q, enabled);
    return rc;
}

/* Until the round is over; handlers of signals run meanwhile. held: barrier->__q */
static void wait_for_round(pthread_barrier_t *barrier, unsigned int round, bool *enabled)
{
    while (barrier->__round == round) {
        if (waitq_sleep_interruptible(libc_queue(&barrier->__q), TIME_NEVER) == 0)
            continue;
        libc_queue_unlock(&barrier->__q, *enabled);
        libc_interrupted();
        *enabled = libc_queue_lock(&barrier->__q);
    }
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    bool enabled;
    int rc = 0;

    if (barrier->__valid != LIBC_VALID)
        return EINVAL;
    enabled = libc_queue_lock(&barrier->__q);
    if (++barrier->__arrived == barrier->__count) {
        barrier->__arrived = 0;
        barrier->__round++;
        while (waitq_wake_one_locked(libc_queue(&barrier->__q)))
            ;
        rc = PTHREAD_BARRIER_SERIAL_THREAD;
    } else {
        barrier->__leaving++;
        wait_for_round(barrier, barrier->__round, &enabled);
        barrier->__leaving--;
    }
    libc_queue_unlock(&barrier->__q, enabled);
    return rc;
}

/* -- Spinlocks ------------------------------------------------------------------------------- */

#define SPIN_DESTROYED   1UL
#define SPINS_THEN_YIELD 100
#define YIELDS_THEN_NAP  100 /* the holder may be a worse thread of this vCPU */
#define NAP_NS           (50 * NS_PER_US)

int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
        return EINVAL;
    store_release(&lock->__owner, 0UL);
    return 0;
}

int pthread_spin_destroy(pthread_spinlock_t *lock)
{
    unsigned long expected = 0;

    if (atomic_compare_exchange(&lock->__owner, &expected, SPIN_DESTROYED))
        return 0;
    return expected == SPIN_DESTROYED ? EINVAL : EBUSY;
}

int pthread_spin_trylock(pthread_spinlock_t *lock)
{
    unsigned long expected = 0;

    if (atomic_compare_exchange(&lock->__owner, &expected, (unsigned long)current_thread()))
        return 0;
    return expected == SPIN_DESTROYED ? EINVAL : EBUSY;
}

/* Handlers of signals run meanwhile. */
static void nap(void)
{
    if (thread_sleep_interruptible(time_after_ns(NAP_NS)) == -XEN_EINTR)
        libc_interrupted_async();
}

int pthread_spin_lock(pthread_spinlock_t *lock)
{
    int rc;

    for (unsigned int turn = 1; (rc = pthread_spin_trylock(lock)) == EBUSY; turn++) {
        if (load_once(&lock->__owner) == (unsigned long)current_thread())
            return EDEADLK;
        if (turn % (SPINS_THEN_YIELD * YIELDS_THEN_NAP) == 0)
            nap();
        else if (turn % SPINS_THEN_YIELD == 0)
            thread_yield();
        else
            cpu_relax();
    }
    return rc;
}

int pthread_spin_unlock(pthread_spinlock_t *lock)
{
    if (load_once(&lock->__owner) == SPIN_DESTROYED)
        return EINVAL;
    store_release(&lock->__owner, 0UL);
    return 0;
}
