/* SPDX-License-Identifier: MIT
 *
 * Mutexes, semaphores, condition variables over wait queues.
 */
#include "kernel/mutex.h"
#include "kernel/sched_private.h"
#include "lib/panic.h"

#define MUTEX_WAITERS 1UL /* unlock must look into the queue */
#define MUTEX_HANDOFF 2UL /* unlock must give it to the first waiter instead of freeing it */
#define MUTEX_BITS    (MUTEX_WAITERS | MUTEX_HANDOFF)

static uintptr_t owner_of(const struct mutex *mutex)
{
    return load_once(&mutex->word) & ~MUTEX_BITS;
}

bool mutex_is_mine(const struct mutex *mutex)
{
    return owner_of(mutex) == (uintptr_t)current_thread();
}

void mutex_init(struct mutex *mutex, bool recursive)
{
    mutex->word = 0;
    mutex->depth = 0;
    mutex->recursive = recursive;
    mutex->inherit = false;
    waitq_init(&mutex->q);
}

void mutex_init_inherit(struct mutex *mutex, bool recursive)
{
    mutex_init(mutex, recursive);
    mutex->inherit = true;
    list_init(&mutex->heirs);
    list_init(&mutex->held);
    mutex->holder = NULL;
}

/* Take it if it is free, leaving the bits as they are; else set `bits`. held: q.lock */
static bool take_or_mark(struct mutex *mutex, uintptr_t bits)
{
    uintptr_t self = (uintptr_t)current_thread();
    uintptr_t old = load_once(&mutex->word);
    uintptr_t new;

    do {
        new = old & ~MUTEX_BITS ? old | bits : old | self;
    } while (!atomic_compare_exchange(&mutex->word, &old, new));
    return !(old & ~MUTEX_BITS);
}

static __attribute__((noinline)) int lock_slowly(struct mutex *mutex, uint64_t deadline_ns,
                                                 bool interruptible)
{
    bool enabled = waitq_lock(&mutex->q);
    uintptr_t bits = MUTEX_WAITERS;
    bool again = false;
    int rc = 0;

    while (rc == 0 && !mutex_is_mine(mutex) && !take_or_mark(mutex, bits)) {
        if (mutex->inherit)
            inherit_wait(mutex, (struct thread *)owner_of(mutex));
        rc = interruptible ? waitq_sleep_interruptible_at(&mutex->q, deadline_ns, again)
                           : waitq_sleep_at(&mutex->q, deadline_ns, again);
        bits |= MUTEX_HANDOFF; /* whoever is overtaken once is not a second time */
        again = true;
    }
    if (again && mutex->inherit && inherit_waited(mutex, rc == 0))
        (void)atomic_fetch_or(&mutex->word, MUTEX_WAITERS); /* unlock must undo the inheritance */
    waitq_unlock(&mutex->q, enabled);
    return rc;
}

int mutex_lock_until(struct mutex *mutex, uint64_t deadline_ns)
{
    uintptr_t expected = 0;

    sched_might_sleep("mutex_lock()");
    if (atomic_compare_exchange(&mutex->word, &expected, (uintptr_t)current_thread()))
        return 0;
    if (mutex_is_mine(mutex)) {
        kassert(mutex->recursive);
        mutex->depth++;
        return 0;
    }
    return lock_slowly(mutex, deadline_ns, false);
}

int mutex_lock_interruptible(struct mutex *mutex, uint64_t deadline_ns)
{
    return mutex_trylock(mutex) ? lock_slowly(mutex, deadline_ns, true) : 0;
}

void mutex_lock(struct mutex *mutex)
{
    mutex_lock_until(mutex, TIME_NEVER);
}

int mutex_trylock(struct mutex *mutex)
{
    uintptr_t self = (uintptr_t)current_thread();
    uintptr_t old = 0;

    if (mutex_is_mine(mutex) && mutex->recursive) {
        mutex->depth++;
        return 0;
    }
    do {
        if (old & ~MUTEX_BITS)
            return -XEN_EBUSY;
    } while (!atomic_compare_exchange(&mutex->word, &old, old | self));
    return 0;
}

/* Free it and wake one waiter, or give it to that waiter. held: q.lock */
static void release_or_hand_over(struct mutex *mutex)
{
    uintptr_t bits = load_once(&mutex->word) & MUTEX_BITS;
    struct thread *first = waitq_first(&mutex->q);
    uintptr_t next = 0;

    if (first && bits & MUTEX_HANDOFF)
        next = (uintptr_t)first;
    if (mutex->inherit)
        inherit_release(mutex, (struct thread *)next);
    waitq_wake_one_locked(&mutex->q);
    if (waitq_first(&mutex->q))
        next |= MUTEX_WAITERS;
    /* Seen by whoever tries next, with the lock (a waiter) or without it (the fast path). */
    store_release(&mutex->word, next);
}

/* Somebody waits, or it is held more than once. */
static __attribute__((noinline)) void unlock_slowly(struct mutex *mutex)
{
    bool enabled;

    kassert(mutex_is_mine(mutex));
    if (mutex->depth > 0) {
        mutex->depth--;
        return;
    }
    enabled = waitq_lock(&mutex->q);
    release_or_hand_over(mutex);
    waitq_unlock(&mutex->q, enabled);
}

void mutex_unlock(struct mutex *mutex)
{
    uintptr_t expected = (uintptr_t)current_thread();

    if (mutex->depth > 0 || !atomic_compare_exchange(&mutex->word, &expected, 0))
        unlock_slowly(mutex);
}

void semaphore_init(struct semaphore *sem, unsigned int count)
{
    waitq_init(&sem->q);
    sem->count = count;
}

int semaphore_wait(struct semaphore *sem, uint64_t deadline_ns)
{
    bool enabled;
    int rc = 0;

    sched_might_sleep("semaphore_wait()");
    enabled = waitq_lock(&sem->q);
    if (sem->count > 0)
        sem->count--;
    else
        rc = waitq_sleep(&sem->q, deadline_ns); /* woken: the post was handed to us uncounted */
    waitq_unlock(&sem->q, enabled);
    return rc;
}

void semaphore_post(struct semaphore *sem)
{
    bool enabled = waitq_lock(&sem->q);

    if (!waitq_wake_one_locked(&sem->q))
        sem->count++;
    waitq_unlock(&sem->q, enabled);
}

void condition_init(struct condition *condition)
{
    *condition = (struct condition)CONDITION_INIT(*condition);
}

int condition_wait(struct condition *condition, struct mutex *mutex, uint64_t deadline_ns)
{
    unsigned int depth = mutex->depth;
    bool enabled = waitq_lock(&condition->q); /* a signal between unlock and sleep waits for this */
    int rc;

    mutex->depth = 0;
    mutex_unlock(mutex);
    rc = waitq_sleep(&condition->q, deadline_ns);
    waitq_unlock(&condition->q, enabled);
    mutex_lock(mutex);
    mutex->depth = depth;
    return rc;
}

void condition_signal(struct condition *condition)
{
    waitq_wake_one(&condition->q);
}

void condition_broadcast(struct condition *condition)
{
    waitq_wake_all(&condition->q);
}
