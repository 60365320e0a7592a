/* SPDX-License-Identifier: MIT
 *
 * Timers: a pairing heap per vCPU, and the one interrupt asked of Xen.  The interrupt is asked for
 * again only when the earliest deadline gets earlier; a cancelled timer's interrupt is let come, in
 * vain. The heap: M. Fredman, R. Sedgewick, D. Sleator, R. Tarjan, "The pairing heap" (1986).
 */
#include "arch/clock.h"
#include "kernel/sched_private.h"
#include "mm/kmem.h"

/* Centuries away, and still positive as Xen's signed time: nothing Xen needs to hear of. */
#define DEADLINE_MAX (1ULL << 62)

struct timers {
    spinlock_t lock;
    struct timer *root;     /* held: lock */
    uint64_t programmed_ns; /* held: lock; the interrupt that will come at the latest */
    bool moved_in;          /* by another vCPU, which cannot ask for this one's interrupt */
};

struct timers *timers_create(void)
{
    struct timers *timers = kmem_alloc(sizeof(*timers));

    if (timers) {
        spin_lock_init(&timers->lock, LOCK_TIMERS);
        timers->programmed_ns = TIME_NEVER;
    }
    return timers;
}

/* One heap of two; `first` stays on top when they are equal. Either may be NULL. */
static struct timer *meld(struct timer *first, struct timer *second)
{
    if (!first)
        return second;
    if (!second)
        return first;
    if (second->deadline_ns < first->deadline_ns) {
        struct timer *swap = first;

        first = second;
        second = swap;
    }
    second->prev = first;
    second->sibling = first->child;
    if (first->child)
        first->child->prev = second;
    first->child = second;
    return first;
}

static void cut_loose(struct timer *timer)
{
    timer->sibling = timer->prev = NULL;
}

/* One heap of the siblings from `timer` on: neighbours first, then those pairs from the last to the
 * first. */
static struct timer *meld_siblings(struct timer *timer)
{
    struct timer *pairs = NULL, *root = NULL;

    while (timer) {
        struct timer *second = timer->sibling;
        struct timer *next = second ? second->sibling : NULL;

        cut_loose(timer);
        if (second)
            cut_loose(second);
        timer = meld(timer, second);
        timer->sibling = pairs;
        pairs = timer;
        timer = next;
    }
    while (pairs) {
        struct timer *next = pairs->sibling;

        cut_loose(pairs);
        root = meld(root, pairs);
        pairs = next;
    }
    return root;
}

/* timer->heap stays. held: timers->lock */
static void heap_detach(struct timers *timers, struct timer *timer)
{
    struct timer *rest = meld_siblings(timer->child);

    if (timer == timers->root) {
        timers->root = rest;
    } else {
        if (timer->prev->child == timer) /* the first child: prev is the parent */
            timer->prev->child = timer->sibling;
        else
            timer->prev->sibling = timer->sibling;
        if (timer->sibling)
            timer->sibling->prev = timer->prev;
        timers->root = meld(timers->root, rest);
    }
    timer->child = NULL;
    cut_loose(timer);
}

/* held: timers->lock */
static void heap_remove(struct timers *timers, struct timer *timer)
{
    heap_detach(timers, timer);
    store_release(&timer->heap, (struct timers *)NULL);
}

/* held: timers->lock; they are this vCPU's */
static void program(struct timers *timers)
{
    uint64_t deadline_ns = timers->root ? timers->root->deadline_ns : TIME_NEVER;

    if (deadline_ns < timers->programmed_ns && deadline_ns <= DEADLINE_MAX) {
        timers->programmed_ns = deadline_ns;
        arch_timer_set(deadline_ns);
    }
}

void timer_init(struct timer *timer, void (*fn)(void *arg), void *arg)
{
    *timer = (struct timer){ .fn = fn, .arg = arg };
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    struct timers *timers;
    bool enabled;

    timer_cancel(timer);
    if (deadline_ns == TIME_NEVER)
        return;
    enabled = upcalls_save();
    timers = this_percpu()->timers;
    spin_lock(&timers->lock);
    timer->deadline_ns = deadline_ns;
    timer->heap = timers;
    timers->root = meld(timers->root, timer);
    program(timers);
    spin_unlock_restore(&timers->lock, enabled);
}

bool timer_cancel(struct timer *timer)
{
    struct timers *timers;

    while ((timers = load_acquire(&timer->heap))) {
        bool enabled = spin_lock_save(&timers->lock);
        bool armed = timer->heap == timers; /* or it fired before we had the lock */

        if (armed)
            heap_remove(timers, timer);
        spin_unlock_restore(&timers->lock, enabled);
        if (armed)
            return true;
    }
    return false;
}

void timers_move(struct timers *from, struct timers *to)
{
    struct timer *timer;

    spin_lock(&from->lock);
    spin_lock_second(&to->lock); /* nobody holds two else: `from` is never vCPU 0's, `to` always */
    while ((timer = from->root)) {
        heap_detach(from, timer);
        store_release(&timer->heap, to); /* never NULL: timer_cancel() must find it armed */
        to->root = meld(to->root, timer);
    }
    store_once(&to->moved_in, true);
    spin_unlock(&to->lock);
    from->programmed_ns = TIME_NEVER; /* Xen forgets the timer of a vCPU that is down */
    spin_unlock(&from->lock);
}

void timers_kicked(struct timers *timers)
{
    if (!load_once(&timers->moved_in))
        return;
    spin_lock(&timers->lock);
    store_once(&timers->moved_in, false);
    program(timers);
    spin_unlock(&timers->lock);
}

void timers_run(struct timers *timers)
{
    uint64_t now_ns = time_now_ns();
    struct timer *timer;

    spin_lock(&timers->lock);
    timers->programmed_ns = 0; /* what the functions arm is asked for once, at the end */
    while ((timer = timers->root) && timer->deadline_ns <= now_ns) {
        void (*fn)(void *arg) = timer->fn;
        void *arg = timer->arg;

        heap_remove(timers, timer);
        spin_unlock(&timers->lock);
        fn(arg); /* the timer may be gone after this */
        spin_lock(&timers->lock);
    }
    timers->programmed_ns = TIME_NEVER;
    program(timers);
    spin_unlock(&timers->lock);
}
