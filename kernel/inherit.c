/* SPDX-License-Identifier: MIT
 *
 * Priority inheritance: who holds a mutex that a better thread waits for runs at that thread's
 * priority, and so does whoever it waits for in turn.  One lock for all of it: it is only taken
 * when threads meet at such a mutex, or a priority is changed.
 */
#include "kernel/mutex.h"
#include "kernel/sched_private.h"
#include "lib/panic.h"

static spinlock_t inherit_lock = SPINLOCK_INIT_RANK(LOCK_INHERIT); /* inside of a mutex's q.lock */

/* The best of its own and of those that wait for what it holds. held: inherit_lock */
static unsigned int best_priority(const struct thread *thread)
{
    unsigned int best = thread->base_priority;
    const struct list *held, *heir;

    list_for_each (held, &thread->holds) {
        const struct mutex *mutex = list_entry(held, struct mutex, held);

        list_for_each (heir, &mutex->heirs)
            best = MIN(best, list_entry(heir, struct thread, heir)->priority);
    }
    return best;
}

/* The thread's priority, and along the chain of those that wait for each other; it ends where
 * nothing changes, a deadlock's circle too. held: inherit_lock */
static void update(struct thread *thread, bool always)
{
    while (thread) {
        unsigned int priority = best_priority(thread);
        bool fifo = thread->base_fifo || priority != thread->base_priority;

        if (!always && priority == thread->priority && fifo == thread->fifo)
            return;
        always = false;
        sched_set_priority(thread, priority, fifo);
        thread = thread->waits_for ? thread->waits_for->holder : NULL;
    }
}

/* held: inherit_lock */
static void set_holder(struct mutex *mutex, struct thread *holder)
{
    if (mutex->holder)
        list_remove(&mutex->held);
    mutex->holder = holder;
    if (holder)
        list_add_last(&holder->holds, &mutex->held);
}

void inherit_wait(struct mutex *mutex, struct thread *owner)
{
    struct thread *self = current_thread();

    spin_lock(&inherit_lock);
    if (!self->waits_for)
        list_add_last(&mutex->heirs, &self->heir);
    self->waits_for = mutex;
    if (mutex->holder != owner)
        set_holder(mutex, owner);
    update(owner, false);
    spin_unlock(&inherit_lock);
}

bool inherit_waited(struct mutex *mutex, bool taken)
{
    struct thread *self = current_thread(), *holder;
    bool others;

    spin_lock(&inherit_lock);
    list_remove(&self->heir);
    self->waits_for = NULL;
    holder = taken ? self : mutex->holder;
    others = !list_empty(&mutex->heirs);
    set_holder(mutex, others ? holder : NULL);
    update(holder, false);
    spin_unlock(&inherit_lock);
    return taken && others;
}

void inherit_release(struct mutex *mutex, struct thread *next)
{
    struct thread *holder;

    spin_lock(&inherit_lock);
    holder = mutex->holder; /* NULL: nobody waits, or nobody has looked yet */
    set_holder(mutex, next);
    update(holder, false);
    update(next, false);
    spin_unlock(&inherit_lock);
}

void thread_set_priority(struct thread *thread, unsigned int priority, bool fifo)
{
    bool enabled = spin_lock_save(&inherit_lock);

    kassert(priority < PRIORITIES);
    thread->base_priority = priority;
    thread->base_fifo = fifo;
    update(thread, true);
    spin_unlock(&inherit_lock);
    sched_unmask(enabled);
}

unsigned int thread_priority(const struct thread *thread, bool *fifo)
{
    if (fifo)
        *fifo = load_once(&thread->base_fifo);
    return load_once(&thread->base_priority);
}
