/* SPDX-License-Identifier: MIT
 *
 * Mutexes, semaphores and condition variables for threads.  None may be used in an upcall, except
 * semaphore_post().
 */
#pragma once
#include "kernel/wait.h"

/* Free and taken without contention: one atomic instruction. A woken thread that finds the mutex
 * taken again has it handed over at the next unlock, so nobody waits for ever. Before the scheduler
 * runs there is one context, and the functions do nothing. */
struct mutex {
    uintptr_t word;     /* the owner, with MUTEX_* bits; bits change only under q.lock */
    unsigned int depth; /* the owner's: further locks of a recursive mutex */
    bool recursive;
    bool inherit; /* the owner runs at the best priority of those who wait */
    struct waitq q;

    /* With `inherit`; held: inherit.c's lock */
    struct list heirs;     /* who waits, or was woken and has not looked yet */
    struct thread *holder; /* the owner, while there are heirs */
    struct list held;      /* in that owner's list */
};
#define MUTEX_INIT(name)                                                                           \
    {                                                                                              \
        .q = WAITQ_INIT((name).q)                                                                  \
    }
#define MUTEX_INIT_RECURSIVE(name)                                                                 \
    {                                                                                              \
        .recursive = true, .q = WAITQ_INIT((name).q)                                               \
    }

void mutex_init(struct mutex *mutex, bool recursive);
/* With priority inheritance, transitive, also while waits are timed. Costs nothing while nobody
 * waits. */
void mutex_init_inherit(struct mutex *mutex, bool recursive);
void mutex_lock(struct mutex *mutex);
/* 0 or -XEN_ETIMEDOUT. A free mutex is taken whatever the deadline. */
int mutex_lock_until(struct mutex *mutex, uint64_t deadline_ns);
/* The same, but thread_interrupt() ends it: -XEN_EINTR. Not by the owner. */
int mutex_lock_interruptible(struct mutex *mutex, uint64_t deadline_ns);
/* 0 or -XEN_EBUSY. */
int mutex_trylock(struct mutex *mutex);
/* By the owner. */
void mutex_unlock(struct mutex *mutex);
/* Does the calling thread hold it? */
bool mutex_is_mine(const struct mutex *mutex);

struct semaphore {
    struct waitq q;
    unsigned int count; /* held: q.lock */
};
#define SEMAPHORE_INIT(name, n)                                                                    \
    {                                                                                              \
        WAITQ_INIT((name).q), n                                                                    \
    }
void semaphore_init(struct semaphore *sem, unsigned int count);
/* 0 or -XEN_ETIMEDOUT. Waiters are served in the order they came. */
int semaphore_wait(struct semaphore *sem, uint64_t deadline_ns);
/* Any context. */
void semaphore_post(struct semaphore *sem);

struct condition {
    struct waitq q;
};
#define CONDITION_INIT(name)                                                                       \
    {                                                                                              \
        WAITQ_INIT_RANK((name).q, LOCK_CONDITION)                                                  \
    }
void condition_init(struct condition *condition);
/* Releases `mutex`, however often it is held, while waiting. 0 or -XEN_ETIMEDOUT; the mutex is held
 * again either way. */
int condition_wait(struct condition *condition, struct mutex *mutex, uint64_t deadline_ns);
/* With or without the mutex held. */
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);
