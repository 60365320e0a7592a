/* SPDX-License-Identifier: MIT
 *
 * POSIX mutexes: the kernel's, with types, ceilings and deadlines on POSIX clocks.  Taking a free
 * one and giving it back when nobody waits are one atomic instruction each, on the word that the
 * kernel uses for it: 0 when free, the owner alone when nobody waits.
 */
#define _GNU_SOURCE
#include "libc/pthread_private.h"

_Static_assert(sizeof(struct mutex) <= sizeof(((pthread_mutex_t *)NULL)->__mutex), "room");

#define DESTROYED 8u /* in the word: no thread lies there */

static struct mutex *kernels(pthread_mutex_t *mutex)
{
    return (struct mutex *)(void *)mutex->__mutex;
}

/* A statically initialised one has no queue until somebody has to wait. */
static void prepare_queue(struct mutex *mutex)
{
    bool enabled;

    if (load_acquire(&mutex->q.sleepers.next))
        return;
    enabled = spin_lock_save(&mutex->q.lock);
    if (!mutex->q.sleepers.next)
        list_init(&mutex->q.sleepers);
    spin_unlock_restore(&mutex->q.lock, enabled);
}

static bool take_free(struct mutex *mutex)
{
    uintptr_t expected = 0;

    return atomic_compare_exchange(&mutex->word, &expected, (uintptr_t)current_thread());
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
    struct mutex *kernel = kernels(mutex);

    if (attr && attr->__valid != LIBC_VALID)
        return EINVAL;
    *mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    if (attr && attr->__protocol == PTHREAD_PRIO_INHERIT)
        mutex_init_inherit(kernel, false);
    else
        mutex_init(kernel, false);
    if (attr) {
        int ceiling;

        pthread_mutexattr_getprioceiling(attr, &ceiling);
        mutex->__type = (unsigned char)attr->__type;
        mutex->__protocol = (unsigned char)attr->__protocol;
        mutex->__ceiling = (unsigned char)ceiling;
    }
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    struct mutex *kernel = kernels(mutex);
    uintptr_t expected = 0;
    bool enabled;

    if (mutex->__destroyed)
        return EINVAL;
    if (!atomic_compare_exchange(&kernel->word, &expected, DESTROYED))
        return EBUSY;
    /* Who gave it back with waiters may still be in the queue: after this it is not. */
    enabled = spin_lock_save(&kernel->q.lock);
    mutex->__destroyed = 1;
    spin_unlock_restore(&kernel->q.lock, enabled);
    return 0;
}

/* PTHREAD_PRIO_PROTECT: the owner runs at the ceiling, and nobody above it may want the mutex. */
static int check_ceiling(const pthread_mutex_t *mutex)
{
    struct pthread *self = libc_self();

    return self->policy != SCHED_OTHER && self->priority > mutex->__ceiling ? EINVAL : 0;
}

static void apply_ceiling(const pthread_mutex_t *mutex, int change)
{
    struct pthread *self = libc_self();

    self->ceilings[mutex->__ceiling] = (unsigned char)(self->ceilings[mutex->__ceiling] + change);
    self->has_ceilings = true;
    libc_apply_scheduling(self);
}

/* NORMAL, and the owner wants it again: it waits for itself, as POSIX says. */
static int wait_for_oneself(uint64_t deadline_ns)
{
    while (time_now_ns() < deadline_ns) {
        if (thread_sleep_interruptible(deadline_ns) == -XEN_EINTR)
            libc_interrupted_async();
    }
    return ETIMEDOUT;
}

static int lock_owned(pthread_mutex_t *mutex, uint64_t deadline_ns)
{
    struct mutex *kernel = kernels(mutex);

    if (mutex->__type == PTHREAD_MUTEX_ERRORCHECK)
        return EDEADLK;
    if (mutex->__type == PTHREAD_MUTEX_NORMAL)
        return wait_for_oneself(deadline_ns);
    if (kernel->depth == INT32_MAX)
        return EAGAIN;
    kernel->depth++;
    return 0;
}

static __attribute__((noinline)) int lock_slowly(pthread_mutex_t *mutex, uint64_t deadline_ns)
{
    struct mutex *kernel = kernels(mutex);
    int rc;

    if (mutex->__destroyed)
        return EINVAL;
    if (mutex_is_mine(kernel))
        return lock_owned(mutex, deadline_ns);
    if (mutex->__protocol == PTHREAD_PRIO_PROTECT && check_ceiling(mutex))
        return EINVAL;
    prepare_queue(kernel);
    while ((rc = mutex_lock_interruptible(kernel, deadline_ns)) == -XEN_EINTR)
        libc_interrupted_async();
    if (rc)
        return ETIMEDOUT;
    if (mutex->__protocol == PTHREAD_PRIO_PROTECT)
        apply_ceiling(mutex, 1);
    return 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (mutex->__protocol != PTHREAD_PRIO_PROTECT && take_free(kernels(mutex)))
        return 0;
    return lock_slowly(mutex, TIME_NEVER);
}

