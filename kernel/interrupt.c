/* SPDX-License-Identifier: MIT
 *
 * Interrupting threads: a flag that ends interruptible sleeps, and calls a function in a thread
 * that runs and has allowed that.  The libc's cancellation stands on this.
 *
 * The interrupter reaches the wait queue of a sleeper by thread->interruptible, which the sleeper
 * clears under interrupt_lock: while that lock is held, the queue is there.
 */
#include "events/events.h"
#include "kernel/sched_private.h"
#include "lib/panic.h"

static void (*async_fn)(void);

void thread_set_async(void (*fn)(void))
{
    async_fn = fn;
}

/* held: interrupt_lock */
static void end_sleep(struct thread *thread)
{
    struct waitq *q = load_once(&thread->interruptible);

    if (!q)
        return;
    spin_lock(&q->lock);
    waitq_end_sleep(thread, -XEN_EINTR);
    spin_unlock(&q->lock);
}

/* Upcalls masked. */
static void make_async_due(struct thread *thread)
{
    struct runq *rq = sched_lock_thread(thread);

    thread->async_due = thread->attention = true;
    if (rq->cpu->current == thread)
        sched_kick(rq);
    spin_unlock(&rq->lock);
}

void thread_interrupt(struct thread *thread)
{
    bool enabled = spin_lock_save(&thread->interrupt_lock);

    store_once(&thread->interrupted, true);
    store_once(&thread->interrupted_anew, true);
    memory_barrier(); /* pairs with waitq_sleep_interruptible() and who allows async again */
    end_sleep(thread);
    if (load_once(&thread->async))
        make_async_due(thread);
    spin_unlock(&thread->interrupt_lock);
    sched_unmask(enabled);
}

bool thread_interrupted(void)
{
    return load_once(&current_thread()->interrupted);
}

void thread_interrupt_clear(void)
{
    struct thread *self = current_thread();
    bool enabled = spin_lock_save(&self->interrupt_lock); /* no interrupter is half done */

    store_once(&self->interrupted, false);
    spin_unlock_restore(&self->interrupt_lock, enabled);
}

bool thread_allow_async(bool allow)
{
    struct thread *self = current_thread();
    bool allowed = self->async;

    store_once(&self->async, allow);
    if (allow && !allowed) {
        memory_barrier(); /* pairs with thread_interrupt(): one of the two sees the other */
        if (load_once(&self->interrupted)) {
            bool enabled = upcalls_save();

            make_async_due(self);
            sched_unmask(enabled);
        }
    }
    return allowed;
}

void interrupt_deliver(struct thread *self)
{
    struct runq *rq;

    spin_lock(&self->interrupt_lock); /* who interrupted is done with it: one call, not two */
    rq = sched_lock_thread(self);
    self->async_due = false;
    self->attention = self->must_move;
    spin_unlock(&rq->lock);
    spin_unlock(&self->interrupt_lock);
    if (!self->async)
        return;
    /* What comes during the call waits for its end, unless it allows more itself: each one would
     * take its piece of the stack. If nothing came and the flag is still up, it knows why. */
    while (load_once(&self->interrupted)) {
        store_once(&self->interrupted_anew, false);
        store_once(&self->async, false);
        upcalls_enable();
        async_fn();
        upcalls_disable();
        store_once(&self->async, true);
        memory_barrier(); /* pairs with thread_interrupt() */
        if (!load_once(&self->interrupted_anew))
            break;
    }
}

/* The sleep is over: from here on no interrupter touches the queue. */
static void sleep_over(struct thread *self)
{
    spin_lock(&self->interrupt_lock);
    self->interruptible = NULL;
    spin_unlock(&self->interrupt_lock);
}

int waitq_sleep_interruptible_at(struct waitq *q, uint64_t deadline_ns, bool first)
{
    struct thread *self = current_thread();
    int rc = -XEN_EINTR;

    if (load_once(&self->interrupted))
        return -XEN_EINTR;
    if (deadline_ns != TIME_NEVER && deadline_ns <= time_now_ns())
        return -XEN_ETIMEDOUT;
    store_once(&self->interruptible, q);
    memory_barrier(); /* pairs with thread_interrupt(): one of the two sees the other */
    if (load_once(&self->interrupted))
        spin_unlock(&q->lock);
    else
        rc = waitq_sleep_unlocked(q, deadline_ns, first);
    sleep_over(self);
    spin_lock(&q->lock);
    return rc;
}

int waitq_sleep_interruptible(struct waitq *q, uint64_t deadline_ns)
{
    return waitq_sleep_interruptible_at(q, deadline_ns, false);
}
