/* SPDX-License-Identifier: MIT
 *
 * Mutexes, semaphores and condition variables for threads.  None may be used in an upcall, except
 * semaphore_post().
 */
#pragma once
#include "kernel/wait.h"

struct mutex {
    struct waitq q;
    struct thread *owner; /* held: q.lock */
    unsigned int depth;   /* held: q.lock; > 1 only when recursive */
    bool recursive;
};
#define MUTEX_INIT(name)           { WAITQ_INIT((name).q), NULL, 0, false }
#define MUTEX_INIT_RECURSIVE(name) { WAITQ_INIT((name).q), NULL, 0, true }

void mutex_init(struct mutex *mutex, bool recursive);
void mutex_lock(struct mutex *mutex);
/* 0 or -XEN_ETIMEDOUT. */
int mutex_lock_until(struct mutex *mutex, uint64_t deadline_ns);
/* 0 or -XEN_EBUSY. */
int mutex_trylock(struct mutex *mutex);
/* By the owner. */
void mutex_unlock(struct mutex *mutex);

struct semaphore {
    struct waitq q;
    unsigned int count; /* held: q.lock */
};
#define SEMAPHORE_INIT(name, n) { WAITQ_INIT((name).q), n }
void semaphore_init(struct semaphore *sem, unsigned int count);
/* 0 or -XEN_ETIMEDOUT. */
int semaphore_wait(struct semaphore *sem, uint64_t deadline_ns);
/* Any context. */
void semaphore_post(struct semaphore *sem);

struct condition {
    struct waitq q;
};
#define CONDITION_INIT(name) { WAITQ_INIT((name).q) }
void condition_init(struct condition *condition);
/* Releases `mutex` while waiting. 0 or -XEN_ETIMEDOUT; the mutex is held again either way. */
int condition_wait(struct condition *condition, struct mutex *mutex, uint64_t deadline_ns);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);
