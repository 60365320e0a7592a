/* SPDX-License-Identifier: MIT
 *
 * Wait queues and the signal.  Who wakes and who times out both take the sleeper off the queue
 * under the queue's lock, so exactly one of them does, and it alone calls sched_wake().
 */
#include "kernel/sched_private.h"
#include "lib/panic.h"

void waitq_init(struct waitq *q)
{
    *q = (struct waitq)WAITQ_INIT(*q);
}

bool waitq_lock(struct waitq *q)
{
    return spin_lock_save(&q->lock);
}

void waitq_unlock(struct waitq *q, bool enabled)
{
    spin_unlock(&q->lock);
    sched_unmask(enabled);
}

void waitq_timeout(void *arg)
{
    struct thread *thread = arg;
    struct waitq *q = thread->waiting; /* stays: the sleeper waits for timeout_done, see below */

    spin_lock(&q->lock);
    if (!list_empty(&thread->sleeping)) {
        list_remove(&thread->sleeping);
        thread->timed_out = true;
        sched_wake(thread);
    }
    spin_unlock(&q->lock);
    store_release(&thread->timeout_done, true); /* pairs with timeout_end(); the last access */
}

/* After this the timeout's function isn't running on any vCPU. The queue's lock isn't held. */
static void timeout_end(struct thread *self)
{
    if (timer_cancel(&self->timeout))
        return;
    while (!load_acquire(&self->timeout_done)) /* another vCPU is about to */
        hypercall_sched_yield();
}

int waitq_sleep_at(struct waitq *q, uint64_t deadline_ns, bool first)
{
    struct thread *self = current_thread();
    bool limited = deadline_ns != TIME_NEVER;

    kassert(sched_sleep_allowed());
    if (limited && deadline_ns <= time_now_ns())
        return -XEN_ETIMEDOUT;
    if (first)
        list_add_first(&q->sleepers, &self->sleeping);
    else
        list_add_last(&q->sleepers, &self->sleeping);
    self->timed_out = false;
    if (limited) {
        self->waiting = q;
        self->timeout_done = false;
        timer_arm(&self->timeout, deadline_ns); /* on this vCPU: not before upcalls are unmasked */
    }
    self->state = THREAD_SLEEPING; /* before the unlock: who wakes us overwrites it */
    spin_unlock(&q->lock);
    sched_switch();
    if (limited)
        timeout_end(self);
    spin_lock(&q->lock);
    return self->timed_out ? -XEN_ETIMEDOUT : 0;
}

int waitq_sleep(struct waitq *q, uint64_t deadline_ns)
{
    return waitq_sleep_at(q, deadline_ns, false);
}

struct thread *waitq_first(const struct waitq *q)
{
    return list_empty(&q->sleepers) ? NULL : list_entry(q->sleepers.next, struct thread, sleeping);
}

unsigned int waitq_wake_one_locked(struct waitq *q)
{
    struct list *item = list_take_first(&q->sleepers);

    if (!item)
        return 0;
    sched_wake(list_entry(item, struct thread, sleeping));
    return 1;
}

unsigned int waitq_wake_one(struct waitq *q)
{
    bool enabled = waitq_lock(q);
    unsigned int woken = waitq_wake_one_locked(q);

    waitq_unlock(q, enabled);
    return woken;
}

unsigned int waitq_wake_all(struct waitq *q)
{
    bool enabled = waitq_lock(q);
    unsigned int woken = 0;

    while (waitq_wake_one_locked(q))
        woken++;
    waitq_unlock(q, enabled);
    return woken;
}

void signal_init(struct signal *signal)
{
    waitq_init(&signal->q);
    signal->raised = false;
}

void signal_raise(struct signal *signal)
{
    bool enabled = waitq_lock(&signal->q);

    signal->raised = true;
    waitq_wake_one_locked(&signal->q);
    waitq_unlock(&signal->q, enabled);
}

int signal_wait(struct signal *signal, uint64_t deadline_ns)
{
    bool enabled = waitq_lock(&signal->q);
    int rc = 0;

    while (!signal->raised && rc == 0)
        rc = waitq_sleep(&signal->q, deadline_ns);
    if (signal->raised) {
        signal->raised = false;
        rc = 0;
    }
    waitq_unlock(&signal->q, enabled);
    return rc;
}
