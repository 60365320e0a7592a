/* SPDX-License-Identifier: MIT
 *
 * Waiting: the one primitive under mutexes, semaphores, sleeps and every blocking call.
 *
 *     enabled = waitq_lock(&q);
 *     while (!condition && rc == 0)
 *         rc = waitq_sleep(&q, deadline_ns);
 *     waitq_unlock(&q, enabled);
 *
 * Whoever makes the condition true takes the same lock, or changes it before waitq_wake_*(), so
 * that no wake-up is lost.  The best sleeper is woken first, equals in the order
 * they came.
 */
#pragma once
#include "lib/list.h"
#include "lib/spinlock.h"

struct waitq {
    spinlock_t lock;
    struct list sleepers; /* held: lock */
};

#define WAITQ_INIT_RANK(name, rank)                                                                \
    {                                                                                              \
        SPINLOCK_INIT_RANK(rank), LIST_INIT((name).sleepers)                                       \
    }
#define WAITQ_INIT(name) WAITQ_INIT_RANK(name, LOCK_WAITQ)

void waitq_init(struct waitq *q);
/* Take the queue's lock with upcalls masked; pass the result to waitq_unlock(). */
bool waitq_lock(struct waitq *q);
void waitq_unlock(struct waitq *q, bool enabled);
/* Sleep until woken or until the monotonic time `deadline_ns` (TIME_NEVER: no limit). The lock is
 * held on entry and on return, not in between. 0 when woken (the condition may be false again),
 * -XEN_ETIMEDOUT. Thread context. */
int waitq_sleep(struct waitq *q, uint64_t deadline_ns);
/* The same, but thread_interrupt() ends it: -XEN_EINTR. */
int waitq_sleep_interruptible(struct waitq *q, uint64_t deadline_ns);
/* Wake sleepers; these take the lock themselves. Any context. Returns how many woke. */
unsigned int waitq_wake_one(struct waitq *q);
unsigned int waitq_wake_all(struct waitq *q);
/* The same with the lock held by the caller. */
unsigned int waitq_wake_one_locked(struct waitq *q);

/* A flag that stays up until taken: how an upcall tells a thread "look again". */
struct signal {
    struct waitq q;
    bool raised; /* held: q.lock */
};
#define SIGNAL_INIT(name)                                                                          \
    {                                                                                              \
        WAITQ_INIT((name).q), false                                                                \
    }
void signal_init(struct signal *signal);
/* Any context. */
void signal_raise(struct signal *signal);
/* Wait for it and take it. 0 or -XEN_ETIMEDOUT. Thread context. */
int signal_wait(struct signal *signal, uint64_t deadline_ns);
