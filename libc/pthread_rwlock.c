/* SPDX-License-Identifier: MIT
 *
 * Read-write locks.  Who waits gets it by priority, writers before their equals.  So a waiting
 * writer keeps new readers out, except better ones, and those that hold a read lock already, who
 * would wait for themselves.  State is held by the lock of __readers; a writer takes that of
 * __writers inside it before it sleeps.
 */
#define _GNU_SOURCE
#include "libc/pthread_private.h"

int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr)
{
    if (attr && attr->__valid != LIBC_VALID)
        return EINVAL;
    *lock = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
    return 0;
}

#define NOBODY (-1)

/* The best priority at which somebody waits; NOBODY. held: lock->__readers */
static int best(const unsigned short *waiting_at)
{
    int priority = REALTIME_LEVELS;

    while (priority >= 0 && waiting_at[priority] == 0)
        priority--;
    return priority;
}

int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    bool enabled = libc_queue_lock_outer(&lock->__readers);
    bool waited_for = best(lock->__readers_at) != NOBODY || best(lock->__writers_at) != NOBODY;
    int rc = lock->__destroyed ? EINVAL : waited_for ? EBUSY : 0;

    if (rc == 0)
        lock->__destroyed = 1;
    libc_queue_unlock(&lock->__readers, enabled);
    return rc;
}

/* held: lock->__readers */
static bool take_read(pthread_rwlock_t *lock, struct pthread *self)
{
    if (lock->__owner)
        return false;
    if (self->read_locks == 0 && self->priority <= best(lock->__writers_at))
        return false;
    lock->__reading++;
    self->read_locks++;
    return true;
}

static bool take_write(pthread_rwlock_t *lock)
{
    if (lock->__owner || lock->__reading)
        return false;
    lock->__owner = (unsigned long)current_thread();
    return true;
}

/* 0, EINVAL, EDEADLK: by the state alone, before waiting. held: lock->__readers */
static int check(const pthread_rwlock_t *lock)
{
    if (lock->__destroyed)
        return EINVAL;
    return lock->__owner == (unsigned long)current_thread() ? EDEADLK : 0;
}

/* held: lock->__readers, let go meanwhile */
static int sleep_as_reader(pthread_rwlock_t *lock, int priority, uint64_t deadline_ns,
                           bool *enabled)
{
    int rc;

    lock->__readers_at[priority]++;
    rc = waitq_sleep_interruptible(libc_queue(&lock->__readers), deadline_ns);
    if (rc == -XEN_EINTR) {
        libc_queue_unlock(&lock->__readers, *enabled);
        libc_interrupted();
        *enabled = libc_queue_lock_outer(&lock->__readers);
        rc = 0;
    }
    lock->__readers_at[priority]--;
    return rc;
}

static int lock_read(pthread_rwlock_t *lock, uint64_t deadline_ns, int error)
{
    struct pthread *self = libc_self();
    bool enabled = libc_queue_lock_outer(&lock->__readers);
    int rc = check(lock);

    while (rc == 0 && !take_read(lock, self))
        rc = error ? error : sleep_as_reader(lock, self->priority, deadline_ns, &enabled);
    libc_queue_unlock(&lock->__readers, enabled);
    return rc < 0 ? ETIMEDOUT : rc;
}

/* held: lock->__readers, let go meanwhile */
static int sleep_as_writer(pthread_rwlock_t *lock, int priority, uint64_t deadline_ns,
                           bool *enabled)
{
    int rc;

    lock->__writers_at[priority]++;
    libc_queue_lock(&lock->__writers);
    spin_unlock(&libc_queue(&lock->__readers)->lock);
    rc = waitq_sleep_interruptible(libc_queue(&lock->__writers), deadline_ns);
    libc_queue_unlock(&lock->__writers, *enabled);
    if (rc == -XEN_EINTR) {
        libc_interrupted();
        rc = 0;
    }
    *enabled = libc_queue_lock_outer(&lock->__readers);
    lock->__writers_at[priority]--;
    return rc;
}

/* Wake the best writer, or all readers if one is better: they look for themselves which of them may
 * go on. held: lock->__readers */
static void wake_next(pthread_rwlock_t *lock)
{
    int writer = best(lock->__writers_at);

    if (lock->__owner)
        return;
    if (writer == NOBODY || writer < best(lock->__readers_at)) {
        while (waitq_wake_one_locked(libc_queue(&lock->__readers)))
            ;
    } else if (!lock->__reading) {
        libc_queue_lock(&lock->__writers);
        waitq_wake_one_locked(libc_queue(&lock->__writers));
        libc_queue_unlock(&lock->__writers, false);
    }
}

static int lock_write(pthread_rwlock_t *lock, uint64_t deadline_ns, int error)
{
    int priority = libc_self()->priority, rc;
    bool enabled = libc_queue_lock_outer(&lock->__readers);

    rc = check(lock);
    while (rc == 0 && !take_write(lock))
        rc = error ? error : sleep_as_writer(lock, priority, deadline_ns, &enabled);
    if (rc)
        wake_next(lock); /* readers that waited for us only */
    libc_queue_unlock(&lock->__readers, enabled);
    return rc < 0 ? ETIMEDOUT : rc;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return lock_read(lock, TIME_NEVER, 0);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    int rc = lock_read(lock, 0, EBUSY);

    return rc == EDEADLK ? EBUSY : rc;
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t *restrict lock, clockid_t clock,
                               const struct timespec *restrict time)
{
    uint64_t deadline_ns = 0;
    int error = libc_deadline(clock, time, &deadline_ns); /* matters only if it has to wait */

    return lock_read(lock, deadline_ns, error);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *time)
{
    return pthread_rwlock_clockrdlock(lock, CLOCK_REALTIME, time);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return lock_write(lock, TIME_NEVER, 0);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    int rc = lock_write(lock, 0, EBUSY);

    return rc == EDEADLK ? EBUSY : rc;
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t *restrict lock, clockid_t clock,
                               const struct timespec *restrict time)
{
    uint64_t deadline_ns = 0;
    int error = libc_deadline(clock, time, &deadline_ns);

    return lock_write(lock, deadline_ns, error);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *time)
{
    return pthread_rwlock_clockwrlock(lock, CLOCK_REALTIME, time);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    bool enabled = libc_queue_lock_outer(&lock->__readers);
    struct pthread *self = libc_self_if_any();
    int rc = 0;

    if (lock->__destroyed) {
        rc = EINVAL;
    } else if (lock->__owner) {
        if (lock->__owner == (unsigned long)current_thread())
            lock->__owner = 0;
        else
            rc = EPERM;
    } else if (lock->__reading) {
        lock->__reading--;
        if (self && self->read_locks)
            self->read_locks--;
    } else {
        rc = EINVAL;
    }
    if (rc == 0)
        wake_next(lock);
    libc_queue_unlock(&lock->__readers, enabled);
    return rc;
}
