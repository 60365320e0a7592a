/* SPDX-License-Identifier: MIT
 *
 * Condition variables.  A waiter enters the queue before it lets go of the mutex, so no signal is
 * lost. A signal handler runs without the mutex; whoever was in one while the condition was
 * signalled returns, as if woken.
 */
#define _GNU_SOURCE
#include "libc/pthread_private.h"
#include "libc/time.h"

#define COND_DESTROYED 0x44454144u

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
    if (attr && attr->__valid != LIBC_VALID)
        return EINVAL;
    *cond = (pthread_cond_t){ .__clock = attr ? (unsigned int)attr->__clock : 0 };
    return 0;
}

/* May follow pthread_cond_broadcast() at once: waits for those that were woken to leave. */
int pthread_cond_destroy(pthread_cond_t *cond)
{
    bool enabled = libc_queue_lock_outer(&cond->__q);

    if (cond->__destroyed == COND_DESTROYED || !list_empty(&libc_queue(&cond->__q)->sleepers)) {
        bool destroyed = cond->__destroyed == COND_DESTROYED;

        libc_queue_unlock(&cond->__q, enabled);
        return destroyed ? EINVAL : EBUSY;
    }
    while (cond->__waiting) {
        libc_queue_unlock(&cond->__q, enabled);
        thread_sleep_until(time_after_ns(100 * NS_PER_US));
        enabled = libc_queue_lock_outer(&cond->__q);
    }
    cond->__destroyed = COND_DESTROYED;
    libc_queue_unlock(&cond->__q, enabled);
    return 0;
}

/* One sleep in the queue. 0, -XEN_ETIMEDOUT, or -XEN_EINTR: on after the handlers, and not
 * signalled meanwhile. held: cond->__q, let go and taken again for handlers */
static int sleep_once(pthread_cond_t *cond, uint64_t deadline_ns, bool *enabled)
{
    unsigned int signals = cond->__signals;
    struct pthread *self;
    int rc = waitq_sleep_interruptible(libc_queue(&cond->__q), deadline_ns);

    if (rc != -XEN_EINTR)
        return rc;
    libc_queue_unlock(&cond->__q, *enabled);
    libc_interrupted();
    *enabled = libc_queue_lock_outer(&cond->__q);
    self = libc_self_if_any();
    if (cond->__signals != signals || (self && libc_cancel_due(self)))
        return 0;
    return rc;
}

static int wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t deadline_ns)
{
    unsigned int depth;
    bool enabled;
    int rc;

    pthread_testcancel();
    if (!libc_mutex_is_mine(mutex))
        return EPERM;
    enabled = libc_queue_lock_outer(&cond->__q);
    if (cond->__destroyed == COND_DESTROYED ||
        (!list_empty(&libc_queue(&cond->__q)->sleepers) && cond->__mutex != mutex)) {
        libc_queue_unlock(&cond->__q, enabled);
        return EINVAL;
    }
    cond->__mutex = mutex;
    cond->__waiting++;
    depth = libc_mutex_release(mutex);
    do {
        rc = sleep_once(cond, deadline_ns, &enabled);
    } while (rc == -XEN_EINTR);
    cond->__waiting--;
    libc_queue_unlock(&cond->__q, enabled);
    libc_mutex_retake(mutex, depth);
    libc_look();
    pthread_testcancel(); /* with the mutex, for the handlers that give it back */
    return rc ? ETIMEDOUT : 0;
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    return wait_until(cond, mutex, TIME_NEVER);
}

int pthread_cond_clockwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           clockid_t clock, const struct timespec *restrict time)
{
    uint64_t deadline_ns;
    int rc = libc_deadline(clock, time, &deadline_ns);

    return rc ? rc : wait_until(cond, mutex, deadline_ns);
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *time)
{
    return pthread_cond_clockwait(cond, mutex, cond->__clock ? cond->__clock : CLOCK_REALTIME,
                                  time);
}

int pthread_cond_signal(pthread_cond_t *cond)
{
    bool enabled = libc_queue_lock_outer(&cond->__q);

    cond->__signals++;
    waitq_wake_one_locked(libc_queue(&cond->__q));
    libc_queue_unlock(&cond->__q, enabled);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
    bool enabled = libc_queue_lock_outer(&cond->__q);

    cond->__signals++;
    while (waitq_wake_one_locked(libc_queue(&cond->__q)))
        ;
    libc_queue_unlock(&cond->__q, enabled);
    return 0;
}
