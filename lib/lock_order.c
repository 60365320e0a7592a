/* SPDX-License-Identifier: MIT
 *
 * `make DEBUG=1`: every spinlock taken is compared with those this vCPU holds already, so that an
 * order that might deadlock one day is found whenever the two meet, and nobody sleeps with a lock.
 * Empty in the usual build.
 */
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/spinlock.h"

#ifdef DEBUG
static const char *const ranks[LOCK_RANKS] = {
    [LOCK_LEAF] = "leaf",       [LOCK_POSIX] = "posix",
    [LOCK_THREADS] = "threads", [LOCK_INTERRUPT] = "interrupt",
    [LOCK_STORE] = "store",     [LOCK_WATCH] = "watch",
    [LOCK_NET] = "net",         [LOCK_CONDITION] = "condition",
    [LOCK_WAITQ] = "waitq",     [LOCK_INHERIT] = "inherit",
    [LOCK_LOG] = "log",         [LOCK_CONSOLE] = "console",
    [LOCK_EVENTS] = "events",   [LOCK_RUNQ] = "runq",
    [LOCK_TIMERS] = "timers",   [LOCK_HEAP] = "heap",
    [LOCK_GRANT] = "grant",     [LOCK_VSPACE] = "vspace",
    [LOCK_PAGES] = "pages",
};

static unsigned int depth_of(const spinlock_t *lock)
{
    return lock->rank == LOCK_LEAF ? LOCK_RANKS : lock->rank;
}

static const char *name(char *out, size_t size, const spinlock_t *lock)
{
    format_text(out, size, "%s lock %p", ranks[lock->rank], (const void *)lock);
    return out;
}

/* Once something is wrong, or a panic runs, the rest is no news. */
static bool over(void)
{
    return log_in_emergency();
}

static void complain(const char *what, const spinlock_t *lock, const spinlock_t *held)
{
    char one[64], two[64];

    log_emergency();
    panic("lock order: %s %s while %s is held", what, name(one, sizeof(one), lock),
          name(two, sizeof(two), held));
}

void lock_order_take(const spinlock_t *lock, bool second)
{
    struct lock_order *order = &this_percpu()->locks;

    if (over())
        return;
    kassert(!upcalls_enabled());
    for (unsigned int i = 0; i < order->count; i++) {
        const spinlock_t *held = order->held[i];

        if (held == lock || depth_of(held) > depth_of(lock) ||
            (depth_of(held) == depth_of(lock) && !second))
            complain("taking", lock, held);
    }
    kassert(order->count < ARRAY_SIZE(order->held));
    order->held[order->count++] = lock;
}

void lock_order_drop(const spinlock_t *lock)
{
    struct lock_order *order = &this_percpu()->locks;
    unsigned int i = order->count;

    if (over())
        return;
    while (i > 0 && order->held[i - 1] != lock)
        i--;
    kassert(i > 0); /* dropped by who has it, on its vCPU */
    for (order->count--; i <= order->count; i++)
        order->held[i - 1] = order->held[i];
}

void lock_order_none_but(const spinlock_t *except, const char *what)
{
    const struct lock_order *order = &this_percpu()->locks;
    char text[64];

    for (unsigned int i = 0; i < order->count && !over(); i++) {
        if (order->held[i] == except)
            continue;
        log_emergency();
        panic("lock order: %s while %s is held", what, name(text, sizeof(text), order->held[i]));
    }
}
#endif
