/* SPDX-License-Identifier: MIT
 *
 * POSIX semaphores.  A post goes to the waiter that it wakes and is not counted then, so nobody can
 * take it away.
 */
#include <semaphore.h>
#include "libc/pthread_private.h"
#include "libc/time.h"

static int fail(int error)
{
    errno = error;
    return -1;
}

int sem_init(sem_t *sem, int shared, unsigned int value)
{
    (void)shared; /* there is one process */
    if (value > SEM_VALUE_MAX)
        return fail(EINVAL);
    *sem = (sem_t){ .__value = value, .__valid = LIBC_VALID };
    waitq_init(libc_queue(&sem->__q));
    return 0;
}

int sem_destroy(sem_t *sem)
{
    bool enabled, waiting;

    if (!sem || sem->__valid != LIBC_VALID)
        return fail(EINVAL);
    enabled = libc_queue_lock(&sem->__q);
    waiting = !list_empty(&libc_queue(&sem->__q)->sleepers);
    if (!waiting)
        sem->__valid = 0;
    libc_queue_unlock(&sem->__q, enabled);
    return waiting ? fail(EBUSY) : 0;
}

/* Also for handlers of signals. */
int sem_post(sem_t *sem)
{
    bool enabled;
    int error = 0;

    if (!sem || sem->__valid != LIBC_VALID)
        return fail(EINVAL);
    enabled = libc_queue_lock(&sem->__q);
    if (!waitq_wake_one_locked(libc_queue(&sem->__q))) {
        if (sem->__value == SEM_VALUE_MAX)
            error = EOVERFLOW;
        else
            sem->__value++;
    }
    libc_queue_unlock(&sem->__q, enabled);
    return error ? fail(error) : 0;
}

/* `error`, if there is one, instead of waiting. 0 or an errno. */
static int take(sem_t *sem, uint64_t deadline_ns, int error)
{
    bool enabled = libc_queue_lock(&sem->__q);
    int rc = 0;

    if (sem->__value > 0)
        sem->__value--;
    else
        rc = error ? error : waitq_sleep_interruptible(libc_queue(&sem->__q), deadline_ns);
    libc_queue_unlock(&sem->__q, enabled);
    return rc == -XEN_ETIMEDOUT ? ETIMEDOUT : rc;
}

static int wait_until(sem_t *sem, uint64_t deadline_ns, int error)
{
    int rc;

    if (!sem || sem->__valid != LIBC_VALID)
        return fail(EINVAL);
    pthread_testcancel();
    do {
        rc = take(sem, deadline_ns, error);
        if (rc == -XEN_EINTR)
            rc = libc_interrupted_cancel() == EINTR ? EINTR : -XEN_EINTR;
    } while (rc == -XEN_EINTR);
    if (rc != EINTR)
        libc_look();
    return rc ? fail(rc) : 0;
}

int sem_wait(sem_t *sem)
{
    return wait_until(sem, TIME_NEVER, 0);
}

int sem_trywait(sem_t *sem)
{
    int rc;

    if (!sem || sem->__valid != LIBC_VALID)
        return fail(EINVAL);
    rc = take(sem, 0, EAGAIN);
    return rc ? fail(rc) : 0;
}

int sem_clockwait(sem_t *restrict sem, clockid_t clock, const struct timespec *restrict time)
{
    uint64_t deadline_ns = 0;
    int error = libc_deadline(clock, time, &deadline_ns); /* matters only if it has to wait */

    return wait_until(sem, deadline_ns, error);
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict time)
{
    return sem_clockwait(sem, CLOCK_REALTIME, time);
}

int sem_getvalue(sem_t *restrict sem, int *restrict value)
{
    if (!sem || sem->__valid != LIBC_VALID)
        return fail(EINVAL);
    *value = (int)load_once(&sem->__value);
    return 0;
}