int pthread_mutex_clocklock(pthread_mutex_t *restrict mutex, clockid_t clock,
                            const struct timespec *restrict time)
{
    uint64_t deadline_ns;
    int rc;

    if (mutex->__protocol != PTHREAD_PRIO_PROTECT && take_free(kernels(mutex)))
        return 0;
    rc = libc_deadline(clock, time, &deadline_ns);
    if (rc) /* an error only if it had to wait */
        return pthread_mutex_trylock(mutex) == 0 ? 0 : rc;
    return lock_slowly(mutex, deadline_ns);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *time)
{
    return pthread_mutex_clocklock(mutex, CLOCK_REALTIME, time);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    struct mutex *kernel = kernels(mutex);

    if (mutex->__destroyed)
        return EINVAL;
    if (mutex_is_mine(kernel))
        return mutex->__type == PTHREAD_MUTEX_RECURSIVE ? lock_owned(mutex, 0) : EBUSY;
    if (mutex->__protocol == PTHREAD_PRIO_PROTECT && check_ceiling(mutex))
        return EINVAL;
    if (mutex_trylock(kernel))
        return EBUSY;
    if (mutex->__protocol == PTHREAD_PRIO_PROTECT)
        apply_ceiling(mutex, 1);
    return 0;
}

/* NORMAL, and locked by another thread: undefined in POSIX, but programs for other systems do give
 * back what somebody else took. So it becomes ours first. False: nobody has it. */
static bool take_over(struct mutex *mutex)
{
    const uintptr_t bits = 15; /* the kernel's; threads are aligned */
    uintptr_t old = load_once(&mutex->word);

    do {
        if (!(old & ~bits))
            return false;
    } while (
        !atomic_compare_exchange(&mutex->word, &old, (uintptr_t)current_thread() | (old & bits)));
    return true;
}

static __attribute__((noinline)) int unlock_slowly(pthread_mutex_t *mutex)
{
    struct mutex *kernel = kernels(mutex);
    bool lenient = mutex->__type == PTHREAD_MUTEX_NORMAL && mutex->__protocol == PTHREAD_PRIO_NONE;

    if (mutex->__destroyed)
        return EINVAL;
    if (!mutex_is_mine(kernel) && !(lenient && take_over(kernel)))
        return EPERM;
    if (kernel->depth > 0) {
        kernel->depth--;
        return 0;
    }
    mutex_unlock(kernel);
    if (mutex->__protocol == PTHREAD_PRIO_PROTECT)
        apply_ceiling(mutex, -1);
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct mutex *kernel = kernels(mutex);
    uintptr_t expected = (uintptr_t)current_thread();

    if (kernel->depth == 0 && mutex->__protocol != PTHREAD_PRIO_PROTECT &&
        atomic_compare_exchange(&kernel->word, &expected, 0))
        return 0;
    return unlock_slowly(mutex);
}

unsigned int libc_mutex_release(pthread_mutex_t *mutex)
{
    unsigned int depth = kernels(mutex)->depth;

    kernels(mutex)->depth = 0;
    pthread_mutex_unlock(mutex);
    return depth;
}

void libc_mutex_retake(pthread_mutex_t *mutex, unsigned int depth)
{
    pthread_mutex_lock(mutex);
    kernels(mutex)->depth = depth;
}

bool libc_mutex_is_mine(pthread_mutex_t *mutex)
{
    return mutex_is_mine(kernels(mutex));
}

int pthread_mutex_getprioceiling(const pthread_mutex_t *restrict mutex, int *ceiling)
{
    if (mutex->__destroyed || mutex->__protocol != PTHREAD_PRIO_PROTECT)
        return EINVAL;
    *ceiling = mutex->__ceiling;
    return 0;
}

int pthread_mutex_setprioceiling(pthread_mutex_t *mutex, int ceiling, int *before)
{
    int rc;

    if (mutex->__protocol != PTHREAD_PRIO_PROTECT || libc_check_scheduling(SCHED_FIFO, ceiling))
        return EINVAL;
    rc = mutex_is_mine(kernels(mutex)) ? EDEADLK : lock_slowly(mutex, TIME_NEVER);
    if (rc)
        return rc;
    if (before)
        *before = mutex->__ceiling;
    apply_ceiling(mutex, -1);
    mutex->__ceiling = (unsigned char)ceiling;
    apply_ceiling(mutex, 1);
    return pthread_mutex_unlock(mutex);
}
